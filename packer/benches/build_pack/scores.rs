//! How good what was built is: SSIMULACRA2 against the artwork resized by Lanczos3 in linear light with premultiplied alpha.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use image_webp::WebPDecoder;
use sticker_packer::compose::compose;
use sticker_packer::picture::{Picture, decode};
use sticker_packer::resize::Linear;
use sticker_packer::score::Reference;
use sticker_protocol::ImageFormat;
use sticker_protocol::sticker::StickerFile;

/// Bytes and scores of many pictures.
#[derive(Default)]
pub(crate) struct Scores {
    pub(crate) bytes: u64,
    all: Vec<f64>,
}

impl Scores {
    /// Of one file's frames against the artwork's.
    pub(crate) fn add(&mut self, bytes: u64, artwork: &[&Path], shown: &[Picture]) {
        self.bytes += bytes;
        // Frames resemble each other, and scoring takes longer than everything else: six of each are enough.
        let step = shown.len().div_ceil(6).max(1);
        for (path, picture) in artwork.iter().zip(shown).step_by(step) {
            let source = decode(&fs::read(path).expect("artwork"), ImageFormat::Png).expect("a PNG");
            let linear = Linear::new(source).expect("pixels");
            let reference = linear.fit(picture.width, picture.height).expect("a size");
            let score = Reference::new(&reference).and_then(|reference| reference.score(picture));
            self.all.push(score.expect("pictures of one size"));
        }
    }

    /// Mean, 10th percentile and worst.
    pub(crate) fn summary(&mut self) -> String {
        self.all.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "a few hundred scores")]
        let mean = self.all.iter().sum::<f64>() / self.all.len().max(1) as f64;
        let at = |place: usize| self.all.get(place).copied().unwrap_or_default();
        format!("{:>9} bytes, score {mean:.1} / {:.1} / {:.1}", self.bytes, at(self.all.len() / 10), at(0))
    }
}

/// The frames of a sticker file as a phone shows them.
pub(crate) fn frames_of_sticker(file: &[u8]) -> Vec<Picture> {
    compose(&StickerFile::read(file).expect("a sticker file")).expect("pictures")
}

/// The frames of a WebP file.
pub(crate) fn frames_of_webp(path: &Path) -> Vec<Picture> {
    let file = BufReader::new(File::open(path).expect("a file"));
    let mut decoder = WebPDecoder::new(file).expect("a WebP file");
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().expect("a size")];
    let frames = if decoder.is_animated() { decoder.num_frames() } else { 1 };
    let mut pictures = Vec::new();
    for _ in 0..frames {
        if decoder.is_animated() {
            decoder.read_frame(&mut pixels).expect("a frame");
        } else {
            decoder.read_image(&mut pixels).expect("a picture");
        }
        let rgba = if decoder.has_alpha() {
            pixels.clone()
        } else {
            pixels.as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect()
        };
        pictures.push(Picture { width, height, rgba });
    }
    pictures
}
