//! `sticker-packer init DIR`

use std::path::Path;

use serde_json::json;
use sticker_packer::init::{InitError, init};

use super::maker::maker;
use super::{Status, failed};
use crate::printer::{Printer, json_path};

pub(super) fn run(dir: &Path, printer: Printer) -> Status {
    match init(dir, &maker(dir)) {
        Ok(written) => {
            printer.findings(&written.findings);
            let text = format!(
                "wrote {} with {} stickers\nlook through it, then: sticker-packer check {}",
                written.path.display(),
                written.stickers,
                dir.display()
            );
            printer.result(
                &json!({ "path": json_path(&written.path), "stickers": written.stickers, "findings": written.findings }),
                &text,
            );
            Status::Done
        }
        Err(InitError::Failed(error)) => failed(&error, printer),
        Err(error) => {
            let (code, hint) = match &error {
                InitError::AlreadyThere(_) => ("project_exists", "edit it, or remove it first"),
                _ => (
                    "no_artwork",
                    "put PNG, GIF, WebP or SVG files, or folders of numbered PNG frames, into it or into its folder `stickers`",
                ),
            };
            printer.failure(code, &error, hint);
            Status::BadInput
        }
    }
}
