//! Files for Telegram's Bot API, and a list of them as `createNewStickerSet` wants it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::make::Made;
use super::names::Names;
use super::{LaidOut, Pack};
use crate::error::Error;
use crate::lint::platforms::{Format, Platform};

#[derive(Serialize)]
struct Manifest<'a> {
    title: &'a str,
    stickers: Vec<InputSticker<'a>>,
}

/// The Bot API's object of this name, with a file in the place of what is uploaded.
#[derive(Serialize)]
struct InputSticker<'a> {
    sticker: String,
    format: &'static str,
    emoji_list: &'a [String],
}

/// One folder of files.
pub(super) fn lay_out(pack: &Pack<'_>, platform: &Platform, made: Vec<Made<'_>>) -> Result<LaidOut, Error> {
    let most_emoji = platform.emoji.as_ref().map_or(usize::MAX, |emoji| emoji.is.max as usize);
    let mut files = BTreeMap::new();
    let mut names = Names::default();
    let (mut stickers, mut listed) = (Vec::new(), Vec::new());
    for made in made {
        let (ending, format) =
            if made.format == Format::WebmVp9 { ("webm", "video") } else { ("webp", "static") };
        let file = format!("stickers/{}.{ending}", names.of(&made.sticker.name));
        let emoji = &made.sticker.emoji;
        listed.push(InputSticker {
            sticker: file.clone(),
            format,
            emoji_list: emoji.get(..most_emoji).unwrap_or(emoji),
        });
        stickers.push(made.exported(&file));
        files.insert(file, made.file);
    }
    let manifest = Manifest { title: pack.title(), stickers: listed };
    files.insert(super::MANIFEST_FILE.to_owned(), super::json(&manifest)?);
    Ok(LaidOut { packs: vec![pack.slug()], files, stickers })
}
