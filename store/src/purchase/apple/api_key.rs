//! The key for the App Store Server API, and the tokens that it signs.

use std::path::Path;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;
use sticker_protocol::UnixSeconds;
use zeroize::Zeroizing;

use crate::config::apple::Apple;
use crate::random::Random;
use crate::token::file::{FileError, read_private};

/// A private key of an App Store Connect account, and what it is called there.
#[derive(Debug)]
pub struct ApiKey {
    key: EcdsaKeyPair,
    key_id: String,
    issuer_id: String,
    bundle_id: String,
    random: Random,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what App Store Connect gave.
    #[error("{0} holds no private key of P-256 as PEM")]
    NoKey(String),
}

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request to Apple cannot be signed")]
pub struct CannotSign;

impl ApiKey {
    /// The key that the configuration names: PKCS #8 as PEM, in a file for its owner alone.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(apple: &Apple, random: &Random) -> Result<Self, KeyError> {
        let text = Zeroizing::new(read_private(&apple.key_file)?);
        let key = key_of(&text, random).ok_or_else(|| no_key(&apple.key_file))?;
        Ok(Self {
            key,
            key_id: apple.key_id.clone(),
            issuer_id: apple.issuer_id.clone(),
            bundle_id: apple.bundle_id.clone(),
            random: random.clone(),
        })
    }

    /// A token for requests of the next five minutes; Apple takes those of up to an hour.
    ///
    /// # Errors
    /// [`CannotSign`].
    pub fn token(&self, now: UnixSeconds) -> Result<String, CannotSign> {
        let header = json!({ "alg": "ES256", "kid": self.key_id, "typ": "JWT" });
        let claims = json!({
            "iss": self.issuer_id, "iat": now.0, "exp": now.0.saturating_add(LIFETIME_SECONDS),
            "aud": AUDIENCE, "bid": self.bundle_id,
        });
        let part = |json: String| URL_SAFE_NO_PAD.encode_to_string(json);
        let signed = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let signature = self.key.sign(self.random.secure(), signed.as_bytes()).ok().ok_or(CannotSign)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode_to_string(signature.as_ref())))
    }
}

fn key_of(pem: &str, random: &Random) -> Option<EcdsaKeyPair> {
    let (_, after) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = after.split_once("-----END PRIVATE KEY-----")?;
    let base64: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|it| !it.is_ascii_whitespace()).collect());
    let pkcs8 = Zeroizing::new(STANDARD.decode_to_vec(base64.as_bytes()).ok()?);
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, random.secure()).ok()
}

fn no_key(path: &Path) -> KeyError {
    KeyError::NoKey(path.display().to_string())
}

const LIFETIME_SECONDS: u64 = 300;
/// Whom Apple's tokens are for.
const AUDIENCE: &str = "appstoreconnect-v1";
