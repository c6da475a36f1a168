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

/// The frames of a sticker file as a phone shows them.
pub(crate) fn frames_of_sticker(file: &[u8]) -> Vec<Picture> {
    compose(&StickerFile::read(file).expect("a sticker file")).expect("pictures")
}

/// The frames of a WebP file. The packer's own reader clears what a frame leaves to be cleared, as libwebp's does.
pub(crate) fn frames_of_webp(path: &Path) -> Vec<Picture> {
    fuzzing::artwork(&fs::read(path).expect("a file"), 0).expect("a WebP file")
}
