//! A sticker's frames as a messenger shows them: at its size, in exact time.

use rayon::prelude::*;

use crate::artwork::{Artwork, Drawing};
use crate::build::render::without_repetition;
use crate::build::timing;
use crate::error::Error;
use crate::finding::Finding;
use crate::lint::platforms::{Kind, Platform, Size, SizeRule};
use crate::picture::Picture;
use crate::project::StickerFile;
use crate::resize::{Linear, fitted};

/// Pictures of one size and how long each is shown.
#[derive(Debug)]
pub(super) struct Frames {
    /// At least one; each differs from the one before, unless that is shown for as long as a frame can be.
    pub(super) pictures: Vec<Picture>,
    /// In ms, one for each picture; 0 for a still.
    pub(super) durations_ms: Vec<u32>,
    /// 0 is for ever.
    pub(super) loop_count: u32,
}

impl Frames {
    pub(super) fn still(picture: Picture) -> Self {
        Self { pictures: vec![picture], durations_ms: vec![0], loop_count: 0 }
    }

    /// The artwork at the platform's size. `None` where a finding is an error.
    pub(super) fn draw(
        sticker: &StickerFile,
        artwork: &Artwork,
        platform: &Platform,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Self>, Error> {
        let Some(drawing) = artwork.decode(findings) else { return Ok(None) };
        let durations_ms = timing::durations(sticker, artwork);
        let (drawing, frame_of) = match drawing {
            Drawing::Pictures(pictures) => {
                let (pictures, frame_of) = without_repetition(pictures, &durations_ms);
                (Drawing::Pictures(pictures), frame_of)
            }
            vector @ Drawing::Vector(_) => (vector, vec![0]),
        };
        let mut durations_ms = timing::stored_durations(&frame_of, &durations_ms);
        if durations_ms.len() == 1 {
            durations_ms.fill(0);
        }
        let kind = kind_of(platform, durations_ms.len());
        let pictures = drawn(drawing, (artwork.width, artwork.height), kind.size.is)?;
        let loop_count = timing::loop_count(sticker, artwork);
        Ok(Some(Self { pictures, durations_ms, loop_count }))
    }

    /// The platform's limits for a sticker with so many frames.
    pub(super) fn kind<'p>(&self, platform: &'p Platform) -> &'p Kind {
        kind_of(platform, self.pictures.len())
    }

    /// In ms; 0 for a still.
    pub(super) fn duration_ms(&self) -> u32 {
        self.durations_ms.iter().sum()
    }

    /// Width and height in px.
    pub(super) fn size(&self) -> (u32, u32) {
        self.pictures.first().map_or((0, 0), |picture| (picture.width, picture.height))
    }

    /// Without the frames that come less than `shortest` ms after the one before; that one is shown for their time too, so that every
    /// frame that is left begins when it did and the whole lasts as long.
    pub(super) fn not_faster_than(&mut self, shortest: u32) {
        if self.durations_ms.iter().all(|&ms| ms >= shortest || ms == 0) {
            return;
        }
        let frames =
            std::mem::take(&mut self.pictures).into_iter().zip(std::mem::take(&mut self.durations_ms));
        let mut kept: Vec<(Picture, u32)> = Vec::new();
        for (picture, duration) in frames {
            match kept.last_mut() {
                Some((_, shown)) if *shown < shortest => *shown += duration,
                _ => kept.push((picture, duration)),
            }
        }
        if let [.., _, (_, last)] = kept.as_slice()
            && *last < shortest
        {
            let rest = kept.pop().map_or(0, |(_, duration)| duration);
            if let Some((_, shown)) = kept.last_mut() {
                *shown += rest;
            }
        }
        (self.pictures, self.durations_ms) = kept.into_iter().unzip();
    }
}

/// The limits of stills or of animations.
fn kind_of(platform: &Platform, frames: usize) -> &Kind {
    if frames > 1 { &platform.animated } else { &platform.still }
}

/// Every picture of a drawing of `from` px at the size that the rule makes of it.
fn drawn(drawing: Drawing, from: (u32, u32), size: Size) -> Result<Vec<Picture>, Error> {
    let (width, height) = match size.rule {
        SizeRule::Exact => (size.width, size.height),
        SizeRule::OneSide | SizeRule::Within => fitted(from.0, from.1, size.width, size.height),
    };
    match drawing {
        Drawing::Vector(vector) => Ok(vec![vector.render(width, height)?]),
        Drawing::Pictures(pictures) => {
            pictures.into_par_iter().map(|picture| Linear::new(picture)?.fit(width, height)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(durations_ms: &[u32]) -> Frames {
        let picture =
            |value: usize| Picture { width: 1, height: 1, rgba: vec![value.try_into().unwrap(); 4] };
        Frames {
            pictures: (0..durations_ms.len()).map(picture).collect(),
            durations_ms: durations_ms.to_vec(),
            loop_count: 0,
        }
    }

    /// When each frame begins, and which of the artwork's it is.
    fn starts(frames: &Frames) -> Vec<(u32, u8)> {
        let mut now = 0;
        let times = frames.durations_ms.iter().map(|ms| {
            now += ms;
            now - ms
        });
        times.zip(frames.pictures.iter().map(|it| it.rgba[0])).collect()
    }

    #[test]
    fn frames_that_come_too_fast_are_left_out_and_the_others_begin_when_they_did() {
        let mut sixty = clip(&[17, 16, 17, 17, 16, 17]);
        let before = starts(&sixty);
        sixty.not_faster_than(33);
        assert_eq!((sixty.durations_ms.as_slice(), sixty.duration_ms()), ([33, 34, 33].as_slice(), 100));
        assert!(starts(&sixty).iter().all(|start| before.contains(start)));
        // The last one has no other after it, so it makes room for the one before.
        let mut odd = clip(&[20, 20, 20]);
        odd.not_faster_than(33);
        assert_eq!(odd.durations_ms, [60]);
        let mut mixed = clip(&[100, 10, 10, 200]);
        mixed.not_faster_than(33);
        assert_eq!(starts(&mixed), [(0, 0), (100, 1)]);
        assert_eq!(mixed.durations_ms, [100, 220]);
    }

    #[test]
    fn what_is_slow_enough_stays_as_it_is() {
        for durations in [&[33, 34, 33][..], &[500, 40], &[0]] {
            let mut frames = clip(durations);
            frames.not_faster_than(33);
            assert_eq!(frames.durations_ms, durations);
        }
    }
}
