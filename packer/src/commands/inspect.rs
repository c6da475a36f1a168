//! `sticker-packer inspect FILE`

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sticker_protocol::bundle::Bundle;
use sticker_protocol::limits::MAX_BUNDLE;
use sticker_protocol::release::Manifest;
use sticker_protocol::sticker::{MAGIC, Metadata, StickerFile};
use sticker_protocol::{ImageHeader, Sha256, StickerId};

use super::{NOT_READABLE, Status, read};
use crate::printer::Printer;

pub(super) fn run(file: &Path, printer: Printer) -> Status {
    let content = match read(file, MAX_BUNDLE, printer) {
        Ok(content) => content,
        Err(status) => return status,
    };
    let shown = match kind_of(&content) {
        Kind::Sticker => {
            StickerFile::read(&content).map(|sticker| sticker_shown(&sticker)).map_err(Into::into)
        }
        Kind::Bundle => Bundle::read(&content).map(|bundle| bundle_shown(&bundle)).map_err(Into::into),
        Kind::Manifest => {
            Manifest::read(&content).map(|manifest| manifest_shown(&manifest, &content)).map_err(Into::into)
        }
    };
    let shown: Result<(Value, String), Box<dyn std::error::Error>> = shown;
    match shown {
        Ok((document, text)) => {
            printer.result(&document, &text);
            Status::Done
        }
        Err(error) => {
            printer.failure_at("not_readable", file, error.as_ref(), NOT_READABLE);
            Status::BadInput
        }
    }
}

/// What a file is by its first bytes, whatever its name.
pub(super) enum Kind {
    Sticker,
    Bundle,
    Manifest,
}

pub(super) fn kind_of(content: &[u8]) -> Kind {
    if content.starts_with(&MAGIC) {
        Kind::Sticker
    } else if content.starts_with(b"PK") {
        Kind::Bundle
    } else {
        Kind::Manifest
    }
}

fn sticker_shown(sticker: &StickerFile<'_>) -> (Value, String) {
    let metadata = sticker.metadata();
    let mut document = metadata_json(metadata);
    let images: Vec<Value> = sticker
        .images()
        .iter()
        .map(|image| {
            let size =
                ImageHeader::read(image).map(|header| (header.width, header.height)).unwrap_or_default();
            json!({ "bytes": image.len(), "width": size.0, "height": size.1 })
        })
        .collect();
    let bytes: usize = sticker.images().iter().map(|image| image.len()).sum();
    let mut text = format!(
        "sticker {} of pack {}: {} x {} px at density {}, {}\n",
        metadata.sticker, metadata.pack, metadata.width, metadata.height, metadata.density, metadata.format
    );
    let _ = writeln!(text, "emoji {}, placeholder {}", metadata.emoji.join(" "), metadata.placeholder_colour);
    for (locale, alt) in &metadata.alt_texts {
        let _ = writeln!(text, "alt {locale}: {alt}");
    }
    let _ = writeln!(
        text,
        "{} frames, {} ms, {} images, {bytes} bytes",
        metadata.frames.len(),
        metadata.duration_ms(),
        images.len()
    );
    for (at, image) in sticker.images().iter().enumerate() {
        let _ = writeln!(text, "  image {at:>3}: {:>7} bytes", image.len());
    }
    for (at, frame) in metadata.frames.iter().enumerate() {
        let _ = writeln!(
            text,
            "  frame {at:>3}: image {:>3} at ({}, {}) for {} ms",
            frame.image, frame.x, frame.y, frame.duration_ms
        );
    }
    if let Value::Object(fields) = &mut document {
        fields.insert("images".to_owned(), Value::Array(images));
    }
    (document, text)
}

/// A sticker file's metadata as JSON, as `inspect --json` shows it and `extract` writes it.
pub(super) fn metadata_json(metadata: &Metadata) -> Value {
    let frames: Vec<Value> = metadata
        .frames
        .iter()
        .map(|frame| {
            json!({
                "image": frame.image, "x": frame.x, "y": frame.y, "duration_ms": frame.duration_ms,
                "blend": format!("{:?}", frame.blend).to_lowercase(),
                "dispose": format!("{:?}", frame.dispose).to_lowercase(),
            })
        })
        .collect();
    json!({
        "kind": "sticker",
        "sticker_id": metadata.sticker, "pack_id": metadata.pack, "density": metadata.density,
        "width": metadata.width, "height": metadata.height, "format": metadata.format,
        "loop_count": metadata.loop_count, "duration_ms": metadata.duration_ms(), "poster_frame": metadata.poster_frame,
        "emoji": metadata.emoji, "alt_texts": metadata.alt_texts,
        "placeholder_colour": metadata.placeholder_colour.to_string(), "frames": frames,
    })
}

fn bundle_shown(bundle: &Bundle<'_>) -> (Value, String) {
    let pack = bundle.pack();
    let mut text = format!(
        "bundle of pack {} ({}) at density {}, by {}\n",
        pack.id, pack.slug, pack.density, pack.artist
    );
    for (locale, title) in &pack.titles {
        let _ = writeln!(text, "title {locale}: {title}");
    }
    let stickers: Vec<Value> = pack
        .stickers
        .iter()
        .map(|sticker| {
            let mut shown = json!({ "sticker_id": sticker.id, "name": sticker.name });
            if let Some((bytes, it)) = held(bundle, sticker.id) {
                let _ = writeln!(
                    text,
                    "  {:>16}  {bytes:>8} bytes  {} x {} px {}, {} frames, {} ms  {}",
                    sticker.id,
                    it.width,
                    it.height,
                    it.format,
                    it.frames.len(),
                    it.duration_ms(),
                    sticker.name
                );
                shown = json!({
                    "sticker_id": sticker.id, "name": sticker.name, "bytes": bytes, "width": it.width, "height": it.height,
                    "format": it.format, "frames": it.frames.len(), "duration_ms": it.duration_ms(),
                });
            }
            shown
        })
        .collect();
    let document = json!({
        "kind": "bundle", "pack_id": pack.id, "slug": pack.slug.to_string(), "density": pack.density,
        "titles": pack.titles, "artist": pack.artist, "copyright": pack.copyright, "stickers": stickers,
    });
    (document, text)
}

/// What `inspect --json` shows of a bundle and `extract` writes beside its sticker files.
pub(super) fn bundle_json(bundle: &Bundle<'_>) -> Value {
    bundle_shown(bundle).0
}

/// Bytes and metadata of a sticker; the bundle was read, so each of its stickers is there and can be.
fn held(bundle: &Bundle<'_>, id: StickerId) -> Option<(usize, Metadata)> {
    let file = bundle.stickers().get(&id)?;
    Some((file.len(), StickerFile::read(file).ok()?.into_metadata()))
}

fn manifest_shown(manifest: &Manifest, content: &[u8]) -> (Value, String) {
    let id = Sha256::of(content);
    let mut text = format!(
        "release {id}\npack {} ({}), price tier {}\n",
        manifest.pack, manifest.slug, manifest.price_tier
    );
    let _ = writeln!(text, "{} stickers, built by {}", manifest.stickers.len(), manifest.packer);
    let files: Vec<Value> = manifest
        .files
        .iter()
        .map(|file| {
            let _ = writeln!(text, "  {:>9} bytes  {}", file.size, file.path);
            json!({ "path": file.path.to_string(), "size": file.size, "sha256": file.sha256 })
        })
        .collect();
    let document = json!({
        "kind": "release", "release": id, "pack_id": manifest.pack, "slug": manifest.slug.to_string(),
        "titles": manifest.titles, "price_tier": manifest.price_tier, "densities": manifest.densities,
        "stickers": manifest.stickers.len(), "packer": manifest.packer, "files": files,
    });
    (document, text)
}
