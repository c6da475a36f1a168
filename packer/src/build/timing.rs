//! When each frame is shown: exactly as long as the artwork says, whatever was stored once for several.

use sticker_protocol::limits::MAX_FRAME_MS;
use sticker_protocol::sticker::{Frame, Rgb};

use super::render::{Rendered, Variant};
use crate::artwork::Artwork;
use crate::finding::Finding;
use crate::poster::poster;
use crate::project::StickerFile;

/// The frames of a sticker in time, the same in every variant.
pub(super) struct Timing {
    /// In ms, one for each stored frame; 0 for a still.
    pub(super) durations_ms: Vec<u32>,
    /// 0 = for ever.
    pub(super) loop_count: u32,
    /// The stored frame that stands for the sticker.
    pub(super) poster: u32,
    /// Of the poster.
    pub(super) colour: Rgb,
}

impl Timing {
    pub(super) fn new(sticker: &StickerFile, artwork: &Artwork, rendered: &Rendered) -> Self {
        let frames = rendered.colours.len();
        let mut durations_ms = stored_durations(&rendered.frame_of, &durations(sticker, artwork));
        if frames == 1 {
            durations_ms.fill(0);
        }
        let named = sticker.poster.and_then(|poster| rendered.frame_of.get(poster as usize));
        let shows = rendered.colours.iter().map(Option::is_some);
        let poster = poster(named.map(|&frame| frame as usize), shows);
        let colour = rendered.colours.get(poster).copied().flatten().unwrap_or(Rgb([255; 3]));
        let poster = u32::try_from(poster).unwrap_or_default();
        Self { durations_ms, loop_count: loop_count(sticker, artwork), poster, colour }
    }

    /// The frames of a variant.
    pub(super) fn frames(&self, variant: &Variant) -> Vec<Frame> {
        let frames = variant.frames.iter().zip(&self.durations_ms);
        frames
            .map(|(placed, &duration_ms)| Frame {
                image: placed.image,
                x: placed.x,
                y: placed.y,
                duration_ms,
                blend: placed.blend,
                dispose: placed.dispose,
            })
            .collect()
    }
}

/// Tells of a frame of the artwork that is shown for longer than a sticker file can say; whether there is none.
pub(crate) fn check(sticker: &StickerFile, artwork: &Artwork, findings: &mut Vec<Finding>) -> bool {
    let durations = durations(sticker, artwork);
    let Some((frame, ms)) = (0_u32..).zip(durations).find(|&(_, ms)| ms > MAX_FRAME_MS) else { return true };
    let message = format!("a frame is shown for {ms} ms");
    let hint = format!("a frame lasts at most {MAX_FRAME_MS} ms: show it for a shorter time");
    findings.push(Finding::error("frame_too_long", &artwork.path, message, hint).at_frame(frame));
    false
}

/// How long each of the frames is shown that are left without repetition; `frame_of` says which of them each of the artwork's is.
pub(crate) fn stored_durations(frame_of: &[u32], durations_ms: &[u32]) -> Vec<u32> {
    let mut stored = vec![0; frame_of.last().map_or(0, |&last| last as usize + 1)];
    for (&frame, duration) in frame_of.iter().zip(durations_ms) {
        if let Some(sum) = stored.get_mut(frame as usize) {
            *sum += duration;
        }
    }
    stored
}

/// How often it plays, as the project says, else the artwork; 0 is for ever.
pub(crate) fn loop_count(sticker: &StickerFile, artwork: &Artwork) -> u32 {
    sticker.loop_count.or(artwork.loop_count).unwrap_or(0)
}

/// How long each frame of the artwork is shown, in ms: as the project says, else as the artwork says, else 50 ms. Rounded so that their
/// sum is the whole's length rounded once, not once a frame.
pub(crate) fn durations(sticker: &StickerFile, artwork: &Artwork) -> Vec<u32> {
    let frames = artwork.frames();
    if frames < 2 {
        return vec![0; frames];
    }
    let Some(fps) = sticker.fps else {
        let stated = artwork.durations_ms.iter();
        return stated.map(|&stated| sticker.frame_ms.or(stated).unwrap_or(DEFAULT_FRAME_MS)).collect();
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most 300 frames of 10 s"
    )]
    let end = |frame: usize| (frame as f64 * 1000.0 / fps).round() as u32;
    (0..frames).map(|frame| end(frame + 1) - end(frame)).collect()
}

/// 20 frames a second.
const DEFAULT_FRAME_MS: u32 = 50;
