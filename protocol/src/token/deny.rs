//! Rights that were taken back while tokens for them may still live.

mod filter;
mod fingerprint;
mod pairs;

use std::collections::HashMap;
use std::hash::RandomState;

use self::fingerprint::HalfFingerprint;
use self::pairs::Pairs;
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
    pairs: Pairs,
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
        self.pairs.enter(HalfFingerprint::new(&self.key, user.as_bytes(), sticker), last_issued);
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
        let covers = |until: Expiry| expires <= until;
        (!self.everybody.is_empty() && self.everybody.get(&sticker).copied().is_some_and(covers))
            || (!self.pairs.is_empty()
                && self.pairs.until(HalfFingerprint::new(&self.key, user, sticker)).is_some_and(covers))
    }

    /// Drops the entries whose tokens have all expired anyway, and gives their memory back where much of it is unused.
    pub fn forget_expired(&mut self, now: UnixSeconds) {
        self.pairs.forget_expired(now);
        self.everybody.retain(|_, until| !until.has_passed(now));
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
        assert_eq!(size_of::<(fingerprint::Fingerprint, Expiry)>(), 20);
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

    #[test]
    fn a_filter_that_grows_shrinks_and_goes_stale_never_hides_an_entry() {
        let mut denied = DenyList::new();
        for round in 0..5 {
            for id in 1..=2_000 {
                denied.deny(&user(id), sticker(round + 1), Expiry(100 + u32::try_from(round).unwrap()));
            }
            // All but the last round's go, at first too few to make the filter anew and then far more than enough.
            denied.forget_expired(UnixSeconds(99 + round));
            assert_eq!(denied.len(), 2_000);
            for id in 1..=2_000 {
                assert!(denied.refuses(user(id).as_bytes(), sticker(round + 1), Expiry(100)));
            }
        }
    }

    #[test]
    fn whatever_is_denied_and_forgotten_in_whatever_order_it_answers_as_a_plain_map() {
        for seed in 0..24 {
            let mut random = Random(seed);
            // Few pairs meet again and again, many make the filter grow; moments near each other make it shrink.
            let (users, stickers) = (1 + random.below(1 << (seed % 12)), 1 + random.below(20));
            let (mut denied, mut plain, mut now) = (DenyList::new(), Plain::default(), 0);
            for _ in 0..6_000 {
                let pair = (random.below(users), 1 + random.below(stickers));
                let until = u32::try_from(now + random.below(3_000)).unwrap();
                match random.below(1_000) {
                    0..500 => {
                        denied.deny(&user(pair.0), sticker(pair.1), Expiry(until));
                        plain.deny((Some(pair.0), pair.1), until);
                    }
                    500..502 => {
                        denied.deny_everybody(sticker(pair.1), Expiry(until));
                        plain.deny((None, pair.1), until);
                    }
                    502..505 => {
                        now += random.below(1_500);
                        denied.forget_expired(UnixSeconds(now));
                        plain.0.retain(|_, until| u64::from(*until) > now);
                    }
                    _ => assert_eq!(
                        denied.refuses(user(pair.0).as_bytes(), sticker(pair.1), Expiry(until)),
                        plain.refuses(pair, until),
                        "seed {seed}"
                    ),
                }
                assert_eq!((denied.len(), denied.is_empty()), (plain.0.len(), plain.0.is_empty()));
            }
            for pair in (0..users).flat_map(|user| (1..=stickers).map(move |sticker| (user, sticker))) {
                for until in [0, 3_000, u32::try_from(now).unwrap() + 1_500] {
                    let refused = denied.refuses(user(pair.0).as_bytes(), sticker(pair.1), Expiry(until));
                    assert_eq!(refused, plain.refuses(pair, until), "seed {seed}");
                }
            }
        }
    }

    /// The same without fingerprints, filter and tables: a user, or everybody, and a sticker.
    #[derive(Default)]
    struct Plain(HashMap<(Option<u64>, u64), u32>);

    impl Plain {
        fn deny(&mut self, pair: (Option<u64>, u64), until: u32) {
            let entry = self.0.entry(pair).or_insert(until);
            *entry = until.max(*entry);
        }

        fn refuses(&self, (user, sticker): (u64, u64), expires: u32) -> bool {
            let covers = |user| self.0.get(&(user, sticker)).is_some_and(|until| expires <= *until);
            covers(Some(user)) || covers(None)
        }
    }

    /// `SplitMix64`: the same sequence in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ mixed >> 31) % end
        }
    }
}
