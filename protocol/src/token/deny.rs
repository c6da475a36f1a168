//! Rights that were taken back while tokens for them may still live.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};

use super::{Revocation, UserId};
use crate::{Expiry, StickerId, UnixSeconds};

/// For each (sticker, user): refuse tokens that expire at or before a moment, the last that was issued before the right
/// was taken back. Tokens issued after a new purchase expire later and pass.
///
/// An entry is a fingerprint of 128 bits and a moment, 20 bytes, whatever the length of the user id. The fingerprint is keyed
/// afresh for each list, so that nobody can choose users that meet in one: with n entries a token that nobody revoked is
/// refused with a probability of at most n / 2^128, below 2^-108 for a million.
#[derive(Clone, Debug, Default)]
pub struct DenyList {
    key: RandomState,
    pairs: HashMap<Fingerprint, Expiry, BuildHasherDefault<FirstWords>>,
    everybody: HashMap<StickerId, Expiry>,
}

impl DenyList {
    /// A list that denies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses every token of this user for this sticker whose expiry is at most `last_issued`. Of two entries the
    /// later counts.
    pub fn deny(&mut self, user: &UserId, sticker: StickerId, last_issued: Expiry) {
        let until = self.pairs.entry(self.key.fingerprint(user.as_bytes(), sticker)).or_insert(last_issued);
        *until = last_issued.max(*until);
    }

    /// The same for every user, as when a sticker is taken down.
    pub fn deny_everybody(&mut self, sticker: StickerId, last_issued: Expiry) {
        let until = self.everybody.entry(sticker).or_insert(last_issued);
        *until = last_issued.max(*until);
    }

    /// Enters what an entry of the deny feed says.
    pub fn apply(&mut self, revocation: &Revocation) {
        self.enter(revocation.user.as_ref(), &revocation.stickers, revocation.refuse_until);
    }

    /// A part of an entry: `None` is every user.
    pub(super) fn enter(&mut self, user: Option<&UserId>, stickers: &[StickerId], refuse_until: Expiry) {
        for &sticker in stickers {
            match user {
                Some(user) => self.deny(user, sticker, refuse_until),
                None => self.deny_everybody(sticker, refuse_until),
            }
        }
    }

    /// Whether a token of this user for this sticker with this expiry was issued before the right was taken back.
    #[inline]
    pub fn refuses(&self, user: &[u8], sticker: StickerId, expires: Expiry) -> bool {
        let until = |until: &Expiry| expires <= *until;
        (!self.everybody.is_empty() && self.everybody.get(&sticker).is_some_and(until))
            || (!self.pairs.is_empty()
                && self.pairs.get(&self.key.fingerprint(user, sticker)).is_some_and(until))
    }

    /// Drops the entries whose tokens have all expired anyway, and gives their memory back where much of it is unused.
    pub fn forget_expired(&mut self, now: UnixSeconds) {
        self.pairs.retain(|_, until| !until.has_passed(now));
        self.everybody.retain(|_, until| !until.has_passed(now));
        if self.pairs.len() < self.pairs.capacity() / 8 {
            self.pairs.shrink_to(self.pairs.len() * 2);
        }
        if self.everybody.len() < self.everybody.capacity() / 8 {
            self.everybody.shrink_to(self.everybody.len() * 2);
        }
    }

    /// Number of (sticker, user) pairs, and of stickers that are denied to everybody.
    pub fn len(&self) -> usize {
        self.pairs.len() + self.everybody.len()
    }

    /// Whether nothing is denied.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.everybody.is_empty()
    }
}

/// In words of four bytes, so that entry and moment lie together without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint([u32; 4]);

trait Fingerprints {
    fn fingerprint(&self, user: &[u8], sticker: StickerId) -> Fingerprint;
}

impl Fingerprints for RandomState {
    /// Two halves from one keyed hash (the standard library's `SipHash`) of two different texts: the last byte says which half.
    /// The sticker comes first with its fixed length, so that two pairs never make one text.
    #[inline]
    fn fingerprint(&self, user: &[u8], sticker: StickerId) -> Fingerprint {
        let mut first = self.build_hasher();
        first.write_u64(sticker.get());
        first.write(user);
        let mut second = first.clone();
        first.write_u8(1);
        second.write_u8(2);
        let (first, second) = (first.finish(), second.finish());
        let [a, b, c, d] = [first, first >> 32, second, second >> 32].map(|half| half & u64::from(u32::MAX));
        let word = |word: u64| u32::try_from(word).unwrap_or_default();
        Fingerprint([word(a), word(b), word(c), word(d)])
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self([low, high, ..]) = self;
        state.write_u64(u64::from(*high) << 32 | u64::from(*low));
    }
}

/// The hash of a fingerprint is its beginning: it is a keyed hash already.
#[derive(Clone, Copy, Debug, Default)]
struct FirstWords(u64);

impl Hasher for FirstWords {
    fn write(&mut self, bytes: &[u8]) {
        // Fingerprints write one u64 and nothing comes this way; whatever did would still count.
        self.0 = bytes.iter().fold(self.0, |sum, &byte| sum.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::from_text(&format!("user {id}")).unwrap()
    }

    fn sticker(id: u64) -> StickerId {
        StickerId::new(id).unwrap()
    }

    #[test]
    fn an_entry_takes_twenty_bytes_whatever_the_user_id() {
        assert_eq!(size_of::<(Fingerprint, Expiry)>(), 20);
    }

    #[test]
    fn the_later_of_two_entries_counts_in_whatever_order_they_come() {
        for moments in [[10, 20], [20, 10]] {
            let mut denied = DenyList::new();
            for until in moments {
                denied.deny(&user(1), sticker(1), Expiry(until));
                denied.deny_everybody(sticker(2), Expiry(until));
            }
            for id in [1, 2] {
                assert!(denied.refuses(user(1).as_bytes(), sticker(id), Expiry(20)));
                assert!(!denied.refuses(user(1).as_bytes(), sticker(id), Expiry(21)));
            }
            assert_eq!(denied.len(), 2);
        }
    }

    #[test]
    fn of_many_entries_each_is_found_and_nothing_else() {
        let mut denied = DenyList::new();
        for id in 1..=5_000 {
            denied.deny(&user(id), sticker(id), Expiry(100));
        }
        assert_eq!(denied.len(), 5_000);
        for id in 1..=5_000 {
            let user = user(id);
            assert!(denied.refuses(user.as_bytes(), sticker(id), Expiry(100)));
            assert!(!denied.refuses(user.as_bytes(), sticker(id), Expiry(101)));
            assert!(!denied.refuses(user.as_bytes(), sticker(id + 1), Expiry(100)));
        }
    }

    #[test]
    fn digits_of_the_sticker_never_count_as_the_users() {
        let mut denied = DenyList::new();
        denied.deny(&UserId::new(&[0, 5]).unwrap(), sticker(1), Expiry(100));
        assert!(!denied.refuses(&[5], sticker(1 << 8), Expiry(1)));
        assert!(!denied.refuses(&[0, 5, 1], sticker(1), Expiry(1)));
        assert!(!denied.refuses(&[0, 5, 2], sticker(1), Expiry(1)));
        assert!(!denied.refuses(&[5], sticker(1), Expiry(1)));
    }

    #[test]
    fn entries_end_at_their_second_and_their_memory_comes_back() {
        let mut denied = DenyList::new();
        for id in 1..=1_000 {
            denied.deny(&user(id), sticker(1), Expiry(if id == 1 { 200 } else { 100 }));
            denied.deny_everybody(sticker(id), Expiry(if id == 1 { 200 } else { 100 }));
        }
        let before = denied.pairs.capacity();
        denied.forget_expired(UnixSeconds(99));
        assert_eq!((denied.len(), denied.pairs.capacity()), (2_000, before));
        denied.forget_expired(UnixSeconds(100));
        assert_eq!(denied.len(), 2);
        assert!(denied.pairs.capacity() < 100 && denied.everybody.capacity() < 100);
        assert!(denied.refuses(user(1).as_bytes(), sticker(1), Expiry(200)));
        denied.forget_expired(UnixSeconds(200));
        assert!(denied.is_empty());
    }
}
