//! Everything that is wrong with a project, at once.

use std::path::Path;

use sticker_protocol::limits::{MAX_DECODED_PIXELS, MAX_IMAGE_PIXELS};
use sticker_protocol::{Density, LADDER};

use crate::artwork::{self, Artwork, Kind};
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::lint::{self, platforms::PlatformId};
use crate::lock::{self, Lock};
use crate::project::{self, Project, StickerFile};
use crate::resize::fitted;

/// How to check.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Threads; `None` for as many as there are cores. Changes the time, never the findings.
    pub jobs: Option<usize>,
    /// The messengers whose published limits are looked at too.
    pub platforms: Vec<PlatformId>,
}

/// Reads the project file, the ids and every picture, looks at them, and reports all findings; builds nothing.
///
/// # Errors
/// [`Error::Io`] where the project cannot be read at all, [`Error::Threads`] where no threads can be started.
pub fn check(folder: &Path, options: &CheckOptions) -> Result<Vec<Finding>, Error> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = options.jobs {
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().map_err(Error::Threads)?;
    pool.install(|| {
        let mut findings = Vec::new();
        if let Some(surveyed) = survey(folder, &mut findings)? {
            lint::lint(&surveyed, &options.platforms, &mut findings);
        }
        Ok(findings)
    })
}

/// A project whose files were found and have sensible headers.
pub(crate) struct Surveyed {
    pub(crate) project: Project,
    pub(crate) lock: Option<Lock>,
    /// In the order of the project's stickers.
    pub(crate) artworks: Vec<Artwork>,
    pub(crate) cover: Option<Artwork>,
    /// Those of the ladder that every sticker fills.
    pub(crate) densities: Vec<Density>,
}

pub(crate) fn survey(folder: &Path, findings: &mut Vec<Finding>) -> Result<Option<Surveyed>, Error> {
    let project = project::load(folder, findings)?;
    let lock = lock::load(folder, findings)?;
    let Some(project) = project else { return Ok(None) };
    let stickers = &project.file.stickers;
    let artworks: Vec<_> =
        stickers.iter().map(|it| artwork::survey(&folder.join(&it.file), findings)).collect();
    for (sticker, artwork) in stickers.iter().zip(&artworks) {
        check_words(folder, sticker, findings);
        check_poster(folder, sticker, artwork.as_ref(), findings);
    }
    let cover = match &project.file.cover {
        Some(cover) => Some(folder.join(cover)),
        None => {
            Kind::ENDINGS.iter().map(|ending| folder.join(format!("cover.{ending}"))).find(|it| it.exists())
        }
    };
    let cover = cover.and_then(|cover| artwork::survey(&cover, findings));
    if any_error(findings) {
        return Ok(None);
    }
    let artworks: Vec<Artwork> = artworks.into_iter().flatten().collect();
    let densities = densities(&project, &artworks, findings);
    if any_error(findings) {
        return Ok(None);
    }
    Ok(Some(Surveyed { project, lock, artworks, cover, densities }))
}

/// The densities whose canvas every picture fills without being enlarged; the smallest where there is none.
fn densities(project: &Project, artworks: &[Artwork], findings: &mut Vec<Finding>) -> Vec<Density> {
    let fills = |density: Density, artwork: &Artwork| {
        let (width, height) = (density.px(project.canvas.width_dp), density.px(project.canvas.height_dp));
        let (width, height) = fitted(artwork.width, artwork.height, width, height);
        artwork.width >= width && artwork.height >= height
    };
    let mut built = LADDER.to_vec();
    for (sticker, artwork) in project.file.stickers.iter().zip(artworks) {
        let path = project.folder.join(&sticker.file);
        let mut leave_out = |needed: &dyn Fn(Density) -> bool, message: &str, hint: String| {
            let left_out: Vec<_> = LADDER.into_iter().filter(|&density| !needed(density)).collect();
            if let Some(first) = left_out.first() {
                let message = format!("{message} for density {first} and above");
                findings.push(Finding::warning("density_left_out", &path, message, hint));
            }
            built.retain(|density| !left_out.contains(density));
        };
        let side =
            LADDER.map(|density| density.px(project.canvas.width_dp)).into_iter().max().unwrap_or_default();
        leave_out(
            &|density| fills(density, artwork),
            &format!("{} x {} px are too few", artwork.width, artwork.height),
            format!("the whole pack is built without them; {side} px wide artwork fills every density"),
        );
        leave_out(
            &|density| holds(project, density, artwork),
            &format!("{} frames on this canvas have too many px", artwork.frames()),
            format!(
                "the whole pack is built without them; a sticker file holds {MAX_DECODED_PIXELS} px in all frames"
            ),
        );
    }
    let smallest = LADDER.first().copied();
    if built.is_empty()
        && let Some(smallest) =
            smallest.filter(|&it| artworks.iter().all(|artwork| holds(project, it, artwork)))
    {
        built.push(smallest);
    }
    if built.is_empty() {
        let canvas = project.canvas;
        let message = format!("a canvas of {} x {} dp is too large", canvas.width_dp, canvas.height_dp);
        let hint = format!(
            "choose a smaller one: a picture has at most {MAX_IMAGE_PIXELS} px, an animation {MAX_DECODED_PIXELS} px in all"
        );
        findings.push(Finding::error(
            "canvas_too_large",
            &project.folder.join(project::PROJECT_FILE),
            message,
            hint,
        ));
    }
    built
}

/// Whether a sticker file may hold the frames at this density; the canvas may be larger than the artwork.
fn holds(project: &Project, density: Density, artwork: &Artwork) -> bool {
    let (width, height) = (density.px(project.canvas.width_dp), density.px(project.canvas.height_dp));
    let pixels = u64::from(width) * u64::from(height);
    pixels <= MAX_IMAGE_PIXELS && pixels * artwork.frames() as u64 <= MAX_DECODED_PIXELS
}

fn check_words(folder: &Path, sticker: &StickerFile, findings: &mut Vec<Finding>) {
    let path = folder.join(&sticker.file);
    if sticker.emoji.is_empty() {
        let hint = format!(
            "add emoji = [\"...\"] to the sticker `{}`: keyboards suggest stickers by it",
            sticker.name
        );
        findings.push(Finding::warning("emoji_missing", &path, "it answers to no emoji", hint));
    }
    if sticker.alt.is_empty() {
        let hint =
            format!("add alt = {{ en = \"...\" }} to the sticker `{}`: screen readers say it", sticker.name);
        findings.push(Finding::warning("alt_missing", &path, "it has no alt text", hint));
    }
}

fn check_poster(
    folder: &Path,
    sticker: &StickerFile,
    artwork: Option<&Artwork>,
    findings: &mut Vec<Finding>,
) {
    let (Some(poster), Some(artwork)) = (sticker.poster, artwork) else { return };
    if poster as usize >= artwork.frames() {
        let message = format!("poster = {poster}, and there are {} frames", artwork.frames());
        findings.push(Finding::error(
            "poster_missing",
            &folder.join(&sticker.file),
            message,
            "frames count from 0",
        ));
    }
}
