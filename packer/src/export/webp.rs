//! Stills and animations as WebP.

use rayon::prelude::*;
use sticker_protocol::sticker::Frame;

use super::fit::first_that_fits;
use super::frames::Frames;
use crate::build::plan::{self, Plan};
use crate::build::render::sampled;
use crate::encode::{Choice, Effort, Quality, Shown, Subject, animated_webp, choose};
use crate::error::Error;

/// As small as a high quality allows where that fits into `max_bytes`; else at the highest quality of the lossy coder that fits.
pub(super) fn code(frames: &Frames, max_bytes: u64) -> Result<Vec<u8>, Error> {
    let plan = plan::plan(frames.pictures.clone());
    let best = {
        let samples = sampled(&plan).into_iter().filter_map(|at| plan.images.get(at));
        let mut samples: Vec<_> = samples.map(|it| Subject::new(&it.picture, Effort::Default)).collect();
        choose(&mut samples, Quality::High, None)?
    };
    let (below, alpha) = match best {
        Choice::Lossy(quality, alpha) => (quality - 1.0, alpha),
        Choice::Near(_) => (HIGHEST, 100),
    };
    let steps = std::iter::successors(Some(below), |quality| Some(quality - 1.0));
    let mut levels = vec![best];
    levels.extend(steps.take_while(|it| *it >= LOWEST).map(|quality| Choice::Lossy(quality, alpha)));
    let mut coder = Coder::new(frames, &plan);
    first_that_fits(levels.len(), max_bytes, |level| coder.file(levels.get(level).copied().unwrap_or(best)))
}

/// From here down where the lossless coder was best and too large.
const HIGHEST: f32 = 95.0;
/// Below this the lossy coder makes pictures that nobody wants.
const LOWEST: f32 = 10.0;

/// Every image of a sticker, ready to be coded several times.
struct Coder<'a> {
    frames: &'a Frames,
    plan: &'a Plan,
    /// Each image, and its sparse form where it has one.
    subjects: Vec<(Subject<'a>, Option<Subject<'a>>)>,
}

impl<'a> Coder<'a> {
    fn new(frames: &'a Frames, plan: &'a Plan) -> Self {
        let subject = |picture| Subject::new(picture, Effort::Default);
        let subjects = plan.images.iter().map(|it| (subject(&it.picture), it.sparse.as_ref().map(subject)));
        Self { frames, plan, subjects: subjects.collect() }
    }

    fn file(&mut self, choice: Choice) -> Result<Vec<u8>, Error> {
        let coded =
            self.subjects.par_iter_mut().map(|(whole, sparse)| smaller(whole, sparse.as_mut(), choice));
        let mut coded = coded.collect::<Result<Vec<_>, Error>>()?;
        if self.frames.pictures.len() == 1 {
            return Ok(coded.pop().unwrap_or_default().0);
        }
        let frames = self.plan.frames.iter().zip(&self.frames.durations_ms);
        let shown = frames.filter_map(|(planned, &duration_ms)| {
            let (still, sparse) = coded.get(planned.image)?;
            let picture = &self.plan.images.get(planned.image)?.picture;
            let frame = Frame {
                image: 0,
                x: planned.x,
                y: planned.y,
                duration_ms,
                blend: plan::blend(*sparse),
                dispose: planned.dispose,
            };
            Some(Shown { still, size: (picture.width, picture.height), frame })
        });
        let (width, height) = self.frames.size();
        animated_webp(width, height, self.frames.loop_count, &shown.collect::<Vec<_>>())
    }
}

/// The smaller of an image's two forms, where the sparse one comes about as close; true where it is that.
fn smaller(
    whole: &mut Subject<'_>,
    sparse: Option<&mut Subject<'_>>,
    choice: Choice,
) -> Result<(Vec<u8>, bool), Error> {
    let coded = whole.code(choice)?;
    if let Some(sparse) = sparse {
        let drawn_over = sparse.code(choice)?;
        if drawn_over.file.len() < coded.file.len()
            && (drawn_over.score.is_some()
                || sparse.error_of(&drawn_over.file)? <= whole.error_of(&coded.file)? * 1.25)
        {
            return Ok((drawn_over.file, true));
        }
    }
    Ok((coded.file, false))
}
