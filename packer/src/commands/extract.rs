//! `sticker-packer extract FILE --out DIR`

use std::path::Path;

use serde_json::json;
use sticker_packer::Error;
use sticker_packer::out::NewFolder;
use sticker_protocol::bundle::Bundle;
use sticker_protocol::limits::MAX_BUNDLE;
use sticker_protocol::sticker::StickerFile;

use super::inspect::{Kind, bundle_json, kind_of, metadata_json};
use super::{NOT_READABLE, Status, failed, read};
use crate::printer::{Printer, json_path};

pub(super) fn run(file: &Path, out: &Path, printer: Printer) -> Status {
    let content = match read(file, MAX_BUNDLE, printer) {
        Ok(content) => content,
        Err(status) => return status,
    };
    let files: Result<Files, Box<dyn std::error::Error>> = match kind_of(&content) {
        Kind::Sticker => StickerFile::read(&content).map(|it| sticker_files(&it)).map_err(Into::into),
        Kind::Bundle => Bundle::read(&content).map(|it| bundle_files(&it)).map_err(Into::into),
        Kind::Manifest => Err("it is neither a sticker file nor a bundle".into()),
    };
    let files = match files {
        Ok(files) => files,
        Err(error) => {
            printer.failure_at("not_readable", file, error.as_ref(), NOT_READABLE);
            return Status::BadInput;
        }
    };
    match write(out, &files) {
        Ok(()) => {
            let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
            printer.result(
                &json!({ "out": json_path(out), "files": names }),
                &format!("{} files in {}", files.len(), out.display()),
            );
            Status::Done
        }
        Err(error) => failed(&error, printer),
    }
}

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

fn write(out: &Path, files: &Files) -> Result<(), Error> {
    let folder = NewFolder::start(out, |_| false)?;
    files.iter().try_for_each(|(name, content)| folder.write(name, content))?;
    folder.put_in_place()
}

/// The images as they are, and what the file says of them.
fn sticker_files(sticker: &StickerFile<'_>) -> Files {
    let ending = sticker.metadata().format.extension();
    let images = sticker.images().iter().enumerate();
    let mut files: Vec<_> = images.map(|(at, image)| (format!("{at:03}.{ending}"), image.to_vec())).collect();
    let metadata = serde_json::to_vec_pretty(&metadata_json(sticker.metadata())).unwrap_or_default();
    files.push(("sticker.json".to_owned(), metadata));
    files
}

/// The sticker files as they are, and what the bundle says of them; the names are made from ids, never taken from the archive.
fn bundle_files(bundle: &Bundle<'_>) -> Files {
    let stickers = bundle.stickers().iter();
    let mut files: Files = stickers.map(|(id, file)| (format!("{id}.sticker"), file.to_vec())).collect();
    let pack = serde_json::to_vec_pretty(&bundle_json(bundle)).unwrap_or_default();
    files.push(("pack.json".to_owned(), pack));
    files
}
