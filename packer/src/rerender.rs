//! Sticker files and bundles made again of a release's masters, byte for byte, without a search: the manifest says how each was made.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sticker_protocol::bundle::{self, BundleError, BundledSticker, Pack};
use sticker_protocol::release::{FileKind, Manifest, Recipe, ReleaseFile};
use sticker_protocol::sticker::{self, Frame, Metadata, StickerFile, StickerFileError};
use sticker_protocol::{Density, ImageFormat, Sha256, StickerId};

use crate::build::plan::{self, Plan};
use crate::compose;
use crate::encode::{self, Effort, Quality};
use crate::error::Error;
use crate::picture::{self, DecodeError, Picture};
use crate::resize::{Linear, fitted};

/// Name and version of the program that renders here. Another version may write other bytes.
pub const RENDERER: &str = concat!("sticker-packer ", env!("CARGO_PKG_VERSION"));

/// Why a file was not made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RerenderError {
    /// The manifest says nothing of how it was made: it is no sticker file or bundle, was drawn from shapes, or is of an earlier packer.
    #[error("the manifest says not how it was made")]
    NoRecipe,
    /// What was given is not the sticker's master.
    #[error("it is not the sticker's master")]
    NotItsMaster,
    /// The master is no sticker file.
    #[error("the master cannot be read")]
    Master(#[source] StickerFileError),
    /// An image of the master is no picture.
    #[error("a picture of the master cannot be decoded")]
    Picture(#[from] DecodeError),
    /// What was made is not the file that the manifest lists: another version of the packer made that, or other artwork.
    #[error("it came out otherwise than the manifest says")]
    Differs,
    /// A fault of the packer, or no memory.
    #[error("it cannot be coded")]
    Coding(#[from] Error),
}

/// The bytes of a sticker file, made of its master: of all its frames one after the other, on as many threads as there are cores.
///
/// # Errors
/// [`RerenderError`]; never other bytes than those that the manifest lists.
pub fn sticker_file(master: &[u8], release: &Manifest, file: &ReleaseFile) -> Result<Vec<u8>, RerenderError> {
    let (FileKind::Sticker, Some(recipe), Some(density)) = (file.kind, &file.recipe, file.density) else {
        return Err(RerenderError::NoRecipe);
    };
    let master = StickerFile::read(master).map_err(RerenderError::Master)?;
    let of = master.metadata();
    if (Some(of.sticker), of.pack) != (file.sticker, release.pack) {
        return Err(RerenderError::NotItsMaster);
    }
    let size = size_at(release, density);
    let sizes: Vec<_> = release.densities.iter().map(|&density| size_at(release, density)).collect();
    // A few frames at a time: their pixels in linear light take more memory than everything else.
    let mut frames = compose::frames(&master)?;
    let mut pictures = Vec::with_capacity(of.frames.len());
    loop {
        let some: Vec<Picture> = frames.by_ref().take(rayon::current_num_threads()).collect();
        if some.is_empty() {
            break;
        }
        let resized = some.into_par_iter().map(|picture| Linear::one_of(picture, &sizes, size));
        pictures.extend(resized.collect::<Result<Vec<_>, _>>()?);
    }
    let plan = plan::plan(pictures);
    let images = code(&plan, recipe)?;
    let metadata = Metadata {
        density,
        width: size.0,
        height: size.1,
        format: file.format.ok_or(RerenderError::NoRecipe)?,
        frames: shown(&plan, recipe, &of.frames).ok_or(RerenderError::Differs)?,
        ..of.clone()
    };
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    // What does not fit together was of another master.
    let made = sticker::write(&metadata, &images).map_err(|_does_not_fit| RerenderError::Differs)?;
    listed(made, file)
}

/// The bytes of a bundle, made of its sticker files: `files` is each of the release's at the bundle's density.
///
/// # Errors
/// [`RerenderError`]; never other bytes than those that the manifest lists.
pub fn bundle(
    files: &BTreeMap<StickerId, Vec<u8>>,
    release: &Manifest,
    file: &ReleaseFile,
) -> Result<Vec<u8>, RerenderError> {
    let (FileKind::Bundle, Some(density)) = (file.kind, file.density) else {
        return Err(RerenderError::NoRecipe);
    };
    let made =
        bundle::write(&bundled(release, density), files).map_err(|error: BundleError| match error {
            BundleError::TooLong(_) => RerenderError::Differs,
            error => RerenderError::Coding(Error::internal(error)),
        })?;
    listed(made, file)
}

/// A still WebP made narrower: `width` px wide, of the same shape, at the standard quality.
///
/// # Errors
/// [`RerenderError`] for what is no still WebP.
pub fn at_width(webp: &[u8], width: u32) -> Result<Vec<u8>, RerenderError> {
    let picture = picture::decode(webp, ImageFormat::WebP)?;
    let size = fitted(picture.width, picture.height, width, picture.height);
    let made = Linear::one_of(picture, &[size], size)?;
    Ok(encode::plain(&made, Quality::Standard, Effort::Fast)?)
}

/// What a bundle says of its pack.
fn bundled(release: &Manifest, density: Density) -> Pack {
    let stickers = release.stickers.iter();
    Pack {
        id: release.pack,
        slug: release.slug.clone(),
        density,
        titles: release.titles.clone(),
        artist: release.artist.name.clone(),
        copyright: release.copyright.clone(),
        stickers: stickers.map(|it| BundledSticker { id: it.id, name: it.name.clone() }).collect(),
    }
}

/// Width and height in px of every sticker of the release at a density.
fn size_at(release: &Manifest, density: Density) -> (u32, u32) {
    (density.px(release.canvas.width_dp), density.px(release.canvas.height_dp))
}

/// Each image of the plan as the recipe says.
fn code(plan: &Plan, recipe: &Recipe) -> Result<Vec<Vec<u8>>, RerenderError> {
    if plan.images.len() != recipe.images.len() {
        return Err(RerenderError::Differs);
    }
    let images = plan.images.par_iter().zip(&recipe.images);
    let code = |(planned, image): (&plan::PlannedImage, &sticker_protocol::release::CodedImage)| {
        let picture = if image.sparse { planned.sparse.as_ref() } else { Some(&planned.picture) };
        let picture = picture.ok_or(RerenderError::Differs)?;
        Ok(encode::again(picture, image.coding, recipe.effort.into())?)
    };
    images.map(code).collect()
}

/// The frames of the plan, each for as long as the master shows it.
fn shown(plan: &Plan, recipe: &Recipe, master: &[Frame]) -> Option<Vec<Frame>> {
    if plan.frames.len() != master.len() {
        return None;
    }
    let frame = |(placed, of): (&plan::PlannedFrame, &Frame)| {
        let sparse = recipe.images.get(placed.image)?.sparse;
        Some(Frame {
            image: u32::try_from(placed.image).ok()?,
            x: placed.x,
            y: placed.y,
            duration_ms: of.duration_ms,
            blend: plan::blend(sparse),
            dispose: placed.dispose,
        })
    };
    plan.frames.iter().zip(master).map(frame).collect()
}

fn listed(made: Vec<u8>, file: &ReleaseFile) -> Result<Vec<u8>, RerenderError> {
    let same = made.len() as u64 == file.size && Sha256::of(&made) == file.sha256;
    if same { Ok(made) } else { Err(RerenderError::Differs) }
}
