//! How good what was built is: SSIMULACRA2 against the artwork resized by Lanczos3 in linear light with premultiplied alpha.

use std::fs;
use std::path::{Path, PathBuf};

use sticker_packer::compose::compose;
use sticker_packer::fuzzing;
use sticker_packer::picture::{Picture, decode};
use sticker_packer::resize::Linear;
use sticker_packer::score::Reference;
use sticker_protocol::ImageFormat;
use sticker_protocol::sticker::StickerFile;

/// Bytes and scores of many pictures.
#[derive(Default)]
pub(crate) struct Scores {
    pub(crate) bytes: u64,
    /// Ascending.
    all: Vec<f64>,
}

impl Scores {
    /// Of one file's frames against the artwork's.
    pub(crate) fn of(bytes: u64, artwork: &[PathBuf], shown: &[Picture]) -> Self {
        assert_eq!(artwork.len(), shown.len(), "a frame is missing");
        // Frames resemble each other, and scoring takes longer than everything else: six of each are enough.
        let step = shown.len().div_ceil(6).max(1);
        let pairs = artwork.iter().zip(shown).step_by(step);
        let all = pairs.map(|(path, picture)| {
            let source = decode(&fs::read(path).expect("artwork"), ImageFormat::Png).expect("a PNG");
            let linear = Linear::new(source).expect("pixels");
            let reference = linear.fit(picture.width, picture.height).expect("a size");
            let score = Reference::new(&reference).and_then(|reference| reference.score(picture));
            score.expect("pictures of one size")
        });
        Self { bytes, all: all.collect() }
    }

    /// Both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.bytes += other.bytes;
        self.all.extend(other.all);
        self.all.sort_by(f64::total_cmp);
        self
    }

    /// Whether mean, 10th percentile and worst are at least another's.
    pub(crate) fn reach(&self, other: &Self) -> bool {
        let mut pairs = self.figures().into_iter().zip(other.figures());
        pairs.all(|(ours, theirs)| ours >= theirs)
    }

    pub(crate) fn summary(&self) -> String {
        let [mean, tenth, worst] = self.figures();
        format!("{:>9} bytes, score {mean:.1} / {tenth:.1} / {worst:.1}", self.bytes)
    }

    pub(crate) fn mean(&self) -> f64 {
        self.figures()[0]
    }

    /// Mean, 10th percentile and worst.
    fn figures(&self) -> [f64; 3] {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred scores")]
        let mean = self.all.iter().sum::<f64>() / self.all.len().max(1) as f64;
        let at = |place: usize| self.all.get(place).copied().unwrap_or_default();
        [mean, at(self.all.len() / 10), at(0)]
    }
}

/// What a sticker file shows in each step of the artwork.
pub(crate) fn frames_of_sticker(file: &[u8], step_ms: u32) -> Vec<Picture> {
    let sticker = StickerFile::read(file).expect("a sticker file");
    let durations = sticker.metadata().frames.iter().map(|frame| frame.duration_ms);
    in_steps(compose(&sticker).expect("pictures"), durations, step_ms)
}

/// The same of a WebP file. The packer's own reader clears what a frame leaves to be cleared, as libwebp's does.
pub(crate) fn frames_of_webp(path: &Path, step_ms: u32) -> Vec<Picture> {
    let file = fs::read(path).expect("a file");
    in_steps(fuzzing::artwork(&file, 0).expect("a WebP file"), durations(&file), step_ms)
}

/// Frames that look like the one before may have been joined to it.
fn in_steps(shown: Vec<Picture>, durations: impl Iterator<Item = u32>, step_ms: u32) -> Vec<Picture> {
    if shown.len() == 1 {
        return shown;
    }
    let steps = durations.map(|duration| duration.div_ceil(step_ms).max(1) as usize);
    shown.into_iter().zip(steps).flat_map(|(picture, steps)| vec![picture; steps]).collect()
}

/// Of the `ANMF` chunks of a WebP file, as its container's specification has them.
fn durations(file: &[u8]) -> impl Iterator<Item = u32> {
    let mut rest = file.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_first_chunk::<4>()?;
        let (length, content) = behind.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        rest = content.get(length.next_multiple_of(2)..).unwrap_or_default();
        let duration = content.get(12..15).filter(|_| name == b"ANMF");
        Some(duration.map(|it| it.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte))))
    })
    .flatten()
}
