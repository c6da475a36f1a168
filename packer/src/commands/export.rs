//! `sticker-packer export DIR --to MESSENGER --out OUT`

use std::fmt::Write as _;
use std::path::Path;

use sticker_packer::export::{ExportOptions, ExportReport, export};

use super::{Status, failed};
use crate::printer::Printer;

pub(super) fn run(dir: &Path, out: &Path, options: &ExportOptions, printer: Printer) -> Status {
    let progress = printer.progress();
    let exported = export(dir, out, options, &progress);
    drop(progress);
    match exported {
        Ok(report) => {
            printer.findings(&report.findings);
            printer.result(&report, &summary(&report, out));
            Status::Done
        }
        Err(error) => failed(&error, printer),
    }
}

fn summary(report: &ExportReport, out: &Path) -> String {
    let mut text = format!(
        "exported {} for {}: {} stickers, in {}\n",
        report.packs.join(", "),
        report.to,
        report.stickers.len(),
        out.display()
    );
    for sticker in &report.stickers {
        let _ = writeln!(
            text,
            "  {:>7} of {} bytes  score {:>5.1}  {}",
            sticker.bytes, sticker.max_bytes, sticker.score, sticker.file
        );
    }
    text
}
