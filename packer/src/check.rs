//! Everything that is wrong with a project, at once.

use std::path::{Path, PathBuf};

use sticker_protocol::{Density, LADDER};

use crate::artwork::{self, Artwork};
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::lock::{self, Lock};
use crate::project::{self, Project, StickerFile};
use crate::resize::fitted;

/// Reads the project file, the ids and every picture, and reports all findings; builds nothing.
///
/// # Errors
/// [`Error::Io`] where the project cannot be read at all.
pub fn check(folder: &Path) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    if let Some(surveyed) = survey(folder, &mut findings)? {
        let pictures = surveyed.artworks.iter().flat_map(|artwork| &artwork.frames).chain(&surveyed.cover);
        for path in pictures {
            artwork::decode(path, &mut findings);
        }
    }
    Ok(findings)
}

/// A project whose files were found and have sensible headers.
pub(crate) struct Surveyed {
    pub(crate) project: Project,
    pub(crate) lock: Option<Lock>,
    /// In the order of the project's stickers.
    pub(crate) artworks: Vec<Artwork>,
    pub(crate) cover: Option<PathBuf>,
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
        None => Some(folder.join("cover.png")).filter(|cover| cover.exists()),
    };
    if let Some(cover) = &cover {
        artwork::survey(cover, findings);
    }
    if any_error(findings) {
        return Ok(None);
    }
    let artworks: Vec<Artwork> = artworks.into_iter().flatten().collect();
    let densities = densities(&project, &artworks, findings);
    Ok(Some(Surveyed { project, lock, artworks, cover, densities }))
}

/// The densities whose canvas every picture fills without being enlarged; the smallest where there is none.
fn densities(project: &Project, artworks: &[Artwork], findings: &mut Vec<Finding>) -> Vec<Density> {
    let fills = |density: Density, artwork: &Artwork| {
        let (width, height) = (density.px(project.canvas.width_dp), density.px(project.canvas.height_dp));
        let (width, height) = fitted(artwork.width, artwork.height, width, height);
        artwork.width >= width && artwork.height >= height
    };
    let mut filled = LADDER.to_vec();
    for (sticker, artwork) in project.file.stickers.iter().zip(artworks) {
        let left_out: Vec<_> = LADDER.into_iter().filter(|&density| !fills(density, artwork)).collect();
        if let Some(first) = left_out.first() {
            let path = project.folder.join(&sticker.file);
            let message = format!(
                "{} x {} px are too few for density {first} and above",
                artwork.width, artwork.height
            );
            let needed = Density::px(*LADDER.last().unwrap_or(first), project.canvas.width_dp);
            let hint =
                format!("the whole pack is built without them; {needed} px wide artwork fills every density");
            findings.push(Finding::warning("density_left_out", &path, message, hint));
        }
        filled.retain(|density| !left_out.contains(density));
    }
    if filled.is_empty() { LADDER.first().copied().into_iter().collect() } else { filled }
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
    if poster as usize >= artwork.frames.len() {
        let message = format!("poster = {poster}, and there are {} frames", artwork.frames.len());
        findings.push(Finding::error(
            "poster_missing",
            &folder.join(&sticker.file),
            message,
            "frames count from 0",
        ));
    }
}
