//! The bytes of a token and their text.

use std::fmt;

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

use super::key::KeyId;
use super::{Claims, Refusal, UserId, VERSION};
use crate::bytes::{be_u16, be_u32, be_u64};
use crate::{Expiry, StickerId};

/// Bytes before the user id: version, key id, expiry, sticker id.
const FIXED: usize = 15;
/// Bytes of the MAC at the end.
const MAC: usize = 32;
const MAX_BYTES: usize = FIXED + UserId::MAX_LENGTH + MAC;
const MIN_TEXT: usize = (FIXED + 1 + MAC).div_ceil(3) * 4;
const MAX_TEXT: usize = (MAX_BYTES * 4).div_ceil(3);
/// What is authenticated begins with these bytes, so that a key used elsewhere by mistake signs no token.
const DOMAIN: &[u8; 16] = b"sticker-token-v1";

/// A token that was just issued, as text. Whoever holds it may send the sticker, so it prints itself only
/// when asked to (`Display`), never in a debug print.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// 64 to 234 characters of base64url.
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
    /// The domain, then the token's bytes, as they go into the MAC: one buffer, no allocation.
    buffer: [u8; DOMAIN.len() + BUFFER],
    length: usize,
}

/// The decoder may touch whole groups of three bytes.
const BUFFER: usize = MAX_TEXT.div_ceil(4) * 3;

impl UntrustedToken {
    /// Decodes the text: length, alphabet, canonical form, version. Does not allocate.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] or [`Refusal::UnsupportedVersion`].
    #[inline]
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if !(MIN_TEXT..=MAX_TEXT).contains(&text.len()) {
            return Err(Refusal::Malformed);
        }
        let mut buffer = [0; DOMAIN.len() + BUFFER];
        let (domain, bytes) = buffer.split_at_mut(DOMAIN.len());
        domain.copy_from_slice(DOMAIN);
        // This decoder refuses padding, foreign characters and stray bits: what it takes is canonical.
        let decoded = URL_SAFE_NO_PAD.decode(text.as_bytes(), bytes.as_out());
        let length = decoded.ok().ok_or(Refusal::Malformed)?.len();
        if bytes.first() != Some(&VERSION) {
            return Err(Refusal::UnsupportedVersion);
        }
        Ok(Self { buffer, length })
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
        let user = self.bytes().get(FIXED..self.length - MAC);
        sticker.zip(user).ok_or(Refusal::Malformed)
    }

    #[inline]
    pub(super) fn expires(&self) -> Expiry {
        Expiry(be_u32(self.bytes(), 3).unwrap_or_default())
    }

    /// The bytes under the MAC, and the MAC.
    #[inline]
    pub(super) fn signed_parts(&self) -> (&[u8], &[u8]) {
        let end = DOMAIN.len() + self.length;
        self.buffer.get(..end).and_then(|all| all.split_at_checked(end - MAC)).unwrap_or_default()
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.buffer.get(DOMAIN.len()..DOMAIN.len() + self.length).unwrap_or_default()
    }
}

impl fmt::Debug for UntrustedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntrustedToken").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

/// Writes and signs a token.
pub(super) fn issue(key_id: KeyId, key: &ring::hmac::Key, claims: &Claims) -> Token {
    let mut signed = Vec::with_capacity(DOMAIN.len() + MAX_BYTES);
    signed.extend_from_slice(DOMAIN);
    signed.push(VERSION);
    signed.extend_from_slice(&key_id.0.to_be_bytes());
    signed.extend_from_slice(&claims.expires.0.to_be_bytes());
    signed.extend_from_slice(&claims.sticker.get().to_be_bytes());
    signed.extend_from_slice(claims.user.as_bytes());
    let mac = ring::hmac::sign(key, &signed);
    signed.extend_from_slice(mac.as_ref());
    Token(URL_SAFE_NO_PAD.encode_to_string(signed.get(DOMAIN.len()..).unwrap_or_default()))
}
