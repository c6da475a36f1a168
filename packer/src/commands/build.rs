//! `sticker-packer build DIR --out OUT`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use ring::rand::SystemRandom;
use sticker_packer::{BuildOptions, BuildReport, StickerReport, build};

use super::{Status, failed};
use crate::cli::How;
use crate::printer::Printer;

#[expect(clippy::disallowed_methods, reason = "the edge, where randomness comes from the system")]
pub(super) fn run(dir: &Path, out: &Path, how: &How, jobs: Option<usize>, printer: Printer) -> Status {
    let progress = printer.progress();
    let random = SystemRandom::new();
    let built = build(dir, out, &options(how, jobs, &random), &progress);
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

pub(super) fn options<'a>(how: &How, jobs: Option<usize>, random: &'a SystemRandom) -> BuildOptions<'a> {
    BuildOptions {
        jobs,
        quality: how.quality,
        effort: how.effort.into(),
        cache: if how.no_cache { None } else { cache_folder() },
        ..BuildOptions::new(random)
    }
}

/// In the user's cache folder, as the system has it; none where there is none.
fn cache_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.cache_dir().join("sticker-packer"))
}

pub(super) fn summary(report: &BuildReport, out: &Path) -> String {
    let mut text = format!(
        "built {}: pack {}, {} stickers, in {}\n",
        report.slug,
        report.pack,
        report.stickers.len(),
        out.display()
    );
    // Of an animation some images stand for all.
    let of =
        if report.stickers.iter().any(|it| it.frames > 1) { " of the images that were scored" } else { "" };
    for bundle in &report.bundles {
        let kilobytes = bundle.bytes.div_ceil(1024);
        let _ = write!(text, "  density {:>3}  {kilobytes:>6} KiB", bundle.density);
        let at = |sticker: &StickerReport| {
            let here = sticker.variants.iter().find(|variant| variant.density == bundle.density)?;
            here.score
        };
        let lowest = report.stickers.iter().map(at).try_fold(100.0_f64, |low, score| Some(low.min(score?)));
        let _ = match lowest {
            Some(100.0) => writeln!(text, "  nothing lost"),
            Some(lowest) => writeln!(text, "  lowest score {lowest:.1}{of}"),
            None => writeln!(text),
        };
    }
    text
}
