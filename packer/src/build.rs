//! From a project to a release: decode and linearise once per frame, resize and encode for every density, all in parallel.

mod assemble;
mod frame;
mod web;

use std::path::Path;

use rayon::prelude::*;
use ring::rand::SecureRandom;
use serde::Serialize;
use sticker_protocol::release::MANIFEST_FILE;
use sticker_protocol::{Density, PackId, Sha256};

use crate::check::{self, Surveyed};
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::lock;
use crate::out::NewFolder;
use crate::progress::Progress;
use frame::{FrameFiles, Work};

/// How to build.
#[derive(Clone, Copy)]
pub struct BuildOptions<'a> {
    /// Threads; `None` for as many as there are cores. Changes the time, never the bytes.
    pub jobs: Option<usize>,
    /// Where the ids of new stickers come from.
    pub random: &'a dyn SecureRandom,
}

impl std::fmt::Debug for BuildOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildOptions").field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

/// What was built.
#[derive(Clone, Debug, Serialize)]
pub struct BuildReport {
    /// The release's id: the SHA-256 of its manifest.
    pub release: Sha256,
    /// The pack.
    pub pack: PackId,
    /// The pack's name in addresses.
    pub slug: String,
    /// Number of stickers.
    pub stickers: usize,
    /// The bundles, by density, ascending.
    pub bundles: Vec<BundleReport>,
    /// Warnings, the errors being the other way out.
    pub findings: Vec<Finding>,
}

/// One bundle.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BundleReport {
    /// The density.
    pub density: Density,
    /// The bundle's size in bytes.
    pub bytes: u64,
}

/// Builds the project in `folder` into `out`, which is replaced as a whole once everything is there, or left as it was.
///
/// # Errors
/// [`Error::BadInput`] with every finding, [`Error::Io`], or [`Error::OutputInTheWay`] where `out` holds something else than an
/// earlier build.
pub fn build(
    folder: &Path,
    out: &Path,
    options: &BuildOptions<'_>,
    progress: &dyn Progress,
) -> Result<BuildReport, Error> {
    let mut findings = Vec::new();
    let surveyed = check::survey(folder, &mut findings)?;
    let Some(surveyed) = surveyed else { return Err(Error::BadInput(findings)) };
    let new = NewFolder::start(out, is_release)?;

    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = options.jobs {
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().map_err(Error::Threads)?;
    let (frames, cover) =
        pool.install(|| rayon::join(|| render(&surveyed, progress), || web::cover(&surveyed)));
    let (frames, found) = frames?;
    findings.extend(found);
    let (cover, found) = cover?;
    findings.extend(found);
    if any_error(&findings) {
        return Err(Error::BadInput(findings));
    }
    let lock = lock::complete(&surveyed.project, surveyed.lock.as_ref(), options.random)?;
    let mut report = assemble::assemble(&surveyed, &lock, frames, cover, &new)?;
    new.put_in_place()?;
    report.findings = findings;
    Ok(report)
}

/// A folder with a manifest and nothing beside it that a build does not make, so that nobody's own files are removed.
fn is_release(folder: &Path) -> bool {
    let ours = |name: &str| {
        ["master", "web", MANIFEST_FILE].contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let only_ours = std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(ours)))
    });
    only_ours && folder.join(MANIFEST_FILE).is_file()
}

/// The files of every frame, by sticker; none for a sticker with a finding that is an error.
type Frames = Vec<Vec<FrameFiles>>;

fn render(surveyed: &Surveyed, progress: &dyn Progress) -> Result<(Frames, Vec<Finding>), Error> {
    let work: Vec<Work<'_>> = Work::all(surveyed);
    progress.begins(work.len());
    // Collected in order, so that neither bytes nor findings depend on which thread was faster.
    let done: Vec<_> = work
        .par_iter()
        .map(|work| {
            let files = work.render(surveyed);
            progress.step();
            files
        })
        .collect::<Result<_, Error>>()?;
    let mut frames: Frames = surveyed.artworks.iter().map(|_| Vec::new()).collect();
    let mut findings = Vec::new();
    for (work, (files, found)) in work.iter().zip(done) {
        findings.extend(found);
        if let (Some(files), Some(of_sticker)) = (files, frames.get_mut(work.sticker)) {
            of_sticker.push(files);
        }
    }
    Ok((frames, findings))
}

#[cfg(test)]
mod tests;
