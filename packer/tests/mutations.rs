//! Files that were good and had a few bytes changed: each is read or refused, and none brings the packer down. The changes are the
//! same in every run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what tests share stops them where it cannot go on"
)]

use std::panic::catch_unwind;

use sticker_packer::fuzzing;

/// Changes of each file. The fuzz targets in `packer/fuzz` make more.
const CHANGES: u64 = 400;

/// Vigna's `SplitMix64`.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// One to four changes: a bit, a byte, a number at its limit, a cut, a part that is there twice.
fn changed(file: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(file.len());
        let Some(rest) = file.get_mut(at..).filter(|rest| !rest.is_empty()) else { continue };
        match numbers.below(6) {
            0 => rest[0] ^= 1 << numbers.below(8),
            1 => rest[0] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            2 => rest.iter_mut().take(4).for_each(|byte| *byte = 0xff),
            3 => rest.iter_mut().take(3).for_each(|byte| *byte = 0),
            4 => file.truncate(at),
            _ => {
                let part = rest[..rest.len().min(24)].to_vec();
                file.splice(at..at, part);
            }
        }
    }
    file
}

fn survives(name: &str, seeds: &[Vec<u8>], read: impl Fn(&[u8]) -> bool + std::panic::RefUnwindSafe) {
    let mut good = 0;
    for (number, seed) in seeds.iter().enumerate() {
        assert!(read(seed), "{name} {number} is good as it is");
        let mut numbers = Numbers(u64::try_from(number).unwrap());
        for change in 0..CHANGES {
            let file = changed(seed, &mut numbers);
            let read = catch_unwind(|| read(&file));
            good += usize::from(
                read.unwrap_or_else(|_| panic!("{name} {number}, change {change}: {}", file.escape_ascii())),
            );
        }
    }
    // Changes that leave nothing readable would look at the first check alone.
    assert!(good > 0, "no changed {name} was read");
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn changed_pictures_are_read_or_refused() {
    survives("picture", &corpus("artwork"), |file| fuzzing::artwork(file, 32).is_ok());
}

#[test]
fn changed_drawings_are_read_or_refused() {
    survives("drawing", &corpus("svg"), |file| fuzzing::artwork(file, 32).is_ok());
}

#[test]
fn changed_projects_are_read_or_refused() {
    survives("project", &corpus("project"), |file| {
        std::str::from_utf8(file).is_ok_and(|text| fuzzing::project(text).is_some())
    });
}
