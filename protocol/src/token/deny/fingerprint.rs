//! What stands for a pair of sticker and user.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash, Hasher, RandomState};

use crate::StickerId;

/// The 128 bits of a pair, in words of four bytes, so that fingerprint and moment lie together without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u32; 4]);

/// A pair on its way to its fingerprint: the first half is there, the second costs a hash again.
pub(super) struct HalfFingerprint {
    /// Of the pair, which nothing has ended yet.
    hasher: DefaultHasher,
    first: u64,
}

/// The hash of a fingerprint is its first half: it is a keyed hash already.
pub(super) type HashOfFingerprint = BuildHasherDefault<FirstHalf>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstHalf(u64);

impl HalfFingerprint {
    /// The standard library's keyed `SipHash` of the pair. The sticker comes first with its fixed length, so that two pairs never
    /// make one text.
    #[inline]
    pub(super) fn new(key: &RandomState, user: &[u8], sticker: StickerId) -> Self {
        let mut hasher = key.build_hasher();
        hasher.write_u64(sticker.get());
        hasher.write(user);
        let first = hasher.finish();
        Self { hasher, first }
    }

    #[inline]
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// With the second half: the hash of the same text and one byte more. One pair's longer text may be another's shorter one, but never
    /// are both texts of two pairs the same, and two pairs that meet need both hashes to agree.
    #[inline]
    pub(super) fn complete(self) -> Fingerprint {
        let Self { mut hasher, first } = self;
        hasher.write_u8(0);
        let second = hasher.finish();
        let [a, b, c, d] = [first, first >> 32, second, second >> 32].map(|half| half & u64::from(u32::MAX));
        let word = |word: u64| u32::try_from(word).unwrap_or_default();
        Fingerprint([word(a), word(b), word(c), word(d)])
    }
}

impl Fingerprint {
    pub(super) fn first(self) -> u64 {
        let Self([low, high, ..]) = self;
        u64::from(high) << 32 | u64::from(low)
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.first());
    }
}

impl Hasher for FirstHalf {
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
