//! Ids that have a meaning outside one program.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest id, 2^53 - 1: every language's JSON numbers hold it exactly.
pub const MAX_ID: u64 = (1 << 53) - 1;

/// Why a number or a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Zero, negative or above [`MAX_ID`].
    #[error("an id is a whole number from 1 to {MAX_ID}")]
    OutOfRange,
    /// Not the plain decimal form: signs, leading zeros, spaces or other characters.
    #[error("an id is written in plain decimal digits without leading zeros")]
    NotDecimal,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(NonZeroU64);

        impl $name {
            /// Takes a number from 1 to [`MAX_ID`].
            ///
            /// # Errors
            /// [`IdError::OutOfRange`] for every other number.
            pub const fn new(value: u64) -> Result<Self, IdError> {
                match NonZeroU64::new(value) {
                    Some(id) if value <= MAX_ID => Ok(Self(id)),
                    _ => Err(IdError::OutOfRange),
                }
            }

            /// The number itself, from 1 to [`MAX_ID`].
            pub const fn get(self) -> u64 {
                self.0.get()
            }

            /// The number as databases and Thrift hold it; never negative.
            pub const fn signed(self) -> i64 {
                self.0.get().cast_signed()
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdError;
            fn try_from(value: u64) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;
            fn try_from(value: i64) -> Result<Self, IdError> {
                u64::try_from(value).ok().and_then(|value| Self::new(value).ok()).ok_or(IdError::OutOfRange)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.get()
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).and_then(Self::new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// Names a sticker for ever: a message sent years ago still finds its picture.
    StickerId
}

id! {
    /// Names a pack for ever, whatever its slug and its releases do.
    PackId
}

fn parse(text: &str) -> Result<u64, IdError> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return Err(IdError::NotDecimal);
    }
    // Twenty digits and more do not fit and are out of range anyway.
    text.parse().ok().ok_or(IdError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reaches_from_one_to_two_to_the_53_minus_one() {
        assert_eq!(StickerId::new(0), Err(IdError::OutOfRange));
        assert_eq!(StickerId::new(1).unwrap().get(), 1);
        assert_eq!(StickerId::new(9_007_199_254_740_991).unwrap().get(), MAX_ID);
        assert_eq!(StickerId::new(9_007_199_254_740_992), Err(IdError::OutOfRange));
        assert_eq!(PackId::try_from(-1_i64), Err(IdError::OutOfRange));
    }

    #[test]
    fn only_the_canonical_decimal_text_is_an_id() {
        assert_eq!("8675309".parse::<StickerId>().unwrap().get(), 8_675_309);
        for text in ["", "01", "+1", "-1", " 1", "1 ", "1e3", "0x1", "١"] {
            assert_eq!(text.parse::<StickerId>(), Err(IdError::NotDecimal), "{text:?}");
        }
        for text in ["0", "9007199254740992", "99999999999999999999999"] {
            assert_eq!(text.parse::<StickerId>(), Err(IdError::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn json_holds_an_id_as_a_number() {
        assert_eq!(serde_json::to_string(&PackId::new(7).unwrap()).unwrap(), "7");
        assert!(serde_json::from_str::<PackId>("0").is_err());
        assert!(serde_json::from_str::<PackId>("\"7\"").is_err());
    }
}
