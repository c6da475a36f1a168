//! Packs as `WhatsApp`'s sample apps keep them: `contents.json`, and the pictures beside it or in a folder for each pack.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Copied, ImportOptions, Plan, place};
use crate::error::Error;
use crate::finding::Finding;
use crate::init::{Draft, DraftSticker, Maker, slug_of};
use crate::project::stays_inside;

/// The file that describes the packs.
pub(crate) const CONTENTS_FILE: &str = "contents.json";
/// Bytes of that file: ten thousand stickers need less.
const MAX_CONTENTS: u64 = 4 << 20;

#[derive(Deserialize)]
struct Contents {
    sticker_packs: Vec<Pack>,
}

#[derive(Deserialize)]
struct Pack {
    identifier: String,
    name: String,
    #[serde(default)]
    publisher: String,
    tray_image_file: Option<String>,
    stickers: Vec<Sticker>,
}

#[derive(Deserialize)]
struct Sticker {
    image_file: String,
    #[serde(default)]
    emojis: Vec<String>,
    #[serde(default)]
    accessibility_text: String,
}

/// The pack that was asked for; `None` where a finding is an error.
pub(super) fn read(
    source: &Path,
    path: &Path,
    options: &ImportOptions,
    findings: &mut Vec<Finding>,
) -> Result<Option<Plan>, Error> {
    let mut text = Vec::new();
    let open = File::open(path).and_then(|file| file.take(MAX_CONTENTS + 1).read_to_end(&mut text));
    if open.map_err(Error::io("read", path))? as u64 > MAX_CONTENTS {
        let message = format!("it has more than {MAX_CONTENTS} bytes");
        let hint = "a pack of thirty stickers has a few thousand: check that it is the right file";
        findings.push(Finding::error("contents_too_large", path, message, hint));
        return Ok(None);
    }
    let contents: Contents = match serde_json::from_slice(&text) {
        Ok(contents) => contents,
        Err(error) => {
            let hint = "it holds `sticker_packs`, each with identifier, name and stickers, as WhatsApp's sample app has them";
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let finding = Finding::error("contents_invalid", path, error.to_string(), hint);
            findings.push(finding.at_line(number(error.line()), number(error.column())));
            return Ok(None);
        }
    };
    let chosen = choose(contents.sticker_packs, path, options.pack.as_deref(), findings);
    Ok(chosen.map(|pack| plan(source, path, &pack, options, findings)))
}

fn choose(packs: Vec<Pack>, path: &Path, wanted: Option<&str>, findings: &mut Vec<Finding>) -> Option<Pack> {
    let names: Vec<_> = packs.iter().take(LISTED).map(|pack| shown(&pack.identifier)).collect();
    let more = if packs.len() > LISTED { ", ..." } else { "" };
    let list = format!("it holds {} packs: {}{more}", packs.len(), names.join(", "));
    let hint = "choose one with --pack IDENTIFIER";
    let mut fitting = packs.into_iter().filter(|pack| wanted.is_none_or(|wanted| pack.identifier == wanted));
    match (fitting.next(), fitting.next()) {
        (Some(pack), None) => Some(pack),
        (Some(_), Some(_)) => {
            findings.push(Finding::error("pack_not_chosen", path, list, hint));
            None
        }
        (None, _) => {
            findings.push(Finding::error("pack_unknown", path, list, hint));
            None
        }
    }
}

/// Packs that a message lists.
const LISTED: usize = 10;

/// What somebody else wrote, for a terminal.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn plan(
    source: &Path,
    path: &Path,
    pack: &Pack,
    options: &ImportOptions,
    findings: &mut Vec<Finding>,
) -> Plan {
    let mut copies = Vec::new();
    let mut taken = BTreeSet::new();
    let mut stickers = Vec::new();
    for sticker in &pack.stickers {
        let to = place(&sticker.image_file, &mut taken);
        let stem = Path::new(&sticker.image_file).file_stem().unwrap_or_default().to_string_lossy();
        if let Some(from) = find(source, path, pack, &sticker.image_file, findings) {
            copies.push(Copied { from, to: to.clone() });
        }
        let alt = Some(sticker.accessibility_text.trim().to_owned()).filter(|alt| !alt.is_empty());
        let emoji = sticker.emojis.iter().filter(|emoji| !emoji.is_empty()).cloned().collect();
        stickers.push(DraftSticker { name: stem.into_owned(), file: to, emoji, alt, is_folder: false });
    }
    let mut cover = None;
    if let Some(tray) = pack.tray_image_file.as_deref().filter(|tray| !tray.is_empty())
        && let Some(from) = find(source, path, pack, tray, findings)
    {
        let ending = from.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
        let to = format!("cover{}", ending.unwrap_or_default());
        copies.push(Copied { from, to: to.clone() });
        cover = Some(to);
    }
    // An app's own identifiers are often numbers, which say nothing in an address.
    let says_something = pack.identifier.bytes().any(|byte| byte.is_ascii_alphabetic());
    let slug = Some(&pack.identifier).filter(|_| says_something).and_then(|it| slug_of(it));
    let slug = slug.or_else(|| slug_of(&pack.name)).unwrap_or_else(|| "my-stickers".to_owned());
    let publisher = Some(pack.publisher.trim().to_owned()).filter(|name| !name.is_empty());
    let maker = Maker {
        artist: publisher.or_else(|| options.maker.artist.clone()),
        locale: options.maker.locale.clone(),
    };
    Plan { draft: Draft { slug, title: pack.name.clone(), cover, stickers }, maker, copies }
}

/// In the pack's folder or beside the description; `None` with a finding where the name leads elsewhere.
fn find(source: &Path, path: &Path, pack: &Pack, file: &str, findings: &mut Vec<Finding>) -> Option<PathBuf> {
    if file.is_empty() || !stays_inside(Path::new(file)) || !stays_inside(Path::new(&pack.identifier)) {
        let message = format!("{} in {} leads out of the folder", shown(file), shown(&pack.identifier));
        let hint = "name a file of the pack's folder, without `..`";
        findings.push(Finding::error("path_outside", path, message, hint));
        return None;
    }
    let in_folder = source.join(&pack.identifier).join(file);
    Some(if in_folder.exists() { in_folder } else { source.join(file) })
}
