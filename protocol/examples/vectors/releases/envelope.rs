//! The bytes of an envelope, right or wrong, made from the specification with `ring` alone.

use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::studio::release;

/// The seed of key 1.
pub(super) const FIRST: [u8; 32] = [0x41; 32];
/// The seed of key 2.
pub(super) const SECOND: [u8; 32] = [0x42; 32];
pub(super) const PACK: u64 = 42;
pub(super) const SIGNED_AT: u64 = 1_800_000_000;

/// Every field, in range or not.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) magic: [u8; 8],
    pub(super) version: u16,
    pub(super) key: u16,
    pub(super) pack: u64,
    pub(super) counter: u64,
    pub(super) signed_at: u64,
    pub(super) manifest: Vec<u8>,
    /// `None` for the right one.
    pub(super) sha256: Option<[u8; 32]>,
    /// `None` for the right one.
    pub(super) length: Option<u32>,
}

/// The third release of pack 42, signed with key 1.
pub(super) fn third() -> Envelope {
    of(&release(PACK, &[7], &[160], 30).written(), 3)
}

pub(super) fn of(manifest: &[u8], counter: u64) -> Envelope {
    Envelope {
        magic: *b"\x89STKM\r\n\x1a",
        version: 1,
        key: 1,
        pack: PACK,
        counter,
        signed_at: SIGNED_AT,
        manifest: manifest.to_vec(),
        sha256: None,
        length: None,
    }
}

impl Envelope {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn unsigned(&self) -> Vec<u8> {
        let length = self.length.unwrap_or_else(|| u32::try_from(self.manifest.len()).unwrap());
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.pack.to_be_bytes());
        bytes.extend(self.counter.to_be_bytes());
        bytes.extend(self.signed_at.to_be_bytes());
        bytes.extend(self.sha256.unwrap_or_else(|| sha256(&self.manifest)));
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.manifest);
        bytes
    }

    /// Signed as it should be.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.signed_by(&FIRST, b"sticker-release-v1")
    }

    pub(super) fn signed_by(&self, seed: &[u8; 32], domain: &[u8]) -> Vec<u8> {
        let unsigned = self.unsigned();
        let signature = pair(seed).sign(&[domain, &unsigned].concat());
        [unsigned.as_slice(), signature.as_ref()].concat()
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(super) fn public(seed: &[u8; 32]) -> String {
    hex(pair(seed).public_key().as_ref())
}

pub(super) fn key(id: u16, seed: &[u8; 32]) -> Value {
    json!({"id": id, "algorithm": "ed25519", "public": public(seed)})
}

fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).unwrap()
}
