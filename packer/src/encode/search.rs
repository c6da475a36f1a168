//! The smallest file that still reaches a score: lossy, near-lossless or lossless, at the quality that is just enough.

use rayon::prelude::*;

use super::subject::{Choice, FEW_ALPHA, LESS_ALPHA, Subject, is_soft};
use super::{Effort, Quality};
use crate::error::Error;

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
        lossy = lossy_with_alpha(subjects, target, quality.usual(), hint, close)?;
    }
    if close || lossy.is_none() || !matches!(hint, Some(Choice::Lossy(..))) {
        let beat = lossy.map(|(_, tried): (Choice, Tried)| tried.bytes);
        let start = match hint {
            Some(Choice::Near(level)) => level,
            _ => 40,
        };
        near = search_near(subjects, target, start, beat)?;
    }
    Ok(match (lossy, near) {
        (Some((lossy, tried)), Some((_, near))) if tried.bytes <= near.bytes => lossy,
        (_, Some((level, _))) => Choice::Near(level),
        (Some((lossy, _)), None) => lossy,
        (None, None) => Choice::Near(100),
    })
}

/// The lossy coder's best way: at an alpha that has a few levels less, and then at one of as few as edges need where nothing in the
/// pictures is softer than an edge.
fn lossy_with_alpha(
    subjects: &mut [Subject<'_>],
    target: f64,
    usual: f32,
    hint: Option<Choice>,
    close: bool,
) -> Result<Option<(Choice, Tried)>, Error> {
    let (start, known) = match hint {
        Some(Choice::Lossy(quality, alpha)) => (quality, Some(alpha)),
        _ => (usual, None),
    };
    let tries = if known.is_some() && !close { 3 } else { 6 };
    let found = search_lossy(subjects, target, (start, known.unwrap_or(SOME_ALPHA)), tries)?;
    let found = match found {
        // Fewer levels of alpha were too few.
        None if known != Some(100) => search_lossy(subjects, target, (start, 100), tries)?,
        found => found,
    };
    let Some((Choice::Lossy(quality, SOME_ALPHA), _)) = found else { return Ok(found) };
    if known.is_some() && !close {
        return Ok(found);
    }
    let (mut best, mut quality) = (found, quality);
    for alpha in [LESS_ALPHA, FEW_ALPHA] {
        if alpha == FEW_ALPHA && subjects.iter().any(|subject| is_soft(subject.picture)) {
            break;
        }
        let Some((choice, tried)) = as_good(subjects, target, (quality, alpha))? else { break };
        if let Choice::Lossy(needed, _) = choice {
            quality = needed;
        }
        if best.is_none_or(|(_, best)| tried.bytes < best.bytes) {
            best = Some((choice, tried));
        }
    }
    Ok(best)
}

/// With fewer levels of alpha: what the edges lose, the colours may have to make good.
fn as_good(
    subjects: &mut [Subject<'_>],
    target: f64,
    (quality, alpha): (f32, u8),
) -> Result<Option<(Choice, Tried)>, Error> {
    for more in [0.0, 2.0, 4.0] {
        let choice = Choice::Lossy((quality + more).min(100.0), alpha);
        let tried = attempt(subjects, choice, target)?;
        if tried.score >= target {
            return Ok(Some((choice, tried)));
        }
    }
    Ok(None)
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
    (start, alpha): (f32, u8),
    tries: usize,
) -> Result<Option<(Choice, Tried)>, Error> {
    let (mut fails, mut fails_by) = (LOWEST - 1.0, 0.0);
    let mut enough: Option<(f32, Tried)> = None;
    let mut quality = start.clamp(LOWEST, 100.0).round();
    for _ in 0..tries {
        let tried = attempt(subjects, Choice::Lossy(quality, alpha), target)?;
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
        let tried = attempt(subjects, Choice::Lossy(quality, alpha), target)?;
        enough = (tried.score >= target).then_some((quality, tried));
    }
    Ok(enough.map(|(quality, tried)| (Choice::Lossy(quality, alpha), tried)))
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
/// The alpha quality where a search begins: 96 levels, which nobody tells from 256.
const SOME_ALPHA: u8 = 80;
/// Points of the score for one step of quality, around the targets; the search corrects it as it goes.
const SLOPE: f32 = 0.45;
/// Points above the target that are not worth another try.
const CLOSE_ENOUGH: f32 = 0.8;
