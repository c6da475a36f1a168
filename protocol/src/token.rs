//! The signed proof that a user may send a sticker: version 1 with HMAC-SHA256, version 2 with Ed25519.
//!
//! The way is one way: a text is [`UntrustedToken::parse`]d, [`Keyring::authenticate`] turns it into [`Claims`] that a key
//! vouches for, and [`Claims::check`] compares them with what the message says. [`Keyring::verify`] is all three, and
//! [`LiveVerifier`] is that for a server that runs for long: keys rotate and rights are taken back under it.
//! The specification, byte by byte, is section 1 of this crate's README.

mod claims;
mod codec;
mod deny;
mod error;
mod feed;
mod file;
mod key;
mod live;
mod ring;
mod version;

pub use claims::{Claims, Expected, UserId, UserIdError};
pub use codec::{Token, UntrustedToken};
pub use deny::DenyList;
pub use error::KeyFileError;
pub use feed::{PageError, Revocation, RevocationPage};
pub use file::KeyFile;
pub use key::{KeyId, KeyMaterial, KeyRecord, KeyState, PublicKey, Secret, SeedError};
pub use live::{Freshness, LiveVerifier};
pub use ring::{IssueError, Keyring};
pub use version::{Algorithm, Version};

/// Why a token does not let a sticker through. A public answer says no more than accepted or refused;
/// the [code](Self::code) is for servers and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Wrong length, for any version or for the token's own, alphabet or base64 form, or a sticker id outside 1 to 2^53 - 1.
    #[error("the token is malformed")]
    Malformed,
    /// The first byte is no version that this verifier knows.
    #[error("the token has a version that this verifier does not know")]
    UnsupportedVersion,
    /// The key id is not in the ring, or is of another version's algorithm.
    #[error("the token names a key that is not in the ring")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// The expiry has passed.
    #[error("the token has expired")]
    Expired,
    /// Valid, but for another sticker.
    #[error("the token is for another sticker")]
    WrongSticker,
    /// Valid, but for another user.
    #[error("the token is for another user")]
    WrongUser,
    /// Valid, but the right has been taken back since.
    #[error("the right was taken back after the token was issued")]
    Revoked,
}

impl Refusal {
    /// The stable code, the same in every language.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::WrongSticker => "wrong_sticker",
            Self::WrongUser => "wrong_user",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests;
