//! `sticker-packer build DIR --out OUT`

use std::fmt::Write as _;
use std::path::Path;

use ring::rand::SystemRandom;
use sticker_packer::{BuildOptions, BuildReport, build};

use super::{Status, failed};
use crate::printer::Printer;

#[expect(clippy::disallowed_methods, reason = "the edge, where randomness comes from the system")]
pub(super) fn run(dir: &Path, out: &Path, jobs: Option<usize>, printer: Printer) -> Status {
    let progress = printer.progress();
    let built = build(dir, out, &BuildOptions { jobs, random: &SystemRandom::new() }, &progress);
    drop(progress);
    match built {
        Ok(report) => {
            printer.findings(&report.findings);
            printer.result(&report, &summary(&report, out));
            Status::Done
        }
        Err(error) => failed(&error, printer),
    }
}

fn summary(report: &BuildReport, out: &Path) -> String {
    let mut text = format!(
        "built {}: pack {}, {} stickers, in {}\n",
        report.slug,
        report.pack,
        report.stickers,
        out.display()
    );
    for bundle in &report.bundles {
        let kilobytes = bundle.bytes.div_ceil(1024);
        let _ = writeln!(text, "  density {:>3}  {kilobytes:>6} KiB", bundle.density);
    }
    text
}
