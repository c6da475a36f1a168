//! The pairs of sticker and user that are denied, by fingerprint.

use std::collections::HashMap;

use super::filter::Filter;
use super::fingerprint::{Fingerprint, HalfFingerprint, HashOfFingerprint};
use crate::{Expiry, UnixSeconds};

/// A filter, and behind it tables. Several tables, because one that grows has its old and its new memory for a while:
/// they take turns at that.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    filter: Filter,
    tables: [Table; TABLES],
}

type Table = HashMap<Fingerprint, Expiry, HashOfFingerprint>;

const TABLES: usize = 16;

impl Pairs {
    /// Of two moments for one pair the later counts.
    pub(super) fn enter(&mut self, pair: HalfFingerprint, last_issued: Expiry) {
        let first = pair.first();
        let Some(table) = self.tables.get_mut(table_of(first)) else { return };
        let before = table.len();
        let until = table.entry(pair.complete()).or_insert(last_issued);
        *until = last_issued.max(*until);
        if table.len() == before {
            return;
        }
        if self.filter.is_full() {
            self.make_filter();
        } else {
            self.filter.add(first);
        }
    }

    #[inline]
    pub(super) fn until(&self, pair: HalfFingerprint) -> Option<Expiry> {
        if self.filter.may_have(pair.first()) { self.look_up(pair) } else { None }
    }

    /// Apart, so that the usual way is short.
    #[cold]
    #[inline(never)]
    fn look_up(&self, pair: HalfFingerprint) -> Option<Expiry> {
        let table = self.tables.get(table_of(pair.first()))?;
        table.get(&pair.complete()).copied()
    }

    pub(super) fn forget_expired(&mut self, now: UnixSeconds) {
        for table in &mut self.tables {
            table.retain(|_, until| !until.has_passed(now));
            if table.len() < table.capacity() / 8 {
                table.shrink_to(table.len() * 2);
            }
        }
        // What is gone still has its bits; while that is less than half, making the filter anew would cost more than it saves.
        if self.filter.added() > self.len() * 2 {
            self.make_filter();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        // Where the last pair was forgotten the filter was made anew.
        self.filter.is_empty()
    }

    /// Makes the filter anew with room for a quarter more, so that a new pair costs the same few additions on average however many there are.
    fn make_filter(&mut self) {
        // The old one goes first: both at once are never needed.
        self.filter = Filter::default();
        let pairs = self.len();
        if pairs > 0 {
            self.filter = Filter::with_room_for(pairs + pairs / 4 + 64);
        }
        let fingerprints = self.tables.iter().flat_map(Table::keys);
        fingerprints.for_each(|fingerprint| self.filter.add(fingerprint.first()));
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.tables.iter().map(Table::capacity).sum()
    }
}

/// By bits of which neither the filter nor a table makes use, so that pairs lie evenly in all of them.
#[inline]
fn table_of(first: u64) -> usize {
    usize::try_from(first >> 36).unwrap_or_default() % TABLES
}
