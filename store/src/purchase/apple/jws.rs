//! Compact JWS (RFC 7515) as the App Store signs it: ES256 with the chain of certificates in the header.

use base64_simd::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use sticker_protocol::UnixSeconds;

use super::chain::Chains;
use super::refusal::{Malformed, Refusal, SignatureFault};

/// A text in the form of a JWS. Nothing in it is proven.
#[derive(Debug)]
pub struct UntrustedJws<'a> {
    header: Header,
    /// Header, full stop and payload, as they came.
    signed: &'a [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The payload of a JWS that a leaf of a trusted chain has signed.
#[derive(Debug)]
pub struct TrustedJws {
    payload: Vec<u8>,
}

/// What we read of a header. Keys and addresses of keys that it names are not looked at.
#[derive(Debug, Deserialize)]
struct Header {
    alg: Option<String>,
    #[serde(default)]
    x5c: Vec<String>,
    #[serde(default)]
    crit: Present,
}

/// Whether a member is there, whatever it is.
#[derive(Debug, Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl<'a> UntrustedJws<'a> {
    /// Takes a text apart: three parts of canonical base64url without padding, the first a JSON object.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed::TooLong(text.len()));
        }
        let parts: Vec<_> = text.split('.').collect();
        let [header, payload, signature] = parts[..] else { return Err(Malformed::Parts(parts.len())) };
        let header: Header = object(&decoded(header, "header")?).map_err(Malformed::Header)?;
        if header.crit.0 {
            return Err(Malformed::Critical);
        }
        let signed = text.rsplit_once('.').map_or(text, |(signed, _)| signed).as_bytes();
        Ok(Self {
            header,
            signed,
            payload: decoded(payload, "payload")?,
            signature: decoded(signature, "signature")?,
        })
    }

    /// Wants ES256, a trusted chain that is valid now, and the signature of its leaf.
    ///
    /// # Errors
    /// [`Refusal`]: of the form only where the header names no algorithm.
    pub fn verify(self, chains: &Chains, now: UnixSeconds) -> Result<TrustedJws, Refusal> {
        match self.header.alg.as_deref() {
            Some("ES256") => {}
            Some(_) => return Err(SignatureFault::Algorithm.into()),
            None => return Err(Malformed::NoAlgorithm.into()),
        }
        let leaf = chains.leaf(&self.header.x5c, now)?;
        let key = leaf.key.as_deref().ok_or(SignatureFault::Key)?;
        if self.signature.len() != SIGNATURE_BYTES {
            return Err(SignatureFault::Length(self.signature.len()).into());
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(self.signed, &self.signature)
            .map_err(|_says_no_more| SignatureFault::Mismatch)?;
        Ok(TrustedJws { payload: self.payload })
    }
}

impl TrustedJws {
    /// The payload as claims.
    ///
    /// # Errors
    /// [`Malformed::Payload`].
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        object(&self.payload).map_err(Malformed::Payload)
    }
}

/// JSON's object alone: serde would read the members of a structure from an array as well.
fn object<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if json.trim_ascii_start().starts_with(b"{") {
        return serde_json::from_slice(json);
    }
    Err(serde::de::Error::custom("it is not a JSON object"))
}

fn decoded(part: &str, name: &'static str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_says_no_more| Malformed::Base64(name))
}

/// The most bytes that a text may have: 10 times what a notification with its transaction has.
pub const MAX_BYTES: usize = 64 << 10;
/// RFC 7518, section 3.4: R and S, 32 bytes each.
const SIGNATURE_BYTES: usize = 64;
