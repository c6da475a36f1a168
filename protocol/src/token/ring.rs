//! The keys, ready to sign and verify.

use std::fmt;
use std::sync::Arc;

use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use super::file::KeyFile;
use super::key::{KeyId, KeyMaterial, KeyState};
use super::{Claims, DenyList, Expected, Refusal, Token, UntrustedToken, Version, codec};
use crate::{Expiry, UnixSeconds};

/// A table of keys by id for each version. Nothing is ever fetched: a token that names a key outside its version's table is
/// refused. Without an Ed25519 key version 2 is not known at all.
#[derive(Clone)]
pub struct Keyring {
    hmac: Table<hmac::Key>,
    ed25519: Table<Ed25519>,
}

/// Why no token can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// No key of the version's algorithm is marked as signing.
    #[error("no key of the ring is marked as signing")]
    NoSigningKey,
    /// The key that was asked for is not in the ring.
    #[error("key {0} is not in the ring")]
    UnknownKey(KeyId),
    /// The ring has the key's public half alone.
    #[error("key {0} is here for verifying alone, without its seed")]
    NoSeed(KeyId),
}

impl Keyring {
    /// Prepares the keys of a file. Signing and verifying version 1 with a prepared key costs one HMAC.
    pub fn new(file: &KeyFile) -> Self {
        let mut ring = Self { hmac: Table::default(), ed25519: Table::default() };
        for record in file.keys() {
            let signs = record.state == KeyState::Signing;
            match &record.key {
                KeyMaterial::Hmac(secret) => {
                    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
                    ring.hmac.add(record.id, key, signs);
                }
                KeyMaterial::Ed25519 { public, seed } => {
                    let pair = seed.as_ref().and_then(|seed| {
                        // A file's pairs belong together, so this takes each of them.
                        Ed25519KeyPair::from_seed_and_public_key(seed.expose(), public.as_bytes()).ok()
                    });
                    let public = UnparsedPublicKey::new(&ED25519, *public.as_bytes());
                    ring.ed25519.add(record.id, Ed25519 { public, pair: pair.map(Arc::new) }, signs);
                }
            }
        }
        ring
    }

    /// The key that signs new tokens of this version.
    pub const fn signing_key(&self, version: Version) -> Option<KeyId> {
        match version {
            Version::V1 => self.hmac.signing,
            Version::V2 => self.ed25519.signing,
        }
    }

    /// Issues a token of version 1 with the signing key.
    ///
    /// # Errors
    /// [`IssueError::NoSigningKey`].
    pub fn issue(&self, claims: &Claims) -> Result<Token, IssueError> {
        self.issue_as(Version::V1, claims)
    }

    /// Issues a token of this version with its signing key.
    ///
    /// # Errors
    /// [`IssueError::NoSigningKey`] or [`IssueError::NoSeed`].
    pub fn issue_as(&self, version: Version, claims: &Claims) -> Result<Token, IssueError> {
        self.issue_with(self.signing_key(version).ok_or(IssueError::NoSigningKey)?, claims)
    }

    /// Issues a token of whatever version the key is for, with a key of the operator's choice.
    ///
    /// # Errors
    /// [`IssueError::UnknownKey`] or [`IssueError::NoSeed`].
    pub fn issue_with(&self, id: KeyId, claims: &Claims) -> Result<Token, IssueError> {
        if let Some(key) = self.hmac.find(id) {
            return Ok(codec::issue(Version::V1, id, claims, |signed| hmac::sign(key, signed)));
        }
        let key = self.ed25519.find(id).ok_or(IssueError::UnknownKey(id))?;
        let pair = key.pair.as_ref().ok_or(IssueError::NoSeed(id))?;
        Ok(codec::issue(Version::V2, id, claims, |signed| pair.sign(signed)))
    }

    /// All checks in the order of the specification. Does not allocate.
    ///
    /// # Errors
    /// The first [`Refusal`] in that order.
    pub fn verify(
        &self,
        text: &str,
        now: UnixSeconds,
        expected: &Expected,
        denied: &DenyList,
    ) -> Result<Expiry, Refusal> {
        let mut token = UntrustedToken::blank();
        token.decode(text, !self.ed25519.keys.is_empty())?;
        self.check_signature(&token, now)?;
        // Compared where they stand: copying them out as claims would cost a tenth of the MAC.
        let (sticker, user) = token.subject()?;
        expected.check(sticker, user, token.expires(), denied)?;
        Ok(token.expires())
    }

    /// Checks key, signature (a MAC in constant time), expiry and id range: what comes out is vouched for, though not yet
    /// compared with the message.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`], [`Refusal::BadSignature`], [`Refusal::Expired`] or [`Refusal::Malformed`]; and
    /// [`Refusal::UnsupportedVersion`] for version 2 where the ring has no Ed25519 key.
    pub fn authenticate(&self, token: &UntrustedToken, now: UnixSeconds) -> Result<Claims, Refusal> {
        self.check_signature(token, now)?;
        token.untrusted_claims()
    }

    #[inline]
    fn check_signature(&self, token: &UntrustedToken, now: UnixSeconds) -> Result<(), Refusal> {
        let (signed, signature) = token.signed_parts();
        let right = match token.version() {
            Version::V1 => {
                let key = self.hmac.find(token.key_id()).ok_or(Refusal::UnknownKey)?;
                hmac::verify(key, signed, signature)
            }
            Version::V2 if self.ed25519.keys.is_empty() => return Err(Refusal::UnsupportedVersion),
            Version::V2 => {
                let key = self.ed25519.find(token.key_id()).ok_or(Refusal::UnknownKey)?;
                key.public.verify(signed, signature)
            }
        };
        right.ok().ok_or(Refusal::BadSignature)?;
        if token.expires().has_passed(now) { Err(Refusal::Expired) } else { Ok(()) }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("hmac", &self.hmac).field("ed25519", &self.ed25519).finish()
    }
}

#[derive(Clone)]
struct Ed25519 {
    public: UnparsedPublicKey<[u8; 32]>,
    /// With the issuer alone.
    pair: Option<Arc<Ed25519KeyPair>>,
}

/// The keys of one algorithm.
#[derive(Clone)]
struct Table<K> {
    /// Sorted by id.
    keys: Vec<(KeyId, K)>,
    signing: Option<KeyId>,
}

impl<K> Table<K> {
    fn add(&mut self, id: KeyId, key: K, signs: bool) {
        let at = self.keys.partition_point(|(other, _)| *other < id);
        self.keys.insert(at, (id, key));
        self.signing = self.signing.or(signs.then_some(id));
    }

    #[inline]
    fn find(&self, id: KeyId) -> Option<&K> {
        let at = self.keys.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.keys.get(at).map(|(_, key)| key)
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), signing: None }
    }
}

impl<K> fmt::Debug for Table<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.iter().map(|(id, _)| id.0).collect();
        f.debug_struct("Table").field("ids", &ids).field("signing", &self.signing).finish_non_exhaustive()
    }
}
