//! The record that an export keeps of itself, so that the next one replaces what an export wrote and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ExportReport, ExportedSticker, Messenger};
use crate::error::Error;

/// The record's name.
pub(super) const RECORD: &str = "export.json";

/// What the packer writes.
#[derive(Serialize)]
struct Record<'a> {
    packer: &'static str,
    to: Messenger,
    packs: &'a [String],
    stickers: &'a [ExportedSticker],
    /// Every other file, relative to the record, with forward slashes.
    files: Vec<&'a str>,
}

/// What it reads of that.
#[derive(Deserialize)]
struct Written {
    packer: String,
    files: Vec<String>,
}

pub(super) fn record(report: &ExportReport, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let record = Record {
        packer: concat!("sticker-packer ", env!("CARGO_PKG_VERSION")),
        to: report.to,
        packs: &report.packs,
        stickers: &report.stickers,
        files: files.keys().map(String::as_str).collect(),
    };
    super::json(&record)
}

/// Whether a folder holds what an export wrote and nothing else.
pub(super) fn is_export(folder: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(folder.join(RECORD)).and_then(|file| file.take(MAX_RECORD).read_to_end(&mut text));
    let written = read.ok().and_then(|_| serde_json::from_slice::<Written>(&text).ok());
    let Some(written) = written.filter(|it| it.packer.starts_with("sticker-packer ")) else { return false };
    let is_ours = |path: &str| path == RECORD || written.files.iter().any(|file| file == path);
    holds_only(folder, "", &is_ours)
}

/// A thousand stickers take less.
const MAX_RECORD: u64 = 4 << 20;

fn holds_only(folder: &Path, before: &str, is_ours: &dyn Fn(&str) -> bool) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.into_iter().all(|entry| {
        let Ok(entry) = entry else { return false };
        let Some(path) = entry.file_name().to_str().map(|name| format!("{before}{name}")) else {
            return false;
        };
        let Ok(kind) = entry.file_type() else { return false };
        if kind.is_dir() { holds_only(&entry.path(), &format!("{path}/"), is_ours) } else { is_ours(&path) }
    })
}
