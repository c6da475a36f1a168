//! Packs as messengers take them: the artwork drawn anew at their size, in their format and within their published limits.

mod apng;
mod earlier;
mod fill;
mod fit;
mod frames;
mod make;
mod messenger;
mod names;
mod palette;
mod signal;
mod telegram;
mod webm;
mod webp;
mod whatsapp;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use messenger::{Messenger, UnknownMessenger};

use crate::artwork::Drawing;
use crate::check::{self, Surveyed};
use crate::error::Error;
use crate::finding::{Finding, any_error};
use crate::lint::codes::{Rule, code};
use crate::lint::platform::before_export;
use crate::lint::platforms::{Format, Limit, Platform, platform};
use crate::out::NewFolder;
use crate::picture::Picture;
use crate::poster::poster;
use crate::progress::Progress;
use crate::project::PROJECT_FILE;
use crate::resize::Linear;
use make::Maker;
use webm::Ffmpeg;

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// For whom.
    pub to: Messenger,
    /// Threads; `None` for as many as there are cores.
    pub jobs: Option<usize>,
    /// The language of the title and the alternative texts. Where `None`, and for a sticker without a text in it: English, else the
    /// first of the pack's.
    pub locale: Option<String>,
}

/// What was exported.
#[derive(Clone, Debug, Serialize)]
pub struct ExportReport {
    /// For whom.
    pub to: Messenger,
    /// The packs by their names in files and addresses; several where the messenger takes no pack of all.
    pub packs: Vec<String>,
    /// The stickers in the project's order.
    pub stickers: Vec<ExportedSticker>,
    /// Warnings and notes, the errors being the other way out.
    pub findings: Vec<Finding>,
}

/// One sticker.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedSticker {
    /// The designer's name for it.
    pub name: String,
    /// Its file, relative to the export.
    pub file: String,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Number of frames; 1 for a still.
    pub frames: usize,
    /// How long it plays in ms; 0 for a still.
    pub duration_ms: u32,
    /// The file's size.
    pub bytes: usize,
    /// The most that the messenger takes.
    pub max_bytes: u64,
    /// The lowest SSIMULACRA2 score of at most eight of its frames against the artwork at this size; 100 where nothing was lost.
    pub score: f64,
}

/// Draws the project in `folder` anew for a messenger, into `out`, which is replaced as a whole where it holds an earlier export.
///
/// # Errors
/// [`Error::BadInput`] with every finding, [`Error::OutputInTheWay`] where `out` holds something else, or [`Error::Io`]; nothing was
/// written.
pub fn export(
    folder: &Path,
    out: &Path,
    options: &ExportOptions,
    progress: &dyn Progress,
) -> Result<ExportReport, Error> {
    let mut findings = Vec::new();
    let surveyed = check::survey(folder, &mut findings)?;
    // What a release leaves out, an export has.
    findings.retain(|finding| finding.code != "density_left_out");
    let Some(surveyed) = surveyed else { return Err(Error::BadInput(findings)) };
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = options.jobs {
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().map_err(Error::Threads)?;
    let new = NewFolder::start(out, earlier::is_export)?;
    let pack = Pack { surveyed: &surveyed, locale: options.locale.as_deref() };
    pool.install(|| {
        let laid_out = pack.lay_out(options.to, new.path("video.webm"), progress, &mut findings)?;
        let Some(laid_out) = laid_out.filter(|_| !any_error(&findings)) else {
            return Err(Error::BadInput(findings));
        };
        let report = laid_out.report(options.to, findings);
        for (path, content) in &laid_out.files {
            new.write(path, content)?;
        }
        new.write(earlier::RECORD, &earlier::record(&report, &laid_out.files)?)?;
        new.put_in_place()?;
        Ok(report)
    })
}

/// A project in one language.
struct Pack<'a> {
    surveyed: &'a Surveyed,
    locale: Option<&'a str>,
}

impl<'a> Pack<'a> {
    /// The one of some texts by locale that is exported; none where there is none.
    fn text<'t>(&self, texts: &'t BTreeMap<String, String>) -> Option<&'t str> {
        let wanted = [self.locale.unwrap_or(ENGLISH), ENGLISH];
        let known = wanted.into_iter().find_map(|locale| texts.get(locale));
        known.or_else(|| texts.values().next()).map(String::as_str)
    }

    fn title(&self) -> &'a str {
        self.text(&self.surveyed.project.file.titles).unwrap_or_default()
    }

    fn slug(&self) -> String {
        self.surveyed.project.slug.to_string()
    }

    fn artist(&self) -> &'a str {
        &self.surveyed.project.artist.name
    }

    /// Every file of the export; `None` where a finding is an error.
    fn lay_out(
        &self,
        to: Messenger,
        scratch: PathBuf,
        progress: &dyn Progress,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<LaidOut>, Error> {
        self.check_language(findings);
        let platform = platform(to.platform());
        before_export(platform, self.surveyed, &|texts| self.text(texts), findings);
        let ffmpeg = self.ffmpeg(platform, scratch, findings);
        let made = Maker { platform, ffmpeg, progress }.all(self.surveyed, findings)?;
        match to {
            Messenger::WhatsApp => whatsapp::lay_out(self, platform, &made, findings),
            Messenger::Signal => signal::lay_out(self, platform, made, findings),
            Messenger::Telegram => telegram::lay_out(self, platform, made).map(Some),
        }
    }

    /// Where animations are videos; a finding where the machine has none.
    fn ffmpeg(&self, platform: &Platform, scratch: PathBuf, findings: &mut Vec<Finding>) -> Option<Ffmpeg> {
        let animated = self.surveyed.artworks.iter().filter(|artwork| artwork.frames() > 1).count();
        if animated == 0 || platform.animated.formats.is.first() != Some(&Format::WebmVp9) {
            return None;
        }
        let ffmpeg = Ffmpeg::find(scratch);
        if ffmpeg.is_none() {
            let message =
                format!("{animated} animations become videos, and there is no `ffmpeg` with libvpx-vp9");
            let hint =
                "install ffmpeg 5.1 or later, such as by `apt install ffmpeg` or `brew install ffmpeg`";
            let path = self.surveyed.project.folder.join(PROJECT_FILE);
            findings.push(Finding::error(code(platform.id, Rule::NeedsFfmpeg), &path, message, hint));
        }
        ffmpeg
    }

    /// The picture that stands for the pack: the cover, else the first sticker. `None` where a finding is an error.
    fn cover(&self, width: u32, height: u32, findings: &mut Vec<Finding>) -> Result<Option<Picture>, Error> {
        if let Some(cover) = &self.surveyed.cover {
            let Some(drawing) = cover.decode(findings) else { return Ok(None) };
            return fitted_to(drawing, width, height, |_| 0);
        }
        let first = self.surveyed.artworks.first().zip(self.surveyed.project.file.stickers.first());
        // What is wrong with it was told when it was made.
        let Some((drawing, sticker)) =
            first.and_then(|(artwork, sticker)| Some((artwork.decode(&mut Vec::new())?, sticker)))
        else {
            return Ok(None);
        };
        fitted_to(drawing, width, height, |pictures| {
            poster(sticker.poster.map(|named| named as usize), pictures.iter().map(Picture::shows_something))
        })
    }

    /// Tells of a cover whose file, of `bytes` where at most `max_bytes` are taken, is too large.
    fn check_cover<T>(
        &self,
        platform: &Platform,
        limit: &Limit<T>,
        (width, height): (u32, u32),
        (bytes, max_bytes): (usize, u64),
        findings: &mut Vec<Finding>,
    ) {
        if bytes as u64 > max_bytes {
            let message = format!(
                "at {width} x {height} px the cover has {bytes} bytes, and {} takes {max_bytes}",
                platform.name
            );
            let hint = format!("draw a simpler cover ({})", limit.stated());
            let path = self.surveyed.project.folder.join(PROJECT_FILE);
            findings.push(Finding::error(code(platform.id, Rule::OverLimit), &path, message, hint));
        }
    }

    fn check_language(&self, findings: &mut Vec<Finding>) {
        let titles = &self.surveyed.project.file.titles;
        if let Some(locale) = self.locale.filter(|locale| !titles.contains_key(*locale)) {
            let known: Vec<_> = titles.keys().map(String::as_str).collect();
            let message = format!("there is no title in `{locale}`, only in {}", known.join(", "));
            let path = self.surveyed.project.folder.join(PROJECT_FILE);
            findings.push(Finding::error(
                "locale_missing",
                &path,
                message,
                "add it to [titles], or export in another language",
            ));
        }
    }
}

/// One of a drawing's pictures in the middle of `width` x `height` px.
fn fitted_to(
    drawing: Drawing,
    width: u32,
    height: u32,
    which: impl Fn(&[Picture]) -> usize,
) -> Result<Option<Picture>, Error> {
    match drawing {
        Drawing::Vector(vector) => vector.render(width, height).map(Some),
        Drawing::Pictures(pictures) => {
            let which = which(&pictures);
            let picture = pictures.into_iter().nth(which);
            picture.map(|picture| Linear::new(picture)?.fit(width, height)).transpose()
        }
    }
}

/// The list of the stickers where the messenger has no format for it.
const MANIFEST_FILE: &str = "pack.json";

/// The language that most people read a little of.
const ENGLISH: &str = "en";

/// An export before it is written.
struct LaidOut {
    packs: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
    stickers: Vec<ExportedSticker>,
}

impl LaidOut {
    fn report(&self, to: Messenger, findings: Vec<Finding>) -> ExportReport {
        ExportReport { to, packs: self.packs.clone(), stickers: self.stickers.clone(), findings }
    }
}

/// As people can read it, with a line's end.
fn json(document: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(document).map_err(Error::internal)?;
    text.push(b'\n');
    Ok(text)
}
