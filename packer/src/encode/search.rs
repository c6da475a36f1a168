//! The smallest file that still reaches a score: lossy, near-lossless or lossless, at the quality that is just enough.

use std::collections::HashSet;

use rayon::prelude::*;

use super::webp::{self, Lossy};
use super::{Coded, Effort, Quality};
use crate::error::Error;
use crate::picture::{self, Picture};
use crate::score::Reference;
use sticker_protocol::ImageFormat;

/// How WebP pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// The lossy coder at this quality; lossless where the picture has so few colours that this is smaller.
    Lossy(f32),
    /// The lossless coder on colours of which low bits may change: libwebp's level, 100 for none.
    Near(u8),
}

/// Without a search.
pub(crate) fn fixed(quality: Quality) -> Choice {
    if quality == Quality::Lossless { Choice::Near(100) } else { Choice::Lossy(quality.usual()) }
}

/// A picture that may be coded several times.
pub(crate) struct Subject<'a> {
    picture: &'a Picture,
    effort: Effort,
    lossy: Option<Lossy>,
    reference: Option<Reference>,
    /// Coded without loss, where the picture has few colours.
    flat: Flat,
    /// What was scored already.
    scored: Vec<(Choice, Coded)>,
}

/// Whether a picture has few colours, and what it comes to without loss then.
enum Flat {
    Unknown,
    No,
    Yes(Vec<u8>),
}

impl<'a> Subject<'a> {
    pub(crate) fn new(picture: &'a Picture, effort: Effort) -> Self {
        Self { picture, effort, lossy: None, reference: None, flat: Flat::Unknown, scored: Vec::new() }
    }

    /// Codes without looking at the result.
    pub(crate) fn code(&mut self, choice: Choice) -> Result<Coded, Error> {
        let (file, lossless) = match choice {
            Choice::Near(level) => {
                (webp::lossless(self.picture, level, self.effort.lossless_method())?, level == 100)
            }
            Choice::Lossy(quality) => {
                let file = self.lossy(quality)?;
                match self.flat()? {
                    Some(flat) if flat.len() <= file.len() => (flat.clone(), true),
                    _ => (file, false),
                }
            }
        };
        Ok(Coded { file, score: lossless.then_some(100.0) })
    }

    /// Codes and scores; stops scoring at the first ground on which it is below `target`.
    pub(crate) fn scored(&mut self, choice: Choice, target: f64) -> Result<Coded, Error> {
        if let Some((_, coded)) = self.scored.iter().find(|(tried, _)| *tried == choice) {
            return Ok(coded.clone());
        }
        let coded = self.code(choice)?;
        let score = if coded.score.is_some() { coded.score } else { Some(self.score(&coded.file, target)?) };
        let coded = Coded { score, ..coded };
        self.scored.push((choice, coded.clone()));
        Ok(coded)
    }

    /// Codes as was right for the samples, and looks closer where the error is beyond `usual`: then the quality rises until it is
    /// enough. Errors as [`Self::error_of`] gives them.
    pub(crate) fn enough(&mut self, choice: Choice, target: f64, usual: f64) -> Result<Coded, Error> {
        if let Some((_, coded)) = self.scored.iter().find(|(tried, _)| *tried == choice) {
            return Ok(coded.clone());
        }
        let coded = self.code(choice)?;
        if coded.score.is_some() || self.error_of(&coded.file)? <= usual {
            return Ok(coded);
        }
        let mut next = choice;
        for _ in 0..MORE_TRIES {
            let coded = self.scored(next, target)?;
            if coded.score.is_some_and(|score| score >= target) {
                return Ok(coded);
            }
            next = match next {
                Choice::Lossy(quality) if quality < 95.0 => Choice::Lossy(quality + 5.0),
                _ => Choice::Near(100),
            };
        }
        self.code(Choice::Near(100))
    }

    /// The mean square error of visible colour: cheap, and comparable among the frames of one sticker.
    pub(crate) fn error_of(&self, file: &[u8]) -> Result<f64, Error> {
        let decoded = picture::decode(file, ImageFormat::WebP).map_err(Error::internal)?;
        let pairs = self.picture.rgba.as_chunks::<4>().0.iter().zip(decoded.rgba.as_chunks::<4>().0);
        let (mut sum, mut weight) = (0_u64, 1_u64);
        for (&[red, green, blue, alpha], &[r, g, b, _]) in pairs {
            let square = |one: u8, other: u8| u64::from(one.abs_diff(other)).pow(2);
            sum += (square(red, r) + square(green, g) + square(blue, b)) * u64::from(alpha);
            weight += u64::from(alpha);
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio of sums far below 2^52")]
        Ok(sum as f64 / weight as f64)
    }

    fn score(&mut self, file: &[u8], target: f64) -> Result<f64, Error> {
        let decoded = picture::decode(file, ImageFormat::WebP).map_err(Error::internal)?;
        if self.reference.is_none() {
            self.reference = Some(Reference::new(self.picture)?);
        }
        let mut lowest = 100.0_f64;
        for ground in 0..self.reference.as_ref().map_or(0, Reference::grounds) {
            let Some(reference) = &self.reference else { break };
            lowest = lowest.min(reference.score_on(ground, &decoded)?);
            if lowest < target {
                break;
            }
        }
        Ok(lowest)
    }

    fn lossy(&mut self, quality: f32) -> Result<Vec<u8>, Error> {
        if self.lossy.is_none() {
            let sharp = self.effort != Effort::Fast;
            self.lossy = Some(Lossy::new(self.picture, sharp, self.effort.lossy_method())?);
        }
        self.lossy.as_mut().map_or_else(|| Ok(Vec::new()), |lossy| lossy.encode(quality))
    }

    fn flat(&mut self) -> Result<Option<&Vec<u8>>, Error> {
        if matches!(self.flat, Flat::Unknown) {
            self.flat = if is_flat(self.picture) {
                Flat::Yes(webp::lossless(self.picture, 100, self.effort.lossless_method())?)
            } else {
                Flat::No
            };
        }
        Ok(if let Flat::Yes(file) = &self.flat { Some(file) } else { None })
    }
}

/// At most one colour for 64 pixels. Of 350 pictures that were measured (gradients, flat art, photos, at four densities), lossless
/// was smaller for those with up to one in 300; above one in 64 it took at least half as much again as lossy.
fn is_flat(picture: &Picture) -> bool {
    let most = picture.rgba.len() / 4 / 64;
    let mut colours: HashSet<[u8; 4]> = HashSet::with_capacity(most.min(1 << 12));
    picture.rgba.as_chunks::<4>().0.chunk_by(|one, next| one == next).all(|run| {
        colours.extend(run.first());
        colours.len() <= most
    })
}

/// What one way of coding came to, over all pictures of a search.
#[derive(Clone, Copy)]
struct Tried {
    bytes: usize,
    score: f64,
}

/// The choice with the fewest bytes that reaches the quality on every one of `subjects`, the pictures that stand for a sticker at one
/// density. `hint` is what was right for another density of it.
pub(crate) fn choose(
    subjects: &mut [Subject<'_>],
    quality: Quality,
    hint: Option<Choice>,
) -> Result<Choice, Error> {
    let Some(target) = quality.target() else { return Ok(Choice::Near(100)) };
    let close = subjects.first().is_some_and(|subject| subject.effort == Effort::Max);
    let (mut lossy, mut near) = (None, None);
    if close || !matches!(hint, Some(Choice::Near(_))) {
        let start = match hint {
            Some(Choice::Lossy(quality)) => quality,
            _ => quality.usual(),
        };
        lossy = search_lossy(subjects, target, start, if hint.is_some() && !close { 3 } else { 6 })?;
    }
    if close || lossy.is_none() || !matches!(hint, Some(Choice::Lossy(_))) {
        let beat = lossy.map(|(_, tried): (f32, Tried)| tried.bytes);
        let start = match hint {
            Some(Choice::Near(level)) => level,
            _ => 40,
        };
        near = search_near(subjects, target, start, beat)?;
    }
    Ok(match (lossy, near) {
        (Some((quality, lossy)), Some((_, near))) if lossy.bytes <= near.bytes => Choice::Lossy(quality),
        (_, Some((level, _))) => Choice::Near(level),
        (Some((quality, _)), None) => Choice::Lossy(quality),
        (None, None) => Choice::Near(100),
    })
}

fn attempt(subjects: &mut [Subject<'_>], choice: Choice, target: f64) -> Result<Tried, Error> {
    let coded = subjects.par_iter_mut().map(|subject| subject.scored(choice, target));
    let coded = coded.collect::<Result<Vec<_>, Error>>()?;
    Ok(Tried {
        bytes: coded.iter().map(|it| it.file.len()).sum(),
        score: coded.iter().filter_map(|it| it.score).fold(100.0, f64::min),
    })
}

/// The lowest quality of the lossy coder that is known to be enough; at most `tries` are made. `None` where even the highest is not.
fn search_lossy(
    subjects: &mut [Subject<'_>],
    target: f64,
    start: f32,
    tries: usize,
) -> Result<Option<(f32, Tried)>, Error> {
    let (mut fails, mut fails_by) = (LOWEST - 1.0, 0.0);
    let mut enough: Option<(f32, Tried)> = None;
    let mut quality = start.clamp(LOWEST, 100.0).round();
    for _ in 0..tries {
        let tried = attempt(subjects, Choice::Lossy(quality), target)?;
        #[expect(clippy::cast_possible_truncation, reason = "a score is between minus some hundreds and 100")]
        let over = (tried.score - target) as f32;
        if over >= 0.0 {
            enough = Some((quality, tried));
        } else {
            (fails, fails_by) = (quality, -over);
        }
        let highest = enough.map_or(101.0, |(quality, _)| quality);
        if highest - fails <= 1.0 || (0.0..CLOSE_ENOUGH).contains(&over) || tried.score >= 100.0 {
            break;
        }
        // Where the score's usual slope leads, but inside of what is known, and never creeping along its edge.
        let step = if over >= 0.0 { -(over * 0.9 / SLOPE).max(1.0) } else { (fails_by / SLOPE).max(2.0) };
        let guess = (quality + step).round();
        quality = guess.clamp((fails + 1.0).min(100.0), (highest - 1.0).max(fails + 1.0).min(100.0));
    }
    // A search that ended below is finished from above, once; beyond that the lossless coders are better.
    if enough.is_none() && fails < 100.0 {
        let quality = (fails + (fails_by / SLOPE).max(2.0) * 1.5).min(100.0).round();
        let tried = attempt(subjects, Choice::Lossy(quality), target)?;
        enough = (tried.score >= target).then_some((quality, tried));
    }
    Ok(enough)
}

/// The near-lossless level with the fewest bytes that is enough; lossless always is. `beat` are the bytes of another way, which this
/// one must have a chance against.
fn search_near(
    subjects: &mut [Subject<'_>],
    target: f64,
    start: u8,
    beat: Option<usize>,
) -> Result<Option<(u8, Tried)>, Error> {
    let mut best: Option<(u8, Tried)> = None;
    let mut at = LEVELS.iter().position(|&level| level >= start).unwrap_or(2);
    let mut last_enough = None;
    loop {
        let Some(&level) = LEVELS.get(at) else { return Ok(best) };
        let tried = attempt(subjects, Choice::Near(level), target)?;
        let is_enough = tried.score >= target;
        if is_enough && best.is_none_or(|(_, best)| tried.bytes < best.bytes) {
            best = Some((level, tried));
        }
        // Levels differ by less than this: what is far behind stays behind.
        if beat.is_some_and(|bytes| tried.bytes > bytes + bytes / 2) {
            return Ok(best);
        }
        match (is_enough, last_enough) {
            (true, None | Some(true)) if at > 0 => at -= 1,
            (false, None | Some(false)) => at += 1,
            _ => return Ok(best),
        }
        last_enough = Some(is_enough);
    }
}

/// From the most loss to none.
const LEVELS: [u8; 6] = [0, 20, 40, 60, 80, 100];
/// Below this the lossy coder makes pictures that no target allows.
const LOWEST: f32 = 10.0;
/// Points of the score for one step of quality, around the targets; the search corrects it as it goes.
const SLOPE: f32 = 0.45;
/// How often a frame that came out worse than the samples is tried at a higher quality.
const MORE_TRIES: usize = 4;
/// Points above the target that are not worth another try.
const CLOSE_ENOUGH: f32 = 0.8;
