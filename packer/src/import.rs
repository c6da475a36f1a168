//! Other people's packs and folders of artwork as projects: everything is looked at first, and the project appears whole.

mod whatsapp;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::artwork;
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::init::{self, Draft, Maker};
use crate::out::NewFolder;
use crate::project::{self, PROJECT_FILE};
pub(crate) use whatsapp::CONTENTS_FILE;

/// What to make of the source.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The identifier of the pack, where the source holds several.
    pub pack: Option<String>,
    /// Who makes the project, as far as the source does not say.
    pub maker: Maker,
}

/// What was imported.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The project's folder.
    pub project: PathBuf,
    /// How many stickers it has.
    pub stickers: usize,
    /// Warnings and notes, the errors being the other way out.
    pub findings: Vec<Finding>,
}

/// Turns `source` into a project at `folder`, which must not exist or be empty. `source` is a folder of artwork, or one with the
/// `contents.json` of a `WhatsApp` sticker app. The artwork is copied as it is.
///
/// # Errors
/// [`Error::BadInput`] with every finding, [`Error::OutputInTheWay`] or [`Error::Io`]; nothing was written.
pub fn import(source: &Path, folder: &Path, options: &ImportOptions) -> Result<ImportReport, Error> {
    let mut findings = Vec::new();
    let inside = fs::canonicalize(source).map_err(Error::io("read", source))?;
    let contents = source.join(CONTENTS_FILE);
    let (described, plan) = if contents.exists() {
        let plan = whatsapp::read(source, &contents, options, &mut findings)?;
        (contents, plan)
    } else {
        (source.to_owned(), artwork_of(source, &inside, options, &mut findings)?)
    };
    let Some(plan) = plan else { return Err(Error::BadInput(findings)) };
    let files: Vec<_> = plan.copies.iter().flat_map(|copy| copy.files(&inside, &mut findings)).collect();
    let text = plan.draft.text(&plan.maker);
    let before = findings.len();
    project::parse(folder, &text, &mut findings);
    for finding in findings.iter_mut().skip(before) {
        // The project's file is not there yet: what is wrong with it stands in the source.
        (finding.path, finding.place) = (described.clone(), None);
    }
    if any_error(&findings) {
        return Err(Error::BadInput(findings));
    }
    let new = NewFolder::start(folder, |_| false)?;
    for (from, to) in files {
        let content = fs::read(&from).map_err(Error::io("read", &from))?;
        new.write(&to, &content)?;
    }
    new.write(PROJECT_FILE, text.as_bytes())?;
    new.put_in_place()?;
    Ok(ImportReport { project: folder.to_owned(), stickers: plan.draft.stickers.len(), findings })
}

/// A project before anything is written.
struct Plan {
    draft: Draft,
    maker: Maker,
    copies: Vec<Copied>,
}

/// A file, or a folder of frames, that becomes part of the project.
struct Copied {
    from: PathBuf,
    /// Relative to the project, with forward slashes.
    to: String,
}

impl Copied {
    /// Each file and where it goes; none where a finding is an error.
    fn files(&self, inside: &Path, findings: &mut Vec<Finding>) -> Vec<(PathBuf, String)> {
        let Some(artwork) = artwork::survey(&self.from, findings) else { return Vec::new() };
        let outside = |file: &&PathBuf| !fs::canonicalize(file).is_ok_and(|whole| whole.starts_with(inside));
        if let Some(file) = artwork.files.iter().find(outside) {
            let hint = "put the file itself into the folder";
            findings.push(Finding::error("path_outside", file, "it is a link out of the folder", hint));
            return Vec::new();
        }
        if !self.from.is_dir() {
            return vec![(self.from.clone(), self.to.clone())];
        }
        let named = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            (file.clone(), format!("{}/{name}", self.to))
        };
        artwork.files.iter().map(named).collect()
    }
}

/// A folder of artwork, as [`init::init`] reads it.
fn artwork_of(
    source: &Path,
    whole: &Path,
    options: &ImportOptions,
    findings: &mut Vec<Finding>,
) -> Result<Option<Plan>, Error> {
    if source.join(PROJECT_FILE).exists() {
        let hint = "copy the folder: a project keeps its ids only with its pack.lock";
        findings.push(Finding::error("already_a_project", source, "it is a project already", hint));
        return Ok(None);
    }
    let found = init::find(source)?;
    if found.is_empty() {
        let message = "it holds no picture, no folder of numbered frames and no contents.json";
        let hint = "name a folder with PNG, APNG, GIF, WebP or SVG files, or of a sticker app";
        findings.push(Finding::error("no_artwork", source, message, hint));
        return Ok(None);
    }
    init::tell_left_out(source, findings)?;
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    let mut draft = init::draft(&name, &found);
    let mut taken = BTreeSet::new();
    let mut copies = Vec::new();
    for (sticker, found) in draft.stickers.iter_mut().zip(&found) {
        sticker.file = place(&found.file, &mut taken);
        copies.push(Copied { from: source.join(&found.file), to: sticker.file.clone() });
    }
    if let Some(cover) = init::cover_in(source)? {
        let to = cover.file_name().unwrap_or_default().to_string_lossy().into_owned();
        draft.cover = Some(to.clone());
        copies.push(Copied { from: cover, to });
    }
    Ok(Some(Plan { draft, maker: options.maker.clone(), copies }))
}

/// Where a file goes: into `stickers`, by its own name unless that is taken.
fn place(file: &str, taken: &mut BTreeSet<String>) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let (stem, ending) =
        name.rsplit_once('.').map_or((name, String::new()), |(stem, it)| (stem, format!(".{it}")));
    let mut free = format!("stickers/{name}");
    for number in 2_u32.. {
        if taken.insert(free.to_lowercase()) {
            break;
        }
        free = format!("stickers/{stem}-{number}{ending}");
    }
    free
}
