//! Texts that are too long for a messenger.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::codes::{Rule, code};
use super::super::platforms::{Limit, Platform};
use crate::check::Readable;
use crate::finding::Finding;
use crate::project::PROJECT_FILE;

/// Which of some texts by locale are looked at.
pub(super) type Chosen<'a> = &'a dyn Fn(&BTreeMap<String, String>) -> Vec<&str>;

/// Every one.
pub(super) fn all(texts: &BTreeMap<String, String>) -> Vec<&str> {
    texts.values().map(String::as_str).collect()
}

pub(super) fn check(
    platform: &Platform,
    readable: &Readable<'_>,
    chosen: Chosen<'_>,
    findings: &mut Vec<Finding>,
) {
    let mut too_long = |what: &str, text: &str, limit: &Option<Limit<u32>>, path: &Path| {
        let Some(limit) = limit else { return };
        let length = text.encode_utf16().count();
        if length > limit.is as usize {
            let message = format!("{what} has {length} characters, and {} takes {}", platform.name, limit.is);
            let hint = format!("shorten it ({})", limit.stated());
            findings.push(Finding::error(code(platform.id, Rule::TextTooLong), path, message, hint));
        }
    };
    let file = &readable.project.file;
    let pack = readable.project.folder.join(PROJECT_FILE);
    for title in chosen(&file.titles) {
        too_long("a title", title, &platform.title_chars, &pack);
    }
    too_long("the artist's name", &readable.project.artist.name, &platform.artist_chars, &pack);
    for &(sticker, artwork) in &readable.stickers {
        let kind = if artwork.frames() > 1 { &platform.animated } else { &platform.still };
        for alt in chosen(&sticker.alt) {
            too_long("its alternative text", alt, &kind.alt_chars, &artwork.path);
        }
    }
}
