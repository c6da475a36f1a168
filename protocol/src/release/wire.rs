//! A manifest's way to Thrift and back.

use super::{Artist, Canvas, FileKind, MANIFEST_VERSION, Manifest, ReleaseFile, ReleaseSticker, recipe};
use crate::generated::sticker as wire;
use crate::sticker::{MetadataError, check};
use crate::{ReleasePath, Sha256, Slug};

pub(super) fn from_wire(stored: wire::ReleaseManifest) -> Result<Manifest, MetadataError> {
    Ok(Manifest {
        pack: check::id("pack_id", stored.pack_id)?,
        slug: Slug::checked("slug", stored.slug)?,
        titles: stored.titles,
        descriptions: stored.descriptions,
        artist: Artist { slug: Slug::checked("artist.slug", stored.artist.slug)?, name: stored.artist.name },
        copyright: stored.copyright,
        price_tier: stored.price_tier,
        tags: stored.tags,
        canvas: Canvas {
            width_dp: check::unsigned("canvas_width_dp", stored.canvas_width_dp)?,
            height_dp: check::unsigned("canvas_height_dp", stored.canvas_height_dp)?,
        },
        densities: stored
            .densities
            .into_iter()
            .map(|density| check::density("densities", density))
            .collect::<Result<_, _>>()?,
        stickers: stored.stickers.into_iter().map(sticker_from_wire).collect::<Result<_, _>>()?,
        files: stored.files.into_iter().map(file_from_wire).collect::<Result<_, _>>()?,
        packer: stored.packer,
    })
}

fn sticker_from_wire(stored: wire::ReleaseSticker) -> Result<ReleaseSticker, MetadataError> {
    Ok(ReleaseSticker {
        id: check::id("stickers.sticker_id", stored.sticker_id)?,
        name: stored.name,
        emoji: stored.emoji,
        alt_texts: stored.alt_texts,
        frame_count: check::unsigned("stickers.frame_count", stored.frame_count)?,
        duration_ms: check::unsigned("stickers.duration_ms", stored.duration_ms)?,
        loop_count: check::unsigned("stickers.loop_count", stored.loop_count)?,
        placeholder_colour: check::colour("stickers.placeholder_colour", stored.placeholder_colour)?,
    })
}

fn file_from_wire(stored: wire::ReleaseFile) -> Result<ReleaseFile, MetadataError> {
    let sha256 = MetadataError::Form { field: "files.sha256", form: "32 bytes" };
    let size =
        MetadataError::OutOfRange { field: "files.size", min: 1, max: crate::limits::MAX_BUNDLE as u64 };
    Ok(ReleaseFile {
        path: ReleasePath::checked("files.path", stored.path)?,
        kind: FileKind::from_wire(stored.kind)?,
        size: u64::try_from(stored.size).ok().ok_or(size)?,
        sha256: Sha256::new(stored.sha256.try_into().ok().ok_or(sha256)?),
        sticker: stored.sticker_id.map(|id| check::id("files.sticker_id", id)).transpose()?,
        density: stored.density.map(|density| check::density("files.density", density)).transpose()?,
        format: stored.format.map(|format| check::format("files.format", format)).transpose()?,
        width: stored.width.map(|width| check::unsigned("files.width", width)).transpose()?,
        height: stored.height.map(|height| check::unsigned("files.height", height)).transpose()?,
        recipe: stored.recipe.as_ref().map(recipe::from_wire).transpose()?,
    })
}

pub(super) fn to_wire(manifest: &Manifest) -> wire::ReleaseManifest {
    wire::ReleaseManifest {
        manifest_version: MANIFEST_VERSION,
        pack_id: manifest.pack.signed(),
        slug: manifest.slug.to_string(),
        titles: manifest.titles.clone(),
        descriptions: manifest.descriptions.clone(),
        artist: wire::Artist { slug: manifest.artist.slug.to_string(), name: manifest.artist.name.clone() },
        copyright: manifest.copyright.clone(),
        price_tier: manifest.price_tier.clone(),
        tags: manifest.tags.clone(),
        canvas_width_dp: check::signed(manifest.canvas.width_dp),
        canvas_height_dp: check::signed(manifest.canvas.height_dp),
        densities: manifest.densities.iter().map(|density| i32::from(density.get())).collect(),
        stickers: manifest.stickers.iter().map(sticker_to_wire).collect(),
        files: manifest.files.iter().map(file_to_wire).collect(),
        packer: manifest.packer.clone(),
    }
}

fn sticker_to_wire(sticker: &ReleaseSticker) -> wire::ReleaseSticker {
    wire::ReleaseSticker {
        sticker_id: sticker.id.signed(),
        name: sticker.name.clone(),
        emoji: sticker.emoji.clone(),
        alt_texts: sticker.alt_texts.clone(),
        frame_count: check::signed(sticker.frame_count),
        duration_ms: check::signed(sticker.duration_ms),
        loop_count: check::signed(sticker.loop_count),
        placeholder_colour: sticker.placeholder_colour.to_wire(),
    }
}

fn file_to_wire(file: &ReleaseFile) -> wire::ReleaseFile {
    wire::ReleaseFile {
        path: file.path.to_string(),
        kind: file.kind.to_wire(),
        // Checked to be at most 64 MiB.
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        sha256: file.sha256.as_bytes().to_vec(),
        sticker_id: file.sticker.map(crate::StickerId::signed),
        density: file.density.map(|density| i32::from(density.get())),
        format: file.format.map(crate::ImageFormat::to_wire),
        width: file.width.map(check::signed),
        height: file.height.map(check::signed),
        recipe: file.recipe.as_ref().map(recipe::to_wire),
    }
}

impl FileKind {
    fn from_wire(stored: wire::FileKind) -> Result<Self, MetadataError> {
        Ok(match stored {
            wire::FileKind::STICKER => Self::Sticker,
            wire::FileKind::BUNDLE => Self::Bundle,
            wire::FileKind::COVER => Self::Cover,
            wire::FileKind::ICON => Self::Icon,
            wire::FileKind::POSTER => Self::Poster,
            wire::FileKind::PREVIEW => Self::Preview,
            wire::FileKind::MASTER => Self::Master,
            _ => return Err(MetadataError::UnknownValue("files.kind")),
        })
    }

    fn to_wire(self) -> wire::FileKind {
        match self {
            Self::Sticker => wire::FileKind::STICKER,
            Self::Bundle => wire::FileKind::BUNDLE,
            Self::Cover => wire::FileKind::COVER,
            Self::Icon => wire::FileKind::ICON,
            Self::Poster => wire::FileKind::POSTER,
            Self::Preview => wire::FileKind::PREVIEW,
            Self::Master => wire::FileKind::MASTER,
        }
    }
}
