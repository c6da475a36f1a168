//! The bytes of a token and their text.

use std::fmt;

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

use super::key::KeyId;
use super::version::{FIXED, MAX_TEXT, MIN_TEXT};
use super::{Claims, Refusal, UserId, Version};
use crate::bytes::{be_u16, be_u32, be_u64};
use crate::{Expiry, StickerId};

/// Bytes of a domain; every version's is as long.
const DOMAIN: usize = Version::V1.domain().len();
/// The decoder writes whole groups of three bytes.
const BUFFER: usize = MAX_TEXT.div_ceil(4) * 3;

/// A token that was just issued, as text. Whoever holds it may send the sticker, so it prints itself only
/// when asked to (`Display`), never in a debug print.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// 64 to 276 characters of base64url.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Well-formed, of a known version, and nothing more: everybody can write one.
pub struct UntrustedToken {
    /// The domain, then the token's bytes, as they are signed: one buffer, no allocation.
    buffer: [u8; DOMAIN + BUFFER],
    /// Of the token, without the domain; it fits the version.
    length: usize,
    version: Version,
}

impl UntrustedToken {
    /// Decodes the text of either version: length, alphabet, canonical form, version. Does not allocate.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] or [`Refusal::UnsupportedVersion`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut token = Self::blank();
        token.decode(text, true)?;
        Ok(token)
    }

    /// Room for a token. Decoding in place saves a copy that costs a tenth of the MAC.
    #[inline]
    pub(super) const fn blank() -> Self {
        Self { buffer: [0; DOMAIN + BUFFER], length: 0, version: Version::V1 }
    }

    /// Decodes the text for a verifier that knows version 2, or knows version 1 alone. After an error nothing here means anything.
    #[inline]
    pub(super) fn decode(&mut self, text: &str, knows_v2: bool) -> Result<(), Refusal> {
        if !(MIN_TEXT..=MAX_TEXT).contains(&text.len()) {
            return Err(Refusal::Malformed);
        }
        let (domain, bytes) = self.buffer.split_at_mut(DOMAIN);
        // This decoder refuses padding, foreign characters and stray bits: what it takes is canonical.
        let decoded = URL_SAFE_NO_PAD.decode(text.as_bytes(), bytes.as_out());
        self.length = decoded.ok().ok_or(Refusal::Malformed)?.len();
        self.version = match bytes.first() {
            Some(1) => Version::V1,
            Some(2) if knows_v2 => Version::V2,
            _ if text.len() > Version::V1.text_length(UserId::MAX_LENGTH) => return Err(Refusal::Malformed),
            _ => return Err(Refusal::UnsupportedVersion),
        };
        let user = self.length.wrapping_sub(FIXED + self.version.signature_length());
        if user.wrapping_sub(1) >= UserId::MAX_LENGTH {
            return Err(Refusal::Malformed);
        }
        domain.copy_from_slice(self.version.domain());
        Ok(())
    }

    /// The first byte.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The id of the key that is said to have signed it.
    pub fn key_id(&self) -> KeyId {
        KeyId(be_u16(self.bytes(), 1).unwrap_or_default())
    }

    /// What the token says, unproven. `Malformed` if the sticker id is out of range.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn untrusted_claims(&self) -> Result<Claims, Refusal> {
        let (sticker, user) = self.subject()?;
        let user = UserId::new(user).ok().ok_or(Refusal::Malformed)?;
        Ok(Claims { sticker, user, expires: self.expires() })
    }

    /// The sticker and the user's bytes, where they stand.
    #[inline]
    pub(super) fn subject(&self) -> Result<(StickerId, &[u8]), Refusal> {
        let sticker = be_u64(self.bytes(), 7).and_then(|id| StickerId::new(id).ok());
        let user = self.bytes().get(FIXED..self.length - self.version.signature_length());
        sticker.zip(user).ok_or(Refusal::Malformed)
    }

    #[inline]
    pub(super) fn expires(&self) -> Expiry {
        Expiry(be_u32(self.bytes(), 3).unwrap_or_default())
    }

    /// The bytes that are signed, and the signature.
    #[inline]
    pub(super) fn signed_parts(&self) -> (&[u8], &[u8]) {
        let end = DOMAIN + self.length;
        let signature = end - self.version.signature_length();
        self.buffer.get(..end).and_then(|all| all.split_at_checked(signature)).unwrap_or_default()
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.buffer.get(DOMAIN..DOMAIN + self.length).unwrap_or_default()
    }
}

impl fmt::Debug for UntrustedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("UntrustedToken");
        shown.field("version", &self.version).field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

/// Writes a token and lets `sign` sign it: domain and bytes in, signature out.
pub(super) fn issue<S: AsRef<[u8]>>(
    version: Version,
    key: KeyId,
    claims: &Claims,
    sign: impl FnOnce(&[u8]) -> S,
) -> Token {
    let mut signed = Vec::with_capacity(DOMAIN + BUFFER);
    signed.extend_from_slice(version.domain());
    signed.push(version.number());
    signed.extend_from_slice(&key.0.to_be_bytes());
    signed.extend_from_slice(&claims.expires.0.to_be_bytes());
    signed.extend_from_slice(&claims.sticker.get().to_be_bytes());
    signed.extend_from_slice(claims.user.as_bytes());
    let signature = sign(&signed);
    signed.extend_from_slice(signature.as_ref());
    Token(URL_SAFE_NO_PAD.encode_to_string(signed.get(DOMAIN..).unwrap_or_default()))
}
