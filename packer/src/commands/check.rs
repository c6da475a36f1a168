//! `sticker-packer check DIR`

use std::path::Path;

use sticker_packer::finding::{Level, any_error};
use sticker_packer::{CheckOptions, check};

use super::{Status, failed};
use crate::printer::Printer;

pub(super) fn run(dir: &Path, options: &CheckOptions, printer: Printer) -> Status {
    match check(dir, options) {
        Ok(findings) => {
            printer.findings(&findings);
            let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
            let counts: Vec<_> = [Level::Error, Level::Warning, Level::Note]
                .into_iter()
                .filter_map(|level| match count(level) {
                    0 => None,
                    1 => Some(format!("1 {level}")),
                    count => Some(format!("{count} {level}s")),
                })
                .collect();
            let text = match counts.as_slice() {
                [] => format!("{} is fine", dir.display()),
                counts => counts.join(", "),
            };
            printer.result(&serde_json::json!({ "findings": findings }), &text);
            if any_error(&findings) { Status::BadInput } else { Status::Done }
        }
        Err(error) => failed(&error, printer),
    }
}
