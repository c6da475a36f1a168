//! Byte budgets: what is over is told with numbers, never made worse in silence.

use crate::check::Surveyed;
use crate::finding::Finding;
use crate::project::PROJECT_FILE;

use super::BuildReport;

/// Every sticker and bundle that has more bytes than the project allows.
pub(super) fn check(surveyed: &Surveyed, report: &BuildReport) -> Vec<Finding> {
    let file = &surveyed.project.file;
    let mut findings = Vec::new();
    if let Some(most) = file.build.max_sticker_bytes {
        for (sticker, named) in report.stickers.iter().zip(&file.stickers) {
            for variant in sticker.variants.iter().filter(|it| it.bytes as u64 > most) {
                let score =
                    variant.score.map_or_else(String::new, |score| format!(" at a score of {score:.1}"));
                let message = format!(
                    "it has {} bytes{score} at density {}, {} more than the {most} of the budget",
                    variant.bytes,
                    variant.density,
                    variant.bytes as u64 - most
                );
                let hint = format!(
                    "allow more in build.max_sticker_bytes, choose a lower quality than `{}`, or simplify the artwork",
                    report.quality
                );
                let path = surveyed.project.folder.join(&named.file);
                findings.push(Finding::error("sticker_over_budget", &path, message, hint));
            }
        }
    }
    if let Some(most) = file.build.max_bundle_bytes {
        for bundle in report.bundles.iter().filter(|it| it.bytes > most) {
            let message = format!(
                "the bundle for density {} has {} bytes, {} more than the {most} of the budget",
                bundle.density,
                bundle.bytes,
                bundle.bytes - most
            );
            let largest = report.stickers.iter().max_by_key(|sticker| bytes_at(sticker, bundle));
            let largest = largest.map_or_else(String::new, |it| {
                format!("; the largest sticker is `{}` with {} bytes", it.name, bytes_at(it, bundle))
            });
            let hint = format!(
                "allow more in build.max_bundle_bytes, choose a lower quality than `{}`, or take stickers out{largest}",
                report.quality
            );
            let path = surveyed.project.folder.join(PROJECT_FILE);
            findings.push(Finding::error("bundle_over_budget", &path, message, hint));
        }
    }
    findings
}

fn bytes_at(sticker: &super::StickerReport, bundle: &super::BundleReport) -> usize {
    let at = sticker.variants.iter().find(|variant| variant.density == bundle.density);
    at.map(|variant| variant.bytes).unwrap_or_default()
}
