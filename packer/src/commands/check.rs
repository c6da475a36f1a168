//! `sticker-packer check DIR`

use std::path::Path;

use sticker_packer::check;
use sticker_packer::finding::any_error;

use super::{Status, failed};
use crate::printer::Printer;

pub(super) fn run(dir: &Path, printer: Printer) -> Status {
    match check(dir) {
        Ok(findings) => {
            printer.findings(&findings);
            let text = match findings.len() {
                0 => format!("{} is fine", dir.display()),
                1 => "1 finding".to_owned(),
                count => format!("{count} findings"),
            };
            printer.result(&serde_json::json!({ "findings": findings }), &text);
            if any_error(&findings) { Status::BadInput } else { Status::Done }
        }
        Err(error) => failed(&error, printer),
    }
}
