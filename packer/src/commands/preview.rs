//! `sticker-packer preview OUT`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sticker_packer::Error;
use sticker_packer::preview::{PreviewError, PreviewOptions, PreviewReport, default_page, preview};
use sticker_packer::release::ReleaseError;

use super::Status;
use crate::printer::Printer;

pub(super) fn run(
    out: &Path,
    to: Option<PathBuf>,
    scores: bool,
    jobs: Option<usize>,
    printer: Printer,
) -> Status {
    let progress = printer.progress();
    let to = to.map_or_else(|| default_page(out).map_err(PreviewError::Packer), Ok);
    let done = to.and_then(|to| preview(out, &to, PreviewOptions { scores, jobs }, &progress));
    drop(progress);
    match done {
        Ok(report) => {
            printer.result(&report, &summary(&report));
            Status::Done
        }
        Err(error) => {
            printer.failure(error.code(), &error, error.hint());
            match error {
                PreviewError::Release(ReleaseError::Io { .. })
                | PreviewError::Packer(Error::Io { .. } | Error::Internal(_) | Error::Threads(_)) => {
                    Status::CannotReach
                }
                _ => Status::BadInput,
            }
        }
    }
}

fn summary(report: &PreviewReport) -> String {
    let lowest = report.variants.iter().filter_map(|variant| Some((variant.score?, variant)));
    let lowest = lowest.min_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut text = report.page.display().to_string();
    let _ = write!(
        text,
        "\n  {} KiB, for {} KiB of stickers at every density",
        report.bytes.div_ceil(1024),
        report.sticker_bytes.div_ceil(1024)
    );
    if let Some((score, variant)) = lowest {
        let _ = write!(
            text,
            "\n  lowest score {score:.1}: sticker {} at density {}",
            variant.name, variant.density
        );
    }
    text
}
