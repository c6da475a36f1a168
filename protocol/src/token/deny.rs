//! Rights that were taken back while tokens for them may still live.

use std::collections::HashMap;

use super::UserId;
use crate::{Expiry, StickerId, UnixSeconds};

/// For each (sticker, user): refuse tokens that expire at or before a moment, the last that was issued before the right
/// was taken back. Tokens issued after a new purchase expire later and pass.
#[derive(Clone, Debug, Default)]
pub struct DenyList {
    entries: HashMap<StickerId, HashMap<Box<[u8]>, Expiry>>,
}

impl DenyList {
    /// A list that denies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses every token of this user for this sticker whose expiry is at most `last_issued`. Of two entries the
    /// later counts.
    pub fn deny(&mut self, user: &UserId, sticker: StickerId, last_issued: Expiry) {
        let until =
            self.entries.entry(sticker).or_default().entry(user.as_bytes().into()).or_insert(last_issued);
        *until = last_issued.max(*until);
    }

    /// Whether a token of this user for this sticker with this expiry was issued before the right was taken back.
    pub fn refuses(&self, user: &[u8], sticker: StickerId, expires: Expiry) -> bool {
        !self.entries.is_empty()
            && self
                .entries
                .get(&sticker)
                .and_then(|users| users.get(user))
                .is_some_and(|&last_issued| expires <= last_issued)
    }

    /// Drops the entries whose tokens have all expired anyway.
    pub fn forget_expired(&mut self, now: UnixSeconds) {
        self.entries.retain(|_, users| {
            users.retain(|_, until| !until.has_passed(now));
            !users.is_empty()
        });
    }

    /// Number of (sticker, user) pairs.
    pub fn len(&self) -> usize {
        self.entries.values().map(HashMap::len).sum()
    }

    /// Whether nothing is denied.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
