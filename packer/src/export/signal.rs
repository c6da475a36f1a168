//! Files for the sticker creator of Signal Desktop, and a list of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::frames::Frames;
use super::make::Made;
use super::names::Names;
use super::{LaidOut, Pack, webp};
use crate::error::Error;
use crate::finding::Finding;
use crate::lint::platforms::{Format, Platform};

#[derive(Serialize)]
struct Manifest<'a> {
    title: &'a str,
    author: &'a str,
    cover: &'static str,
    stickers: Vec<Sticker<'a>>,
}

#[derive(Serialize)]
struct Sticker<'a> {
    file: String,
    emoji: &'a str,
    description: &'a str,
}

/// One folder whose files sort as the stickers are listed; `None` where a finding is an error.
pub(super) fn lay_out(
    pack: &Pack<'_>,
    platform: &Platform,
    made: Vec<Made<'_>>,
    findings: &mut Vec<Finding>,
) -> Result<Option<LaidOut>, Error> {
    let size = platform.still.size.is;
    let Some(cover) = pack.cover(size.width, size.height, findings)? else { return Ok(None) };
    let limit = &platform.still.max_bytes;
    let cover = webp::code(&Frames::still(cover), limit.is)?;
    pack.check_cover(platform, limit, (size.width, size.height), (cover.len(), limit.is), findings);
    let mut files = BTreeMap::from([(COVER_FILE.to_owned(), cover)]);
    let mut names = Names::default();
    let (mut stickers, mut listed) = (Vec::new(), Vec::new());
    let digits = made.len().to_string().len();
    for (number, made) in (1..).zip(made) {
        let ending = if made.format == Format::Apng { "png" } else { "webp" };
        let file = format!("{number:0digits$}-{}.{ending}", names.of(&made.sticker.name));
        listed.push(Sticker {
            file: file.clone(),
            emoji: made.sticker.emoji.first().map(String::as_str).unwrap_or_default(),
            description: pack.text(&made.sticker.alt).unwrap_or_default(),
        });
        stickers.push(made.exported(&file));
        files.insert(file, made.file);
    }
    let manifest =
        Manifest { title: pack.title(), author: pack.artist(), cover: COVER_FILE, stickers: listed };
    files.insert(super::MANIFEST_FILE.to_owned(), super::json(&manifest)?);
    Ok(Some(LaidOut { packs: vec![pack.slug()], files, stickers }))
}

const COVER_FILE: &str = "cover.webp";
