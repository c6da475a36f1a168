//! A small table that knows of nearly every pair which is not in a list that it is not.

/// A Bloom filter in words of 64 bits. A hash sets up to three bits of one word, so that asking touches one cache line of a table
/// that the second-level cache has room for, where the entries themselves have none. It never misses what was added.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    words: Vec<u64>,
    /// Hashes that were added, those among them whose entries are gone again.
    added: usize,
}

impl Filter {
    /// An empty filter for that many hashes; with more it says yes more often.
    pub(super) fn with_room_for(hashes: usize) -> Self {
        Self { words: vec![0; hashes.div_ceil(HASHES_A_WORD)], added: 0 }
    }

    /// Whether nothing was ever added.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.added == 0
    }

    pub(super) const fn is_full(&self) -> bool {
        self.added >= self.words.len() * HASHES_A_WORD
    }

    /// How many hashes were added since it was made.
    pub(super) const fn added(&self) -> usize {
        self.added
    }

    pub(super) fn add(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(word) = self.words.get_mut(place) {
            *word |= bits(hash);
            self.added += 1;
        }
    }

    /// Yes for each hash that was added, and for about one in a hundred others.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words.get(self.place(hash)).is_some_and(|word| word & bits == bits)
    }

    /// The upper bits of the hash choose the word: as evenly as a remainder, without dividing.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        let words = u128::try_from(self.words.len()).unwrap_or_default();
        usize::try_from((u128::from(hash) * words) >> 64).unwrap_or_default()
    }
}

/// 16 bits a hash where the filter is full.
const HASHES_A_WORD: usize = 4;

/// Its lowest 18 bits choose the bits of the word.
#[inline]
const fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63)
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use super::*;

    #[test]
    fn a_full_filter_has_what_was_added_and_little_else() {
        let key = RandomState::new();
        let mut filter = Filter::with_room_for(10_000);
        assert!(filter.is_empty() && !filter.is_full());
        (0..10_000).for_each(|number| filter.add(key.hash_one(number)));
        assert!(filter.is_full() && filter.added() == 10_000);
        assert!((0..10_000).all(|number| filter.may_have(key.hash_one(number))));
        let wrong = (10_000..110_000).filter(|number| filter.may_have(key.hash_one(number))).count();
        assert!(wrong < 2_000, "{wrong} of 100,000");
    }

    #[test]
    fn a_filter_without_room_has_nothing() {
        let mut filter = Filter::default();
        filter.add(5);
        assert!(filter.is_empty() && filter.is_full() && !filter.may_have(5));
    }
}
