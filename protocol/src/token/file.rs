//! Key files: `{"keys":[{"id":3,"secret":"<64 hex>","state":"signing"}]}`, section 1.4 of the specification.

use std::collections::BTreeMap;

use super::error::{Fault, KeyFileError};
use super::key::{KeyId, KeyMaterial, KeyRecord, KeyState};

mod json;

/// A key file that was read and makes sense: ids are unique, at most one key of each algorithm signs, and seeds belong to
/// their public keys.
#[derive(Clone, Debug, Default)]
pub struct KeyFile {
    keys: Vec<KeyRecord>,
}

impl KeyFile {
    /// Reads the JSON text of a key file. Keys of an unknown algorithm are left out, unknown fields are ignored.
    ///
    /// # Errors
    /// [`KeyFileError`] with the line, never with a text of the file.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let placed = json::read(text)?;
        check(placed.iter().map(|(key, line)| (key, Some(*line))))?;
        Ok(Self { keys: placed.into_iter().map(|(key, _)| key).collect() })
    }

    /// Takes keys that were made or loaded otherwise.
    ///
    /// # Errors
    /// [`KeyFileError`] with one of the codes `duplicate_id`, `two_signing` and `bad_key`.
    pub fn new(keys: Vec<KeyRecord>) -> Result<Self, KeyFileError> {
        check(keys.iter().map(|key| (key, None)))?;
        Ok(Self { keys })
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> &[KeyRecord] {
        &self.keys
    }

    /// The JSON text of the file, secrets and seeds included, one key on a line: for a file that only the issuer may read.
    pub fn to_json(&self) -> String {
        json::write(&self.keys)
    }

    /// What servers get that the store's owner would let issue tokens: HMAC secrets and public keys, no seeds.
    #[must_use]
    pub fn for_verifiers(&self) -> Self {
        let keys = self.keys.iter().map(|record| match &record.key {
            KeyMaterial::Hmac(_) => record.clone(),
            KeyMaterial::Ed25519 { public, .. } => {
                KeyRecord { key: KeyMaterial::Ed25519 { public: *public, seed: None }, ..*record }
            }
        });
        Self { keys: keys.collect() }
    }

    /// What verifiers in another trust domain get: Ed25519 public keys alone, with which nobody can issue.
    #[must_use]
    pub fn public_only(&self) -> Self {
        let Self { mut keys } = self.for_verifiers();
        keys.retain(|record| matches!(record.key, KeyMaterial::Ed25519 { .. }));
        Self { keys }
    }
}

/// What no single key can tell, and whether pairs belong together.
fn check<'a>(keys: impl Iterator<Item = (&'a KeyRecord, Option<usize>)>) -> Result<(), KeyFileError> {
    let (mut ids, mut signing) = (BTreeMap::<KeyId, _>::new(), BTreeMap::new());
    for (key, line) in keys {
        let refused = |fault| Err(KeyFileError::new(line, fault));
        if let Some(first_line) = ids.insert(key.id, line) {
            return refused(Fault::DuplicateId { id: key.id, first_line });
        }
        if !key.key.belongs_together() {
            return refused(Fault::Pair(key.id));
        }
        let algorithm = key.key.algorithm();
        if key.state == KeyState::Signing
            && let Some((first, first_line)) = signing.insert(algorithm, (key.id, line))
        {
            return refused(Fault::TwoSigning { algorithm, id: key.id, first, first_line });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
