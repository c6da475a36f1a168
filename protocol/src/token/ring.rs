//! The keys, ready to sign and verify.

use std::fmt;

use ring::hmac;

use super::key::{KeyFile, KeyId, KeyState};
use super::{Claims, DenyList, Expected, Refusal, Token, UntrustedToken, codec};
use crate::{Expiry, UnixSeconds};

/// A table of keys by id. Nothing is ever fetched: a token that names a key outside the table is refused.
#[derive(Clone)]
pub struct Keyring {
    /// Sorted by id.
    keys: Vec<(KeyId, hmac::Key)>,
    signing: Option<KeyId>,
}

/// Why no token can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The ring is for verifying alone.
    #[error("no key of the ring is marked as signing")]
    NoSigningKey,
    /// The key that was asked for is not in the ring.
    #[error("key {0} is not in the ring")]
    UnknownKey(KeyId),
}

impl Keyring {
    /// Prepares the keys of a file. Signing and verifying with a prepared key costs one HMAC.
    pub fn new(file: &KeyFile) -> Self {
        let mut keys: Vec<_> = file
            .keys()
            .iter()
            .map(|key| (key.id, hmac::Key::new(hmac::HMAC_SHA256, key.secret.expose())))
            .collect();
        keys.sort_by_key(|(id, _)| *id);
        let signing = file.keys().iter().find(|key| key.state == KeyState::Signing).map(|key| key.id);
        Self { keys, signing }
    }

    /// The key that signs new tokens.
    pub const fn signing_key(&self) -> Option<KeyId> {
        self.signing
    }

    /// Issues a token with the signing key.
    ///
    /// # Errors
    /// [`IssueError::NoSigningKey`].
    pub fn issue(&self, claims: &Claims) -> Result<Token, IssueError> {
        self.issue_with(self.signing.ok_or(IssueError::NoSigningKey)?, claims)
    }

    /// Issues a token with a key of the operator's choice.
    ///
    /// # Errors
    /// [`IssueError::UnknownKey`].
    pub fn issue_with(&self, id: KeyId, claims: &Claims) -> Result<Token, IssueError> {
        let key = self.key(id).ok_or(IssueError::UnknownKey(id))?;
        Ok(codec::issue(id, key, claims))
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
        let token = UntrustedToken::parse(text)?;
        self.check_signature(&token, now)?;
        // Compared where they stand: copying them out as claims would cost a tenth of the MAC.
        let (sticker, user) = token.subject()?;
        expected.check(sticker, user, token.expires(), denied)?;
        Ok(token.expires())
    }

    /// Checks key, MAC (in constant time), expiry and id range: what comes out is vouched for, though not yet
    /// compared with the message.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`], [`Refusal::BadSignature`], [`Refusal::Expired`] or [`Refusal::Malformed`].
    pub fn authenticate(&self, token: &UntrustedToken, now: UnixSeconds) -> Result<Claims, Refusal> {
        self.check_signature(token, now)?;
        token.untrusted_claims()
    }

    fn check_signature(&self, token: &UntrustedToken, now: UnixSeconds) -> Result<(), Refusal> {
        let key = self.key(token.key_id()).ok_or(Refusal::UnknownKey)?;
        let (signed, mac) = token.signed_parts();
        hmac::verify(key, signed, mac).ok().ok_or(Refusal::BadSignature)?;
        if token.expires().has_passed(now) { Err(Refusal::Expired) } else { Ok(()) }
    }

    fn key(&self, id: KeyId) -> Option<&hmac::Key> {
        let at = self.keys.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.keys.get(at).map(|(_, key)| key)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.iter().map(|(id, _)| id.0).collect();
        f.debug_struct("Keyring").field("ids", &ids).field("signing", &self.signing).finish_non_exhaustive()
    }
}
