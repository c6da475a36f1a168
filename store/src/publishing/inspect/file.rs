//! One file of a release against what its manifest says. Pictures are decoded by memory-safe decoders, after their size was read from the
//! header.

use std::collections::BTreeMap;

use sticker_packer::picture::{decode, decode_animation};
use sticker_protocol::bundle::Bundle;
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, ImageFormat, PackId, Sha256, StickerId};

use super::super::web::causes;
use super::Wrong;

/// What files must agree with.
pub(super) struct Expected<'a> {
    manifest: &'a Manifest,
    stickers: BTreeMap<(u16, StickerId), Sha256>,
}

impl<'a> Expected<'a> {
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        let sticker = |file: &ReleaseFile| Some(((file.density?.get(), file.sticker?), file.sha256));
        Self { manifest, stickers: manifest.files_of(FileKind::Sticker).filter_map(sticker).collect() }
    }

    const fn pack(&self) -> PackId {
        self.manifest.pack
    }
}

type Verdict = Result<(), (Wrong, String)>;

pub(super) fn check(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Verdict {
    match file.kind {
        FileKind::Sticker | FileKind::Master => check_sticker(file, content, expected),
        FileKind::Bundle => check_bundle(file, content, expected),
        FileKind::Cover | FileKind::Icon | FileKind::Poster => {
            sized(file, still(content, ImageFormat::WebP)?)
        }
        FileKind::Preview => {
            let animation = decode_animation(content).map_err(|error| bad_image(&error))?;
            sized(file, (animation.width, animation.height))
        }
    }
}

fn check_sticker(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Verdict {
    let sticker = StickerFile::read(content).map_err(|error| (Wrong::BadStickerFile, causes(&error)))?;
    let metadata = sticker.metadata();
    let agrees = Some(metadata.sticker) == file.sticker
        && metadata.pack == expected.pack()
        && Some(metadata.density) == file.density
        && Some(metadata.format) == file.format
        && (Some(metadata.width), Some(metadata.height)) == (file.width, file.height);
    if !agrees {
        return Err(disagrees("its metadata are not what the manifest says"));
    }
    for (at, image) in sticker.images().iter().enumerate() {
        still(image, metadata.format)
            .map_err(|(wrong, message)| (wrong, format!("image {at}: {message}")))?;
    }
    Ok(())
}

fn check_bundle(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Verdict {
    let bundle = Bundle::read(content).map_err(|error| (Wrong::BadBundle, causes(&error)))?;
    let pack = bundle.pack();
    let density = file.density.map_or(0, Density::get);
    let order = expected.manifest.stickers.iter().map(|sticker| sticker.id);
    let same_order = pack.stickers.iter().map(|sticker| sticker.id).eq(order);
    if pack.id != expected.pack() || pack.density.get() != density || !same_order {
        return Err(disagrees("its pack entry is not what the manifest says"));
    }
    for (&id, sticker) in bundle.stickers() {
        if expected.stickers.get(&(density, id)) != Some(&Sha256::of(sticker)) {
            return Err(disagrees(&format!("sticker {id} is not the release's file")));
        }
    }
    Ok(())
}

fn still(image: &[u8], format: ImageFormat) -> Result<(u32, u32), (Wrong, String)> {
    let picture = decode(image, format).map_err(|error| bad_image(&error))?;
    Ok((picture.width, picture.height))
}

fn sized(file: &ReleaseFile, (width, height): (u32, u32)) -> Verdict {
    if (Some(width), Some(height)) == (file.width, file.height) {
        return Ok(());
    }
    Err(disagrees("its size is not what the manifest says"))
}

fn bad_image(error: &dyn std::error::Error) -> (Wrong, String) {
    (Wrong::BadImage, causes(error))
}

fn disagrees(message: &str) -> (Wrong, String) {
    (Wrong::ManifestDisagrees, message.to_owned())
}
