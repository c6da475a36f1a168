//! Key files: JSON, `{"keys":[{"id":3,"secret":"<64 hex>","state":"signing|verify|published"}]}`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Names a key for ever: an id is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub u16);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Exactly 32 random bytes. Never printed, never compared; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes 32 bytes that a cryptographic random generator made.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where a key is in its life. Every key in a ring verifies; what was destroyed is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// On its way to every verifier, not signing yet.
    Published,
    /// New tokens are signed with it; at most one key of a ring.
    Signing,
    /// No longer signing, kept until its last token has expired.
    Verify,
}

/// One key of a file.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// Names the key in tokens.
    pub id: KeyId,
    /// The key itself.
    pub secret: Secret,
    /// What it is used for.
    pub state: KeyState,
}

/// A key file that was read and makes sense: ids are unique and at most one key signs.
#[derive(Clone, Debug, Default)]
pub struct KeyFile {
    keys: Vec<KeyRecord>,
}

/// Why a key file is refused. Never shows a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Not JSON of the right shape; the message has line and column, and no content.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// Line in the file, from 1.
        line: usize,
        /// Column in the line, from 1.
        column: usize,
        /// What kind of fault, without any text from the file.
        reason: &'static str,
    },
    /// A secret that is not 64 hexadecimal digits.
    #[error("the secret of key {0} is not 64 hexadecimal digits")]
    BadSecret(KeyId),
    /// The same id twice.
    #[error("the key id {0} stands twice in the file")]
    DuplicateId(KeyId),
    /// More than one signing key.
    #[error("the keys {0} and {1} are both marked as signing; one key signs")]
    TwoSigning(KeyId, KeyId),
}

impl KeyFile {
    /// Reads the JSON text of a key file.
    ///
    /// # Errors
    /// [`KeyFileError`] with the place, never with content of the file.
    pub fn parse(json: &str) -> Result<Self, KeyFileError> {
        let file: FileJson = serde_json::from_str(json).map_err(|error| KeyFileError::Json {
            line: error.line(),
            column: error.column(),
            reason: match error.classify() {
                serde_json::error::Category::Data => {
                    "a key needs a numeric id, a secret and a state of signing, verify or published, and nothing else"
                }
                _ => "this is not JSON",
            },
        })?;
        let keys = file.keys.into_iter().map(KeyJson::into_record).collect::<Result<_, _>>()?;
        Self::new(keys)
    }

    /// Takes keys that were made or loaded otherwise.
    ///
    /// # Errors
    /// [`KeyFileError::DuplicateId`] or [`KeyFileError::TwoSigning`].
    pub fn new(keys: Vec<KeyRecord>) -> Result<Self, KeyFileError> {
        let mut ids = BTreeSet::new();
        if let Some(twice) = keys.iter().find(|key| !ids.insert(key.id)) {
            return Err(KeyFileError::DuplicateId(twice.id));
        }
        let mut signing = keys.iter().filter(|key| key.state == KeyState::Signing);
        if let (Some(first), Some(second)) = (signing.next(), signing.next()) {
            return Err(KeyFileError::TwoSigning(first.id, second.id));
        }
        Ok(Self { keys })
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> &[KeyRecord] {
        &self.keys
    }

    /// The JSON text of the file, secrets included: for a file that only its owner may read.
    pub fn to_json(&self) -> String {
        let keys = self.keys.iter().map(|key| KeyJson {
            id: key.id,
            secret: crate::hex::encode(key.secret.expose()),
            state: key.state,
        });
        // Numbers, hex digits and three words: there is nothing that JSON could not hold.
        serde_json::to_string(&FileJson { keys: keys.collect() }).unwrap_or_default()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileJson {
    keys: Vec<KeyJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    id: KeyId,
    secret: String,
    state: KeyState,
}

impl KeyJson {
    fn into_record(mut self) -> Result<KeyRecord, KeyFileError> {
        let secret = crate::hex::decode_array(&self.secret).ok_or(KeyFileError::BadSecret(self.id))?;
        self.secret.zeroize();
        Ok(KeyRecord { id: self.id, secret: Secret::new(secret), state: self.state })
    }
}
