//! What a token says, and what a message needs it to say.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::{DenyList, Refusal};
use crate::{Expiry, StickerId};

/// A user as the messenger names it: 1 to 128 opaque bytes, compared byte by byte and never normalised.
#[derive(Clone, Copy)]
pub struct UserId {
    length: u8,
    bytes: [u8; Self::MAX_LENGTH],
}

/// Why something is no user id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserIdError {
    /// No byte, or more than [`UserId::MAX_LENGTH`].
    #[error("a user id is 1 to 128 bytes")]
    Length,
    /// An odd number of digits, or a character that is no hexadecimal digit.
    #[error("a user id in hexadecimal has two digits for each byte")]
    NotHex,
}

impl UserId {
    /// The longest user id in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// Takes the bytes as they are.
    ///
    /// # Errors
    /// [`UserIdError::Length`] unless there are 1 to 128 of them.
    pub fn new(user: &[u8]) -> Result<Self, UserIdError> {
        let length = u8::try_from(user.len()).ok().filter(|&length| length > 0).ok_or(UserIdError::Length)?;
        let mut bytes = [0; Self::MAX_LENGTH];
        bytes.get_mut(..user.len()).ok_or(UserIdError::Length)?.copy_from_slice(user);
        Ok(Self { length, bytes })
    }

    /// Takes the UTF-8 bytes of a text.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_text(user: &str) -> Result<Self, UserIdError> {
        Self::new(user.as_bytes())
    }

    /// Takes bytes written in hexadecimal, in either case.
    ///
    /// # Errors
    /// [`UserIdError::NotHex`] for another character or an odd number, else as [`Self::new`].
    pub fn from_hex(user: &str) -> Result<Self, UserIdError> {
        crate::hex::decode(user).ok_or(UserIdError::NotHex).and_then(|bytes| Self::new(&bytes))
    }

    /// The 1 to 128 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The text, where the bytes are UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The bytes in lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        crate::hex::encode(self.as_bytes())
    }
}

impl PartialEq for UserId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UserId {}

impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_text() {
            Some(text) => write!(f, "UserId({text:?})"),
            None => write!(f, "UserId(0x{})", self.to_hex()),
        }
    }
}

/// What a key vouches for: this user may send this sticker until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The sticker that may be sent.
    pub sticker: StickerId,
    /// Who may send it.
    pub user: UserId,
    /// The first second at which the token is no longer valid.
    pub expires: Expiry,
}

/// What the message at hand is about: the token must be for exactly this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The sticker in the message.
    pub sticker: StickerId,
    /// The authenticated sender of the message.
    pub user: UserId,
}

impl Claims {
    /// Compares the claims with the message and the deny list, in the order of the specification.
    ///
    /// # Errors
    /// [`Refusal::WrongSticker`], [`Refusal::WrongUser`] or [`Refusal::Revoked`].
    pub fn check(&self, expected: &Expected, denied: &DenyList) -> Result<(), Refusal> {
        expected.check(self.sticker, self.user.as_bytes(), self.expires, denied)
    }
}

impl Expected {
    pub(super) fn check(
        &self,
        sticker: StickerId,
        user: &[u8],
        expires: Expiry,
        denied: &DenyList,
    ) -> Result<(), Refusal> {
        if sticker != self.sticker {
            return Err(Refusal::WrongSticker);
        }
        if user != self.user.as_bytes() {
            return Err(Refusal::WrongUser);
        }
        if denied.refuses(user, sticker, expires) { Err(Refusal::Revoked) } else { Ok(()) }
    }
}
