//! What must hold before a release is shown. Everything that is wrong is told, not the first thing.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use image_check::Verdict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use sticker_protocol::bundle::Bundle;
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{ImageFormat, Sha256, StickerId};

use super::web::{causes, words};
use crate::app::App;
use crate::catalogue::entity::{pack, sticker};
use crate::web::error::{Error, Finding};

/// Ids and slug are free or this client's, the price tier exists, and every database can keep the texts.
pub(super) async fn names(app: &App, manifest: &Manifest, client_id: &str) -> Result<(), Error> {
    let mut findings = Vec::new();
    let mut wrong = |code, message: String, hint| {
        findings.push(Finding { path: "release.thrift".to_owned(), code, message, hint });
    };
    let of_pack = pack::Entity::find_by_id(manifest.pack.signed()).one(&app.db).await?;
    if of_pack.is_some_and(|pack| pack.client_id != client_id) {
        wrong("pack_taken", format!("pack {} is another client's", manifest.pack), "keep your own pack.lock");
    }
    let of_slug =
        pack::Entity::find().filter(pack::Column::Slug.eq(manifest.slug.as_str())).one(&app.db).await?;
    if of_slug.is_some_and(|pack| pack.id != manifest.pack.signed()) {
        wrong(
            "slug_taken",
            format!("the slug {} is another pack's", manifest.slug),
            "choose another slug in pack.toml",
        );
    }
    let ids: Vec<i64> = manifest.stickers.iter().map(|sticker| sticker.id.signed()).collect();
    let taken = sticker::Entity::find().filter(sticker::Column::Id.is_in(ids)).all(&app.db).await?;
    for taken in taken.iter().filter(|taken| taken.pack_id != manifest.pack.signed()) {
        wrong("sticker_taken", format!("sticker {} is in another pack", taken.id), "keep your own pack.lock");
    }
    if app.config.price(&manifest.price_tier).is_none() {
        let message = format!("the store has no price tier {}", manifest.price_tier);
        wrong("unknown_tier", message, "use one of the store's tiers in pack.toml, such as free");
    }
    if words(manifest).contains('\0') {
        let message = "a title, a tag, the artist's name or an emoji has a zero byte".to_owned();
        wrong("zero_byte", message, "write the text without it in pack.toml");
    }
    rejected(findings)
}

/// Every file is what the manifest says, and every picture decodes.
pub(super) async fn files(app: &App, manifest: &Manifest) -> Result<(), Error> {
    let mut findings = Vec::new();
    let mut stickers: BTreeMap<(u16, StickerId), Sha256> = BTreeMap::new();
    for file in &manifest.files {
        if let (FileKind::Sticker, Some(id), Some(density)) = (file.kind, file.sticker, file.density) {
            stickers.insert((density.get(), id), file.sha256);
        }
    }
    for file in &manifest.files {
        let Some(content) = app.objects.get(file.sha256).await? else {
            findings.push(finding(file, "file_missing", "it was not uploaded".to_owned()));
            continue;
        };
        let (file, pack, order) =
            (file.clone(), manifest.pack, manifest.stickers.iter().map(|it| it.id).collect::<Vec<_>>());
        let expected = stickers.clone();
        // Decoding is work for a thread of its own: other requests go on.
        let checked = tokio::task::spawn_blocking(move || {
            let expected = Expected { pack, stickers: &expected, order: &order };
            check(&file, &content, &expected).map_err(|(code, message)| finding(&file, code, message))
        });
        if let Err(found) = checked.await.map_err(|error| Error::internal(&error))? {
            findings.push(found);
        }
    }
    rejected(findings)
}

/// What files must agree with.
struct Expected<'a> {
    pack: sticker_protocol::PackId,
    stickers: &'a BTreeMap<(u16, StickerId), Sha256>,
    order: &'a [StickerId],
}

type Wrong = (&'static str, String);

fn check(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Result<(), Wrong> {
    match file.kind {
        FileKind::Sticker | FileKind::Master => check_sticker(file, content, expected),
        FileKind::Bundle => check_bundle(file, content, expected),
        FileKind::Cover | FileKind::Icon | FileKind::Poster => check_picture(file, content),
        FileKind::Preview => image_check::animation(content, file.width, file.height),
    }
}

fn check_sticker(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Verdict {
    let sticker = StickerFile::read(content).map_err(|error| ("bad_sticker_file", causes(&error)))?;
    let metadata = sticker.metadata();
    let agrees = Some(metadata.sticker) == file.sticker
        && metadata.pack == expected.pack
        && Some(metadata.density) == file.density
        && Some(metadata.format) == file.format
        && (Some(metadata.width), Some(metadata.height)) == (file.width, file.height);
    if !agrees {
        return Err(("manifest_disagrees", "its metadata are not what the manifest says".to_owned()));
    }
    for (at, image) in sticker.images().iter().enumerate() {
        image_check::still(image, metadata.format)
            .map_err(|(code, message)| (code, format!("image {at}: {message}")))?;
    }
    Ok(())
}

fn check_bundle(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Verdict {
    let bundle = Bundle::read(content).map_err(|error| ("bad_bundle", causes(&error)))?;
    let pack = bundle.pack();
    let density = file.density.map_or(0, sticker_protocol::Density::get);
    let same_order = pack.stickers.iter().map(|sticker| sticker.id).eq(expected.order.iter().copied());
    if pack.id != expected.pack || pack.density.get() != density || !same_order {
        return Err(("manifest_disagrees", "its pack entry is not what the manifest says".to_owned()));
    }
    for (&id, sticker) in bundle.stickers() {
        if expected.stickers.get(&(density, id)) != Some(&Sha256::of(sticker)) {
            return Err(("manifest_disagrees", format!("sticker {id} is not the release's file")));
        }
    }
    Ok(())
}

fn check_picture(file: &ReleaseFile, content: &[u8]) -> Verdict {
    let (width, height) = image_check::still(content, ImageFormat::WebP)?;
    if (Some(width), Some(height)) == (file.width, file.height) {
        return Ok(());
    }
    Err(("manifest_disagrees", "its size is not what the manifest says".to_owned()))
}

fn finding(file: &ReleaseFile, code: &'static str, message: String) -> Finding {
    let hint = "build the release again with sticker-packer and publish it unchanged";
    Finding { path: file.path.to_string(), code, message, hint }
}

fn rejected(findings: Vec<Finding>) -> Result<(), Error> {
    if findings.is_empty() {
        return Ok(());
    }
    let message = match findings.len() {
        1 => "1 thing is wrong with the release".to_owned(),
        count => format!("{count} things are wrong with the release"),
    };
    Err(Error::new(StatusCode::UNPROCESSABLE_ENTITY, "release_rejected", message).findings(findings))
}

/// Pictures are decoded by memory-safe decoders, after their size was read from the header.
mod image_check {
    use sticker_packer::picture::{decode, decode_animation};
    use sticker_protocol::ImageFormat;

    use super::{Wrong, causes};

    pub(super) type Verdict = Result<(), Wrong>;

    pub(super) fn still(image: &[u8], format: ImageFormat) -> Result<(u32, u32), Wrong> {
        let picture = decode(image, format).map_err(|error| ("bad_image", causes(&error)))?;
        Ok((picture.width, picture.height))
    }

    pub(super) fn animation(content: &[u8], width: Option<u32>, height: Option<u32>) -> Verdict {
        let size = decode_animation(content).map_err(|error| ("bad_image", causes(&error)))?;
        if (Some(size.width), Some(size.height)) == (width, height) {
            return Ok(());
        }
        Err(("manifest_disagrees", "its size is not what the manifest says".to_owned()))
    }
}
