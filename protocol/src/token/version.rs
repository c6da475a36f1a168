//! The two versions of the token, each bound to one algorithm.

use super::UserId;

/// Bytes before the user id: version, key id, expiry, sticker id.
pub(super) const FIXED: usize = 15;
/// The shortest text of any version: version 1 with one byte of user id.
pub(super) const MIN_TEXT: usize = Version::V1.text_length(1);
/// The longest text of any version: version 2 with all bytes of user id.
pub(super) const MAX_TEXT: usize = Version::V2.text_length(UserId::MAX_LENGTH);

/// The first byte of a token. It says which algorithm signed, and nothing else in a token chooses anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HMAC-SHA256: who can verify can also issue.
    V1,
    /// Ed25519: verified with a public key, issued with its seed alone.
    V2,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// HMAC-SHA256 with a secret of exactly 32 bytes.
    HmacSha256,
    /// Ed25519 as in RFC 8032, pure.
    Ed25519,
}

impl Version {
    /// The byte in a token.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version with this byte, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// What signs tokens of this version.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::V1 => Algorithm::HmacSha256,
            Self::V2 => Algorithm::Ed25519,
        }
    }

    /// What is signed begins with these bytes, so that a key used elsewhere by mistake signs no token.
    pub(super) const fn domain(self) -> &'static [u8; 16] {
        match self {
            Self::V1 => b"sticker-token-v1",
            Self::V2 => b"sticker-token-v2",
        }
    }

    /// Bytes of the signature at the end.
    pub(super) const fn signature_length(self) -> usize {
        match self {
            Self::V1 => 32,
            Self::V2 => 64,
        }
    }

    /// Characters of a token with a user id of so many bytes.
    pub(super) const fn text_length(self, user: usize) -> usize {
        ((FIXED + user + self.signature_length()) * 4).div_ceil(3)
    }
}

impl Algorithm {
    /// The name in key files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm with this name, if it is known.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::HmacSha256, Self::Ed25519].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The one version of token that keys of this algorithm sign.
    pub const fn version(self) -> Version {
        match self {
            Self::HmacSha256 => Version::V1,
            Self::Ed25519 => Version::V2,
        }
    }
}
