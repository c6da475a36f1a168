//! Bytes, signatures, key entries and cases.

use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const EXPIRY: u32 = 1_800_086_400;
pub(super) const STICKER: u64 = 8_675_309;
pub(super) const USER: [u8; 16] =
    [0x01, 0x8f, 0x3c, 0x9a, 0x11, 0x22, 0x73, 0x33, 0x84, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa];
pub(super) const V1: &[u8] = b"sticker-token-v1";
pub(super) const V2: &[u8] = b"sticker-token-v2";
/// The HMAC key of the golden case, key id 3.
pub(super) const SECRET: [u8; 32] = counted(0x00);
/// The Ed25519 seed of key id 4.
pub(super) const SEED: [u8; 32] = counted(0x20);

pub(super) const fn counted(first: u8) -> [u8; 32] {
    let mut bytes = [first; 32];
    let mut at = 1;
    while at < 32 {
        bytes[at] = bytes[at - 1].wrapping_add(1);
        at += 1;
    }
    bytes
}

/// What a token says before it is signed, in range or not.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) version: u8,
    pub(super) key: u16,
    pub(super) expires: u32,
    pub(super) sticker: u64,
    pub(super) user: Vec<u8>,
}

/// Version 1 with key 3.
pub(super) fn one() -> Body {
    Body { version: 1, key: 3, expires: EXPIRY, sticker: STICKER, user: USER.to_vec() }
}

/// Version 2 with key 4.
pub(super) fn two() -> Body {
    Body { version: 2, key: 4, ..one() }
}

impl Body {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.version];
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.expires.to_be_bytes());
        bytes.extend(self.sticker.to_be_bytes());
        bytes.extend(&self.user);
        bytes
    }

    pub(super) fn user(mut self, user: &[u8]) -> Self {
        self.user = user.to_vec();
        self
    }

    /// Signed as its version and the usual keys want.
    pub(super) fn signed(&self) -> Vec<u8> {
        match self.version {
            2 => self.with(&ed25519(&SEED, V2, &self.bytes())),
            _ => self.with(&mac(&SECRET, V1, &self.bytes())),
        }
    }

    pub(super) fn with(&self, signature: &[u8]) -> Vec<u8> {
        [self.bytes().as_slice(), signature].concat()
    }

    pub(super) fn text(&self) -> String {
        text(&self.signed())
    }
}

pub(super) fn mac(key: &[u8], domain: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &[domain, message].concat()).as_ref().to_vec()
}

pub(super) fn ed25519(seed: &[u8; 32], domain: &[u8], message: &[u8]) -> Vec<u8> {
    pair(seed).sign(&[domain, message].concat()).as_ref().to_vec()
}

pub(super) fn public(seed: &[u8; 32]) -> [u8; 32] {
    pair(seed).public_key().as_ref().try_into().unwrap()
}

fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).unwrap()
}

pub(super) fn text(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(super) fn hmac_key(id: u16, secret: &[u8; 32]) -> Value {
    json!({"id": id, "secret": hex(secret), "state": "verify"})
}

pub(super) fn ed25519_key(id: u16, seed: &[u8; 32]) -> Value {
    json!({"id": id, "algorithm": "ed25519", "public": hex(&public(seed)), "state": "verify"})
}

/// The ring of a verifier that knows both versions: keys 3 and 4.
pub(super) fn both() -> Vec<Value> {
    vec![hmac_key(3, &SECRET), ed25519_key(4, &SEED)]
}

/// The ring of a verifier that knows version 1 alone: key 3.
pub(super) fn hmac_alone() -> Vec<Value> {
    vec![hmac_key(3, &SECRET)]
}

/// The ring of a verifier in another trust domain: key 4.
pub(super) fn ed25519_alone() -> Vec<Value> {
    vec![ed25519_key(4, &SEED)]
}

/// An entry of the deny feed; no user is everybody.
pub(super) fn entry(user: Option<&[u8]>, stickers: &[u64], until: u32) -> Value {
    json!({"cursor": 1, "user_hex": user.map(hex), "sticker_ids": stickers, "refuse_until": until})
}

#[derive(Clone, Serialize)]
pub(super) struct Token {
    name: String,
    keys: Vec<Value>,
    revocations: Vec<Value>,
    text: String,
    now: u64,
    sticker: u64,
    user_hex: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u32>,
}

/// A case with both keys, the usual time and the message of the golden case, which expects to be accepted.
pub(super) fn case(name: impl Into<String>, text: impl Into<String>) -> Token {
    Token {
        name: name.into(),
        keys: both(),
        revocations: Vec::new(),
        text: text.into(),
        now: NOW,
        sticker: STICKER,
        user_hex: hex(&USER),
        result: "ok",
        expires: Some(EXPIRY),
    }
}

impl Token {
    pub(super) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(super) fn keys(mut self, keys: Vec<Value>) -> Self {
        self.keys = keys;
        self
    }

    pub(super) fn revoked(mut self, revocations: Vec<Value>) -> Self {
        self.revocations = revocations;
        for (cursor, entry) in (1..).zip(&mut self.revocations) {
            entry["cursor"] = json!(cursor);
        }
        self
    }

    pub(super) fn now(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    pub(super) fn sticker(mut self, sticker: u64) -> Self {
        self.sticker = sticker;
        self
    }

    pub(super) fn user(mut self, user: &[u8]) -> Self {
        self.user_hex = hex(user);
        self
    }

    /// Accepted, with another expiry than the usual one.
    pub(super) fn until(mut self, expires: u32) -> Self {
        self.expires = Some(expires);
        self
    }

    pub(super) fn refused(mut self, code: &'static str) -> Self {
        self.result = code;
        self.expires = None;
        self
    }
}
