//! Everything that is wrong with a project, at once.

use std::path::Path;

use sticker_protocol::limits::{MAX_DECODED_PIXELS, MAX_IMAGE_PIXELS};
use sticker_protocol::{Density, LADDER};

use crate::artwork::{self, Artwork, Kind};
use crate::build::timing;
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
    let mut findings = Vec::new();
    if let Some(found) = find(folder, &mut findings)? {
        lint::lint(&found.readable(), &options.platforms, &pool, &mut findings);
    }
    Ok(findings)
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

/// A project whose files were looked for, whatever is wrong with some of them.
struct Found {
    project: Project,
    lock: Option<Lock>,
    /// In the order of the project's stickers; none where it has no sensible header.
    artworks: Vec<Option<Artwork>>,
    cover: Option<Artwork>,
    densities: Vec<Density>,
}

/// What of a project can be looked at: the stickers with sensible headers, in the project's order.
pub(crate) struct Readable<'a> {
    pub(crate) project: &'a Project,
    pub(crate) stickers: Vec<(&'a StickerFile, &'a Artwork)>,
    pub(crate) cover: Option<&'a Artwork>,
}

impl Found {
    fn readable(&self) -> Readable<'_> {
        let stickers = readable(&self.project, &self.artworks);
        Readable { project: &self.project, stickers, cover: self.cover.as_ref() }
    }
}

impl Surveyed {
    /// All of it.
    pub(crate) fn readable(&self) -> Readable<'_> {
        let stickers = self.project.file.stickers.iter().zip(&self.artworks).collect();
        Readable { project: &self.project, stickers, cover: self.cover.as_ref() }
    }
}

fn readable<'a>(
    project: &'a Project,
    artworks: &'a [Option<Artwork>],
) -> Vec<(&'a StickerFile, &'a Artwork)> {
    let stickers = project.file.stickers.iter().zip(artworks);
    stickers.filter_map(|(sticker, artwork)| Some((sticker, artwork.as_ref()?))).collect()
}

/// For what is made of the whole project: `None` where a finding is an error.
pub(crate) fn survey(folder: &Path, findings: &mut Vec<Finding>) -> Result<Option<Surveyed>, Error> {
    let found = find(folder, findings)?.filter(|_| !any_error(findings));
    Ok(found.map(|Found { project, lock, artworks, cover, densities }| Surveyed {
        project,
        lock,
        artworks: artworks.into_iter().flatten().collect(),
        cover,
        densities,
    }))
}

/// `None` where the project file makes no sense.
fn find(folder: &Path, findings: &mut Vec<Finding>) -> Result<Option<Found>, Error> {
    let project = project::load(folder, findings)?;
    let lock = lock::load(folder, findings)?;
    let Some(project) = project else { return Ok(None) };
    let stickers = &project.file.stickers;
    let mut artworks: Vec<_> =
        stickers.iter().map(|it| artwork::survey(&folder.join(&it.file), findings)).collect();
    for (sticker, artwork) in stickers.iter().zip(&mut artworks) {
        check_words(folder, sticker, findings);
        check_poster(folder, sticker, artwork.as_ref(), findings);
        // Without what lasts too long: everything that adds times up relies on their limit.
        artwork.take_if(|it| !timing::check(sticker, it, findings));
    }
    let cover = match &project.file.cover {
        Some(cover) => Some(folder.join(cover)),
        None => {
            Kind::ENDINGS.iter().map(|ending| folder.join(format!("cover.{ending}"))).find(|it| it.exists())
        }
    };
    let cover = cover.and_then(|cover| artwork::survey(&cover, findings));
    let densities = densities(&project, &readable(&project, &artworks), findings);
    Ok(Some(Found { project, lock, artworks, cover, densities }))
}

/// The densities whose canvas every picture fills without being enlarged; the smallest where there is none.
fn densities(
    project: &Project,
    stickers: &[(&StickerFile, &Artwork)],
    findings: &mut Vec<Finding>,
) -> Vec<Density> {
    let fills = |density: Density, artwork: &Artwork| {
        let (width, height) = (density.px(project.canvas.width_dp), density.px(project.canvas.height_dp));
        let (width, height) = fitted(artwork.width, artwork.height, width, height);
        artwork.width >= width && artwork.height >= height
    };
    let mut built = LADDER.to_vec();
    for &(sticker, artwork) in stickers {
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
            smallest.filter(|&it| stickers.iter().all(|(_, artwork)| holds(project, it, artwork)))
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
