//! How a sticker file was made of its master, so that whoever has the master can make it again without a search.

use std::iter;

use super::ReleaseFile;
use crate::ImageFormat;
use crate::generated::sticker as wire;
use crate::limits::MAX_FRAMES;
use crate::sticker::{MetadataError, check};

/// How the images of a sticker file were coded. What comes of it is the file only with the program that the manifest names; the file's
/// hash says whether it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// How hard the coders worked.
    pub effort: Effort,
    /// One for each image, in order; 1 to 300.
    pub images: Vec<CodedImage>,
}

/// How hard the packer looked for small files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Fixed choices and the fastest coders.
    Fast,
    /// What is usual.
    Default,
    /// The slowest coders.
    Max,
}

/// How one image was coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodedImage {
    /// Whether what the canvas showed already was left transparent.
    pub sparse: bool,
    /// The coder and its settings.
    pub coding: Coding,
}

/// A coder and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// PNG.
    Png,
    /// WebP with loss.
    Lossy {
        /// The quality of colours, 0 to 100.
        quality: u8,
        /// The quality of alpha, 0 to 100.
        alpha: u8,
    },
    /// WebP without loss, but for low bits of colours.
    Lossless {
        /// How many of these stay: 0 the fewest, 100 all.
        near: u8,
    },
}

impl Coding {
    /// The format of an image that was coded so.
    pub const fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Lossy { .. } | Self::Lossless { .. } => ImageFormat::WebP,
        }
    }
}

impl Recipe {
    /// Whether the recipe is within its limits and of the file's format.
    pub(super) fn check(&self, file: &ReleaseFile) -> Result<(), MetadataError> {
        check::within(IMAGES, self.images.len() as u64, 1, MAX_FRAMES as u64)?;
        for image in &self.images {
            if Some(image.coding.format()) != file.format {
                return Err(MetadataError::Form { field: IMAGES, form: "of the file's format" });
            }
            let numbers = match image.coding {
                Coding::Png => [0, 0],
                Coding::Lossy { quality, alpha } => [quality, alpha],
                Coding::Lossless { near } => [near, 0],
            };
            for number in numbers {
                check::within(IMAGES, number.into(), 0, 100)?;
            }
        }
        Ok(())
    }
}

const IMAGES: &str = "files.recipe.images";

pub(super) fn from_wire(stored: &wire::Recipe) -> Result<Recipe, MetadataError> {
    let effort = match stored.effort {
        wire::Effort::FAST => Effort::Fast,
        wire::Effort::DEFAULT => Effort::Default,
        wire::Effort::MAX => Effort::Max,
        _ => return Err(MetadataError::UnknownValue("files.recipe.effort")),
    };
    let mut images = Vec::new();
    for run in &stored.images {
        let count = check::unsigned(IMAGES, run.count)?;
        // Before anything of that length is made.
        check::within(IMAGES, u64::from(count) + images.len() as u64, 1, MAX_FRAMES as u64)?;
        check::within(IMAGES, count.into(), 1, MAX_FRAMES as u64)?;
        let image = CodedImage { sparse: run.sparse, coding: coding(run)? };
        // One way of writing each recipe.
        if images.last() == Some(&image) {
            return Err(MetadataError::Duplicate(IMAGES));
        }
        images.extend(iter::repeat_n(image, count as usize));
    }
    Ok(Recipe { effort, images })
}

fn coding(run: &wire::CodedImages) -> Result<Coding, MetadataError> {
    let number = |number: i32| {
        u8::try_from(number).ok().ok_or(MetadataError::OutOfRange { field: IMAGES, min: 0, max: 100 })
    };
    match (run.quality, run.alpha_quality, run.near_lossless) {
        (None, None, None) => Ok(Coding::Png),
        (Some(quality), Some(alpha), None) => {
            Ok(Coding::Lossy { quality: number(quality)?, alpha: number(alpha)? })
        }
        (None, None, Some(near)) => Ok(Coding::Lossless { near: number(near)? }),
        _ => Err(MetadataError::Form { field: IMAGES, form: "of one coder" }),
    }
}

pub(super) fn to_wire(recipe: &Recipe) -> wire::Recipe {
    let effort = match recipe.effort {
        Effort::Fast => wire::Effort::FAST,
        Effort::Default => wire::Effort::DEFAULT,
        Effort::Max => wire::Effort::MAX,
    };
    let runs = recipe.images.chunk_by(|one, next| one == next);
    let runs = runs.filter_map(|run| {
        let &CodedImage { sparse, coding } = run.first()?;
        let count = i32::try_from(run.len()).unwrap_or(i32::MAX);
        let (quality, alpha_quality, near_lossless) = match coding {
            Coding::Png => (None, None, None),
            Coding::Lossy { quality, alpha } => (Some(quality.into()), Some(alpha.into()), None),
            Coding::Lossless { near } => (None, None, Some(near.into())),
        };
        Some(wire::CodedImages { count, sparse, quality, alpha_quality, near_lossless })
    });
    wire::Recipe { effort, images: runs.collect() }
}
