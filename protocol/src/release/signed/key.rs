//! One key that signs releases.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::token::{PublicKey, Secret, SeedError};

/// Names a key that signs releases, for ever: an id is never used again. The ids of token keys are others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseKeyId(pub u16);

impl fmt::Display for ReleaseKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PublicKey {
    /// Whether the key has signed the message: pure Ed25519, a signature in its one form.
    pub(super) fn vouches_for(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.as_bytes()).verify(message, signature).is_ok()
    }
}

/// The store's half of a key: it signs. Shows nothing of itself.
pub struct ReleaseSigner {
    id: ReleaseKeyId,
    pair: Ed25519KeyPair,
}

impl ReleaseSigner {
    /// Prepares a key of this seed, 32 bytes that a cryptographic random generator made for this and nothing else.
    ///
    /// # Errors
    /// [`SeedError`] where the cryptographic library refuses the seed; it takes every 32 bytes today.
    pub fn new(id: ReleaseKeyId, seed: &Secret) -> Result<Self, SeedError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok().ok_or(SeedError)?;
        Ok(Self { id, pair })
    }

    /// The key's id.
    pub const fn id(&self) -> ReleaseKeyId {
        self.id
    }

    /// The half that clients have.
    ///
    /// # Errors
    /// [`SeedError`] for a key that is not as long as one of Ed25519, which no pair has.
    pub fn public(&self) -> Result<PublicKey, SeedError> {
        self.pair.public_key().as_ref().try_into().map(PublicKey::new).ok().ok_or(SeedError)
    }

    pub(super) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        // What the library signs has this length.
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

impl fmt::Debug for ReleaseSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseSigner").field("id", &self.id.0).finish_non_exhaustive()
    }
}
