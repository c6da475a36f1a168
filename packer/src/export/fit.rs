//! The best of several files that is not too large, and how it looks.

use rayon::prelude::*;

use crate::error::Error;
use crate::picture::Picture;
use crate::score::Reference;

/// The file of the first of `levels` that has at most `max_bytes`, or of the last where none has. Level 0 is the best, and files get
/// smaller from each to the next.
pub(super) fn first_that_fits(
    levels: usize,
    max_bytes: u64,
    mut code: impl FnMut(usize) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let fits = |file: &Vec<u8>| file.len() as u64 <= max_bytes;
    let mut found = code(0)?;
    if fits(&found) {
        return Ok(found);
    }
    // Every level below `low` is too large; that at `high` fits, as far as it was made.
    let (mut low, mut high) = (1, levels);
    while low < high {
        let middle = low.midpoint(high);
        let file = code(middle)?;
        if fits(&file) {
            high = middle;
            found = file;
        } else {
            low = middle + 1;
            if !fits(&found) {
                found = file;
            }
        }
    }
    Ok(found)
}

/// The lowest score of a few of the pictures, spread over all of them; 100 where nothing was lost.
pub(super) fn score(expected: &[Picture], shown: &[Picture]) -> Result<f64, Error> {
    if expected.len() != shown.len() {
        let message = format!("{} frames were written and {} can be read", expected.len(), shown.len());
        return Err(Error::internal(std::io::Error::other(message)));
    }
    if expected == shown {
        return Ok(100.0);
    }
    let step = expected.len().div_ceil(SCORED_FRAMES).max(1);
    let pairs: Vec<_> = expected.iter().zip(shown).step_by(step).collect();
    let scores = pairs.into_par_iter().map(|(expected, shown)| Reference::new(expected)?.score(shown));
    Ok(scores.collect::<Result<Vec<_>, Error>>()?.into_iter().fold(100.0, f64::min))
}

/// Frames of an animation that are scored: enough to meet what moves, few enough to wait for.
pub(super) const SCORED_FRAMES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_level_that_fits_is_found_in_few_steps() {
        for (levels, fitting) in (1..40_usize).flat_map(|levels| (0..=levels).map(move |it| (levels, it))) {
            let mut tries = 0;
            // The files of the first `fitting` levels are too large.
            let file = first_that_fits(levels, 100, |level| {
                tries += 1;
                Ok(vec![0; if level < fitting { 200 - level } else { 100 - level }])
            });
            let expected = if fitting < levels { 100 - fitting } else { 200 - (levels - 1) };
            assert_eq!(file.unwrap().len(), expected, "{fitting} of {levels}");
            assert!(tries <= 7, "{tries} of {levels}");
        }
    }

    #[test]
    fn the_same_pictures_score_a_hundred_and_others_what_the_worst_does() {
        let of = |value: u8| Picture { width: 64, height: 64, rgba: [value, 90, 30, 255].repeat(64 * 64) };
        let frames = [of(10), of(20)];
        assert_eq!(score(&frames, &frames.clone()).unwrap().to_bits(), 100.0_f64.to_bits());
        assert!(score(&frames, &[of(10), of(220)]).unwrap() < 60.0);
        assert!(score(&frames, &frames[..1]).is_err());
    }
}
