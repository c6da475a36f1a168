//! From a project to a release: decode and linearise once per frame, resize and encode for every density, all in parallel.

mod assemble;
mod budget;
mod cache;
pub(crate) mod plan;
pub(crate) mod render;
mod schedule;
pub(crate) mod timing;
mod web;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ring::rand::SecureRandom;
use serde::Serialize;
use sticker_protocol::release::MANIFEST_FILE;
use sticker_protocol::{Density, PackId, Sha256, StickerId};

use crate::check;
use crate::encode::{Effort, Quality};
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::lock;
use crate::out::NewFolder;
use crate::progress::Progress;
use crate::room::{ROOM, Room};
use schedule::Renderer;

/// How to build.
#[derive(Clone)]
pub struct BuildOptions<'a> {
    /// Threads; `None` for as many as there are cores. Changes the time, never the bytes.
    pub jobs: Option<usize>,
    /// Where the ids of new stickers come from.
    pub random: &'a dyn SecureRandom,
    /// What the pictures must look like; the project's word, else [`Quality::Standard`], where `None`.
    pub quality: Option<Quality>,
    /// How long to look for smaller files.
    pub effort: Effort,
    /// The folder that remembers what was rendered before; `None` to remember nothing. Changes the time, never the bytes.
    pub cache: Option<PathBuf>,
}

impl<'a> BuildOptions<'a> {
    /// What is usual, without a cache.
    pub fn new(random: &'a dyn SecureRandom) -> Self {
        Self { jobs: None, random, quality: None, effort: Effort::Default, cache: None }
    }
}

impl std::fmt::Debug for BuildOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { jobs, random: _, quality, effort, cache } = self;
        f.debug_struct("BuildOptions")
            .field("jobs", jobs)
            .field("quality", quality)
            .field("effort", effort)
            .field("cache", cache)
            .finish_non_exhaustive()
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
    /// How good the pictures are.
    pub quality: Quality,
    /// The stickers in the pack's order.
    pub stickers: Vec<StickerReport>,
    /// The bundles, by density, ascending.
    pub bundles: Vec<BundleReport>,
    /// Warnings, the errors being the other way out.
    pub findings: Vec<Finding>,
}

impl BuildReport {
    /// The lowest score of a sticker at a density; see [`VariantReport::score`].
    pub fn score(&self, sticker: StickerId, density: Density) -> Option<f64> {
        let sticker = self.stickers.iter().find(|it| it.id == sticker)?;
        sticker.variants.iter().find(|it| it.density == density)?.score
    }
}

/// One bundle.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BundleReport {
    /// The density.
    pub density: Density,
    /// The bundle's size in bytes.
    pub bytes: u64,
}

/// One sticker.
#[derive(Clone, Debug, Serialize)]
pub struct StickerReport {
    /// The sticker.
    pub id: StickerId,
    /// The designer's name for it.
    pub name: String,
    /// Number of frames, of those that follow each other and look the same one; 1 for a still.
    pub frames: usize,
    /// At each density, ascending.
    pub variants: Vec<VariantReport>,
}

/// One sticker at one density.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct VariantReport {
    /// The density.
    pub density: Density,
    /// Bytes of its images.
    pub bytes: usize,
    /// The lowest SSIMULACRA2 score of those of its images that were scored; `None` with [`Effort::Fast`], which measures nothing.
    pub score: Option<f64>,
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
    let quality = options.quality.or(surveyed.project.file.build.quality).unwrap_or_default();
    let room = Room::new(ROOM);
    let renderer = Renderer::new(&surveyed, quality, options, &room, progress);
    let cover = Mutex::new(None);
    pool.in_place_scope(|scope| {
        let place = room.enter(web::weight(&surveyed));
        let (surveyed, cover) = (&surveyed, &cover);
        scope.spawn(move |_| {
            *cover.lock().unwrap_or_else(PoisonError::into_inner) = Some(web::cover(surveyed, quality));
            drop(place);
        });
        renderer.start(scope);
    });
    let (rendered, found) = renderer.finish()?;
    findings.extend(found);
    let cover = cover.into_inner().unwrap_or_else(PoisonError::into_inner).transpose()?;
    let (cover, found) = cover.unwrap_or_default();
    findings.extend(found);
    if any_error(&findings) {
        return Err(Error::BadInput(findings));
    }
    let lock = lock::complete(&surveyed.project, surveyed.lock.as_ref(), options.random)?;
    let mut report = assemble::assemble(&surveyed, &lock, &rendered, cover, &new, options.effort)?;
    report.quality = quality;
    findings.extend(budget::check(&surveyed, &report));
    if any_error(&findings) {
        return Err(Error::BadInput(findings));
    }
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

#[cfg(test)]
mod tests;
