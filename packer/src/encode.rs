//! Pictures as files: PNG for low densities, WebP above, each as small as its quality allows.

mod container;
mod png;
mod quality;
mod search;
mod subject;
mod webp;

pub(crate) use container::{Shown, animated_webp};
use serde::{Deserialize, Serialize};
use sticker_protocol::release::{self, Coding};
use sticker_protocol::{Density, ImageFormat};

pub use quality::{NoQuality, Quality, Score};
pub(crate) use search::choose;
pub(crate) use subject::{Choice, Subject, fixed};

use crate::error::Error;
use crate::picture::Picture;

/// How long the packer may look for smaller files of the same quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Fixed choices that are good for most pictures; nothing is measured.
    Fast,
    /// A search for each sticker, scored.
    #[default]
    Default,
    /// The slowest coders and a closer search, for a release.
    Max,
}

impl Effort {
    /// libwebp's method for the lossy coder: 2 is almost as good as 4, 6 takes up to a hundred times as long for 3 to 10 %.
    fn lossy_method(self) -> u8 {
        match self {
            Self::Fast => 2,
            Self::Default => 4,
            Self::Max => 6,
        }
    }

    /// libwebp's method for the lossless coder.
    fn lossless_method(self) -> u8 {
        match self {
            Self::Fast => 1,
            Self::Default => 4,
            Self::Max => 6,
        }
    }
}

/// As a manifest has it.
impl From<Effort> for release::Effort {
    fn from(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self::Fast,
            Effort::Default => Self::Default,
            Effort::Max => Self::Max,
        }
    }
}

impl From<release::Effort> for Effort {
    fn from(effort: release::Effort) -> Self {
        match effort {
            release::Effort::Fast => Self::Fast,
            release::Effort::Default => Self::Default,
            release::Effort::Max => Self::Max,
        }
    }
}

/// The densities up to which a sticker is a PNG: such phones are old and slow, and decode PNG faster.
const LAST_PNG_DENSITY: u16 = 160;

/// The format of a density by default.
pub(crate) fn format_for(density: Density) -> ImageFormat {
    if density.get() <= LAST_PNG_DENSITY { ImageFormat::Png } else { ImageFormat::WebP }
}

/// A picture as a file.
#[derive(Clone, Debug)]
pub(crate) struct Coded {
    pub(crate) file: Vec<u8>,
    /// Against the picture that was coded, where that was measured; 100 where nothing was lost.
    pub(crate) score: Option<f64>,
    /// How: the same again gives the same bytes.
    pub(crate) coding: Coding,
}

/// A PNG, which loses nothing.
pub(crate) fn png(picture: &Picture, effort: Effort) -> Result<Coded, Error> {
    Ok(Coded { file: png::encode(picture, effort)?, score: Some(100.0), coding: Coding::Png })
}

/// For the archive: every pixel as it is, but for colour that nobody can see. PNG in a hurry: a quarter of the time for half as many
/// bytes again, which no phone downloads. Else WebP by method 1, which takes a third less time than method 4 on gradients and four
/// fifths less on flat art, for 9 to 49 % more bytes.
pub(crate) fn archive(picture: &Picture, effort: Effort) -> Result<Vec<u8>, Error> {
    match archive_format(effort) {
        ImageFormat::Png => png::quick(picture),
        ImageFormat::WebP => webp::lossless(picture, 100, 1),
    }
}

/// Codes as it was coded before.
pub(crate) fn again(picture: &Picture, coding: Coding, effort: Effort) -> Result<Vec<u8>, Error> {
    match coding {
        Coding::Png => png::encode(picture, effort),
        Coding::Lossy { quality, alpha } => subject::lossy(picture, f32::from(quality), alpha, effort),
        Coding::Lossless { near } => webp::lossless(picture, near, effort.lossless_method()),
    }
}

/// The format that [`archive`] writes.
pub(crate) fn archive_format(effort: Effort) -> ImageFormat {
    if effort == Effort::Fast { ImageFormat::Png } else { ImageFormat::WebP }
}

/// A still WebP by fixed choices: for pages, and where nobody asked for a search.
pub(crate) fn plain(picture: &Picture, quality: Quality, effort: Effort) -> Result<Vec<u8>, Error> {
    Subject::new(picture, effort).code(fixed(quality, Some(picture))).map(|coded| coded.file)
}
