//! One key: its id, what it is, and where it is in its life.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Algorithm;

/// Names a key for ever: an id is never used again, whatever the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub u16);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Exactly 32 random bytes: an HMAC key or an Ed25519 seed. Never printed, never compared; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes 32 bytes that a cryptographic random generator made.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves, for sealing them at rest.
    ///
    /// **Who has them can issue tokens for every sticker and every user.** Don't log them, don't compare them with `==`
    /// (that takes a time that tells something), and wipe every copy.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// An Ed25519 public key: verifies, cannot issue, and everybody may know it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032's encoding.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes in lower-case hexadecimal, as in key files.
    pub fn to_hex(&self) -> String {
        crate::hex::encode(&self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_hex())
    }
}

/// The key itself, of one algorithm.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// For version 1: signs and verifies.
    Hmac(Secret),
    /// For version 2.
    Ed25519 {
        /// Verifies.
        public: PublicKey,
        /// Signs; the issuer alone has it. A [`KeyFile`](super::KeyFile) holds only pairs that belong together.
        seed: Option<Secret>,
    },
}

/// A seed that gives no key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the seed gives no Ed25519 key pair")]
pub struct SeedError;

impl KeyMaterial {
    /// The pair of a seed, its public key derived.
    ///
    /// # Errors
    /// [`SeedError`] where the cryptographic library refuses the seed; it takes every 32 bytes today.
    pub fn ed25519_from_seed(seed: Secret) -> Result<Self, SeedError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok().ok_or(SeedError)?;
        let public = pair.public_key().as_ref().try_into().ok().ok_or(SeedError)?;
        Ok(Self::Ed25519 { public: PublicKey(public), seed: Some(seed) })
    }

    /// What the key is for.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(_) => Algorithm::HmacSha256,
            Self::Ed25519 { .. } => Algorithm::Ed25519,
        }
    }

    /// Whether a seed, where there is one, is the public key's. Signing with another's tells the seed.
    pub(super) fn belongs_together(&self) -> bool {
        match self {
            Self::Ed25519 { public, seed: Some(seed) } => {
                Ed25519KeyPair::from_seed_and_public_key(seed.expose(), public.as_bytes()).is_ok()
            }
            Self::Ed25519 { seed: None, .. } | Self::Hmac(_) => true,
        }
    }
}

/// Where a key is in its life. Every key in a ring verifies; what was destroyed is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// On its way to every verifier, not signing yet.
    Published,
    /// New tokens are signed with it; at most one key of a ring for each algorithm.
    Signing,
    /// No longer signing, kept until its last token has expired.
    Verify,
}

impl KeyState {
    /// The word in key files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Verify => "verify",
        }
    }

    /// The state with this word, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Published, Self::Signing, Self::Verify].into_iter().find(|state| state.name() == name)
    }
}

/// One key of a file.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// Names the key in tokens.
    pub id: KeyId,
    /// The key itself.
    pub key: KeyMaterial,
    /// What it is used for.
    pub state: KeyState,
}
