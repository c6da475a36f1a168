//! Many checks in one request: what the store and the sidecar answer alike.
//!
//! The body is read where it lies and the answer is written into one buffer; no check allocates anything.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use sticker_protocol::token::{DenyList, Expected, Keyring, Refusal, UserId};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};

use crate::telemetry::metrics;

/// Checks in one request.
pub const MAX_CHECKS: usize = 1_000;
/// Bytes of a request: a token of 276 characters, a user of 128 bytes each written as `\u00ff`, an id of 16 digits, and the names,
/// indented.
pub const MAX_BODY: usize = MAX_CHECKS * 1_280;

/// The checks of a request, in its order. One that makes no sense is among them, so that it does not spoil the others.
#[derive(Debug)]
pub struct Checks<'a>(Vec<Option<Check<'a>>>);

/// Why a body is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// This is not JSON.
    #[error("this is not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but of another shape.
    #[error("the body is {{\"checks\":[...]}} and nothing else: {0}")]
    Shape(#[source] serde_json::Error),
    /// More than [`MAX_CHECKS`].
    #[error("at most {MAX_CHECKS} checks go into one request")]
    TooMany,
}

/// Keys, deny list and time of a check.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Now.
    pub now: UnixSeconds,
    /// The keys.
    pub ring: &'a Keyring,
    /// What is refused although a key vouches for it.
    pub denied: &'a DenyList,
}

impl<'a> Checks<'a> {
    /// Reads `{"checks":[{"token","sticker_id","user"|"user_hex"}]}`.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &'a [u8]) -> Result<Self, BodyError> {
        // Once for the whole body, instead of once for each text in it.
        let read = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str::<Body<'a>>(text),
            // Says where.
            Err(_) => serde_json::from_slice::<Body<'a>>(body),
        };
        let Body { checks } = read.map_err(|error| match error.classify() {
            Category::Data => BodyError::Shape(error),
            _ => BodyError::NotJson(error),
        })?;
        if checks.0.len() > MAX_CHECKS { Err(BodyError::TooMany) } else { Ok(checks) }
    }

    /// How many there are, those that make no sense included.
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the checks, counts them in the metrics, and gives the JSON that answers them in their order.
    pub fn answer(&self, known: Known<'_>) -> Vec<u8> {
        let mut counted = metrics::Checks::default();
        let mut answer = Vec::with_capacity(ANSWER_AROUND + self.0.len() * ANSWER_EACH);
        answer.extend_from_slice(b"{\"results\":[");
        for (at, check) in self.0.iter().enumerate() {
            if at > 0 {
                answer.push(b',');
            }
            match check.as_ref().map_or(Err("invalid_check"), |check| check.make(known)) {
                Ok(expires) => {
                    counted.accepted();
                    answer.extend_from_slice(b"{\"accepted\":true,\"expires_at\":");
                    write_number(&mut answer, expires.0);
                    answer.push(b'}');
                }
                Err(code) => {
                    counted.refused(code);
                    answer.extend_from_slice(b"{\"accepted\":false,\"code\":\"");
                    answer.extend_from_slice(code.as_bytes());
                    answer.extend_from_slice(b"\"}");
                }
            }
        }
        answer.extend_from_slice(b"]}");
        counted.count();
        answer
    }
}

#[derive(Debug)]
struct Check<'a> {
    token: Cow<'a, str>,
    sticker: StickerId,
    user: User<'a>,
}

#[derive(Debug)]
enum User<'a> {
    Text(Cow<'a, str>),
    Hex(Cow<'a, str>),
}

impl Check<'_> {
    fn make(&self, known: Known<'_>) -> Result<Expiry, &'static str> {
        let user = self.user.id().ok_or("invalid_check")?;
        let expected = Expected { sticker: self.sticker, user };
        known.ring.verify(&self.token, known.now, &expected, known.denied).map_err(Refusal::code)
    }
}

impl User<'_> {
    fn id(&self) -> Option<UserId> {
        match self {
            Self::Text(text) => UserId::from_text(text).ok(),
            Self::Hex(hex) => {
                let mut bytes = [0; UserId::MAX_LENGTH];
                let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
                let mut faulty = 0;
                let bytes = bytes.get_mut(..pairs.len()).filter(|_| odd.is_empty())?;
                for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
                    let (high, low) = (digit(high), digit(low));
                    faulty |= high | low;
                    *byte = high << 4 | low & 0xf;
                }
                if faulty > 0xf {
                    return None;
                }
                UserId::new(bytes).ok()
            }
        }
    }
}

/// 0 to 15, and 255 where the character is no hexadecimal digit; written so that it compiles without branches.
const fn digit(character: u8) -> u8 {
    let (number, letter) = (character.wrapping_sub(b'0'), (character | 0x20).wrapping_sub(b'a'));
    if number < 10 {
        number
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

/// In one buffer with the rest of the answer.
fn write_number(out: &mut Vec<u8>, mut number: u32) {
    let mut digits = [b'0'; 10];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    checks: Checks<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Checks<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Many;
        impl<'de> Visitor<'de> for Many {
            type Value = Checks<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of checks")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut checks: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::with_capacity(64);
                while let Some(Item(check)) = checks.next_element()? {
                    read.push(check);
                    if read.len() > MAX_CHECKS {
                        // Too many, which is for the caller to say; the rest is only looked at for being JSON.
                        while checks.next_element::<IgnoredAny>()?.is_some() {}
                        break;
                    }
                }
                Ok(Checks(read))
            }
        }
        deserializer.deserialize_seq(Many)
    }
}

/// One element of the array, whatever it is: a check, or none.
struct Item<'a>(Option<Check<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut token, mut sticker, mut user, mut sense) = (None, None, None, true);
        while let Some(field) = fields.next_key::<Field>()? {
            // Raw, so that a value of another type, or a number beyond all bounds, is this check's alone.
            let value = fields.next_value::<&'de RawValue>()?.get();
            sense &= match field {
                Field::Token => text(value).is_some_and(|it| token.replace(it).is_none()),
                Field::Sticker => id(value).is_some_and(|it| sticker.replace(it).is_none()),
                Field::User => text(value).is_some_and(|it| user.replace(User::Text(it)).is_none()),
                Field::UserHex => text(value).is_some_and(|it| user.replace(User::Hex(it)).is_none()),
                Field::Unknown => false,
            };
        }
        Ok(Item(match (token, sticker, user) {
            (Some(token), Some(sticker), Some(user)) if sense => Some(Check { token, sticker, user }),
            _ => None,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Item(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Item(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Item(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Item(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Item(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Item(None))
    }
}

/// The text in a JSON string; a copy only where it is written with escapes.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A sticker id in digits; JSON has no leading zeros and no sign but minus.
fn id(json: &str) -> Option<StickerId> {
    json.parse().ok().and_then(|id| StickerId::new(id).ok())
}

enum Field {
    Token,
    Sticker,
    User,
    UserHex,
    Unknown,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "token" => Field::Token,
                    "sticker_id" => Field::Sticker,
                    "user" => Field::User,
                    "user_hex" => Field::UserHex,
                    _ => Field::Unknown,
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// Bytes of the answer beside the results, and of the longest result with its comma.
const ANSWER_AROUND: usize = 16;
const ANSWER_EACH: usize = 52;

#[cfg(test)]
mod tests;
