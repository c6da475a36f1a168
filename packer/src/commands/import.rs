//! `sticker-packer import SOURCE DIR`

use std::path::Path;

use sticker_packer::import::{ImportOptions, import};

use super::maker::maker;
use super::{Status, failed};
use crate::printer::Printer;

pub(super) fn run(source: &Path, dir: &Path, pack: Option<String>, printer: Printer) -> Status {
    match import(source, dir, &ImportOptions { pack, maker: maker(source) }) {
        Ok(report) => {
            printer.findings(&report.findings);
            let text = format!(
                "imported {} stickers into {dir}\nlook through {dir}/pack.toml, then: sticker-packer check {dir}",
                report.stickers,
                dir = dir.display()
            );
            printer.result(&report, &text);
            Status::Done
        }
        Err(error) => failed(&error, printer),
    }
}
