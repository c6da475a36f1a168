//! The keys that a client trusts: `{"keys":[{"id":1,"algorithm":"ed25519","public":"<64 hex>"}]}`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ReleaseKeyId;
use crate::json::{Bounded, Object, present, too_deep_at};
use crate::token::PublicKey;

/// The public keys of one store, which an app ships. Several, so that a new one is everywhere before it signs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseKeys(BTreeMap<ReleaseKeyId, PublicKey>);

/// Why a file of release keys is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseKeysError {
    /// Not JSON, or no object with an array `keys` of objects.
    #[error("a file of release keys is a JSON object with an array \"keys\" of objects")]
    BadJson,
    /// `id` is missing or no whole number from 0 to 65535.
    #[error("the \"id\" of a key is missing or no whole number from 0 to 65535")]
    BadId,
    /// `public` is missing or not 64 hexadecimal digits.
    #[error("the \"public\" of a key is missing or not 64 hexadecimal digits")]
    BadKey,
    /// Two keys have one id.
    #[error("the key id {0} is there twice")]
    DuplicateId(ReleaseKeyId),
}

impl ReleaseKeysError {
    /// The stable code, the same in every language.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::BadId => "bad_id",
            Self::BadKey => "bad_key",
            Self::DuplicateId(_) => "duplicate_id",
        }
    }
}

impl ReleaseKeys {
    /// Reads the JSON text. Keys of an unknown algorithm are left out, unknown fields are ignored.
    ///
    /// # Errors
    /// [`ReleaseKeysError`]: the whole file is refused.
    pub fn parse(text: &str) -> Result<Self, ReleaseKeysError> {
        if too_deep_at(text).is_some() {
            return Err(ReleaseKeysError::BadJson);
        }
        let file: Object<FileJson<'_>> = serde_json::from_str(text).ok().ok_or(ReleaseKeysError::BadJson)?;
        let mut keys = Self::default();
        for raw in file.0.keys.0 {
            let Some((id, public)) = key(raw)? else { continue };
            keys.add(id, public)?;
        }
        Ok(keys)
    }

    /// Trusts one more key.
    ///
    /// # Errors
    /// [`ReleaseKeysError::DuplicateId`] where the id is a trusted key's already.
    pub fn add(&mut self, id: ReleaseKeyId, public: PublicKey) -> Result<(), ReleaseKeysError> {
        match self.0.insert(id, public) {
            None => Ok(()),
            Some(first) => {
                self.0.insert(id, first);
                Err(ReleaseKeysError::DuplicateId(id))
            }
        }
    }

    /// The keys by id.
    pub fn iter(&self) -> impl Iterator<Item = (ReleaseKeyId, &PublicKey)> {
        self.0.iter().map(|(&id, public)| (id, public))
    }

    /// The JSON text, one key on a line: the same keys give the same text.
    pub fn to_json(&self) -> String {
        let line = |(id, public): (&ReleaseKeyId, &PublicKey)| {
            format!(r#"{{"id":{id},"algorithm":"{ALGORITHM}","public":"{}"}}"#, public.to_hex())
        };
        let lines: Vec<_> = self.0.iter().map(line).collect();
        if lines.is_empty() {
            "{\"keys\":[]}\n".to_owned()
        } else {
            format!("{{\"keys\":[\n  {}]}}\n", lines.join(",\n  "))
        }
    }

    pub(super) fn find(&self, id: ReleaseKeyId) -> Option<&PublicKey> {
        self.0.get(&id)
    }
}

const ALGORITHM: &str = "ed25519";
/// As many as there are ids.
const MAX_KEYS: usize = 1 << 16;

#[derive(Deserialize)]
struct FileJson<'a> {
    #[serde(borrow)]
    keys: Bounded<&'a RawValue, MAX_KEYS>,
}

#[derive(Deserialize)]
struct KeyJson<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    algorithm: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    public: Option<&'a RawValue>,
}

/// `None` where its algorithm is unknown: then nothing else of it is looked at.
fn key(raw: &RawValue) -> Result<Option<(ReleaseKeyId, PublicKey)>, ReleaseKeysError> {
    let Object(key): Object<KeyJson<'_>> =
        serde_json::from_str(raw.get()).ok().ok_or(ReleaseKeysError::BadJson)?;
    if key.algorithm.and_then(value::<String>).as_deref() != Some(ALGORITHM) {
        return Ok(None);
    }
    let id = key.id.and_then(value::<u16>).ok_or(ReleaseKeysError::BadId)?;
    let digits = key.public.and_then(value::<String>);
    let public = digits.and_then(|digits| crate::hex::decode_array(&digits));
    Ok(Some((ReleaseKeyId(id), PublicKey::new(public.ok_or(ReleaseKeysError::BadKey)?))))
}

fn value<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}
