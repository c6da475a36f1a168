//! RSA keys made for the test, by other code than the store's.

use std::sync::OnceLock;

use base64_simd::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};

/// A key of 2048 bits, made once a process.
#[derive(Clone, Copy, Debug)]
pub struct RsaKey(&'static RsaPrivateKey);

impl RsaKey {
    /// The service account's.
    pub fn of_account() -> Self {
        static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
        Self(KEY.get_or_init(made))
    }

    /// Google's, for the tokens of pushes.
    pub fn of_google() -> Self {
        static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
        Self(KEY.get_or_init(made))
    }

    /// Somebody else's.
    pub fn of_stranger() -> Self {
        static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
        Self(KEY.get_or_init(made))
    }

    /// PKCS#8 in PEM.
    pub fn pem(self) -> String {
        self.0.to_pkcs8_pem(LineEnding::LF).expect("a key").to_string()
    }

    /// PKCS#1 in PEM, the older form.
    pub fn pkcs1_pem(self) -> String {
        self.0.to_pkcs1_pem(LineEnding::LF).expect("a key").to_string()
    }

    fn signature(self, message: &[u8]) -> Vec<u8> {
        self.0.sign(scheme(), digest(&SHA256, message).as_ref()).expect("a signature")
    }

    pub(super) fn verifies(self, message: &[u8], signature: &[u8]) -> bool {
        self.0.to_public_key().verify(scheme(), digest(&SHA256, message).as_ref(), signature).is_ok()
    }
}

/// A key with the name that tokens call it by.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The name.
    pub id: String,
    /// The key.
    pub key: RsaKey,
}

impl Signer {
    /// Google's usual one.
    pub fn google() -> Self {
        Self { id: "key-of-google".to_owned(), key: RsaKey::of_google() }
    }

    /// A JWT with these claims.
    pub fn signs(&self, claims: &Value) -> String {
        self.signs_as(&json!({ "alg": "RS256", "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A JWT with whatever header, signed by RS256 whatever that says.
    pub fn signs_as(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode_to_string(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode_to_string(self.key.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(super) fn published(&self) -> Value {
        let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode_to_string(number.to_bytes_be());
        let (n, e) = (number(self.key.0.n()), number(self.key.0.e()));
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id, "n": n, "e": e })
    }
}

fn made() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut OsRng, 2048).expect("an RSA key")
}

/// PKCS#1 v1.5 with SHA-256, whose `DigestInfo` begins so (RFC 8017, section 9.2, note 1).
fn scheme() -> Pkcs1v15Sign {
    const DIGEST_INFO: [u8; 19] =
        [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    Pkcs1v15Sign { hash_len: Some(32), prefix: DIGEST_INFO.into() }
}
