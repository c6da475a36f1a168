//! A release as one page that works without a network: what a designer looks at, and sends to the team, before publishing.

mod measure;
mod page;
mod release;
mod served;

use std::path::{Path, PathBuf};

use serde::Serialize;
use sticker_protocol::sticker::StickerFileError;
use sticker_protocol::{Density, ReleasePath, Sha256, StickerId};

use crate::build::BuildReport;
use crate::error::Error;
use crate::out::write_atomically;
use crate::picture::DecodeError;
use crate::progress::Progress;
use crate::release::ReleaseError;
use measure::Measured;
use release::Release;
pub(crate) use served::{ServedPage, nothing_yet};

/// What to put on the page.
#[derive(Clone, Copy, Debug)]
pub struct PreviewOptions {
    /// Whether to score every variant against the artwork, which takes most of the time.
    pub scores: bool,
    /// Threads; `None` for as many as there are cores.
    pub jobs: Option<usize>,
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewReport {
    /// The page.
    pub page: PathBuf,
    /// Its size in bytes.
    pub bytes: usize,
    /// Bytes of the release's sticker files, which the page holds.
    pub sticker_bytes: u64,
    /// Each sticker at each density.
    pub variants: Vec<VariantScore>,
}

/// One sticker at one density.
#[derive(Clone, Debug, Serialize)]
pub struct VariantScore {
    /// The sticker.
    pub sticker: StickerId,
    /// The designer's name for it.
    pub name: String,
    /// The density.
    pub density: Density,
    /// Bytes of its sticker file.
    pub bytes: u64,
    /// The lowest score of its frames; none where nothing was scored, or where the release does not hold what it was made of: an SVG is
    /// drawn at each density.
    pub score: Option<f64>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// The release cannot be relied on.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A sticker file does not keep to the format.
    #[error("{path} is no sticker file")]
    Sticker {
        /// The file.
        path: ReleasePath,
        /// What is wrong with it.
        #[source]
        error: Box<StickerFileError>,
    },
    /// A sticker file is another one than its place says.
    #[error("{0} is for another sticker, pack or density than its place says")]
    WrongSticker(ReleasePath),
    /// An image in a sticker file cannot be decoded.
    #[error("{path} cannot be drawn")]
    Picture {
        /// The file.
        path: ReleasePath,
        /// What the decoder said.
        #[source]
        error: DecodeError,
    },
    /// The page would lie among the release's files.
    #[error("the page would lie inside {}, which holds the release's files alone", .0.display())]
    InsideRelease(PathBuf),
    /// Something cannot be read, written or made.
    #[error(transparent)]
    Packer(#[from] Error),
}

impl PreviewError {
    /// Stable name of the kind of failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Release(error) => error.code(),
            Self::Sticker { .. } | Self::WrongSticker(_) | Self::Picture { .. } => "bad_sticker_file",
            Self::InsideRelease(_) => "inside_the_release",
            Self::Packer(Error::Io { .. }) => "io",
            Self::Packer(_) => "internal",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Release(error) => error.hint(),
            Self::InsideRelease(_) => "name another place with --to",
            Self::Packer(Error::Io { .. }) => {
                "give the folder that `sticker-packer build` made, and a place where you may write"
            }
            Self::Packer(_) => "this is a fault of the packer: report it with the artwork",
            _ => "build it again with `sticker-packer build`",
        }
    }
}

/// Where the page is written without another wish: beside the release, `<its folder's name>-preview.html`.
///
/// # Errors
/// [`Error::Io`] where there is no such folder.
pub fn default_page(out: &Path) -> Result<PathBuf, Error> {
    let whole = out.canonicalize().map_err(Error::io("read", out))?;
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    // A path that the caller knows again, where there is one.
    let beside = if out.file_name().is_some() { out } else { &whole };
    Ok(beside.with_file_name(format!("{name}-preview.html")))
}

/// Writes what [`crate::build`] made in `out` as one page at `to`, which is there whole or not at all.
///
/// # Errors
/// [`PreviewError`]; an earlier page is still there.
pub fn preview(
    out: &Path,
    to: &Path,
    options: PreviewOptions,
    progress: &dyn Progress,
) -> Result<PreviewReport, PreviewError> {
    let scores = if options.scores { Scores::Measured } else { Scores::None };
    in_threads(options.jobs, || Ok(Shown::read(out, to, scores, progress)?.write(to)?.0))
}

/// As [`preview`], right after that build and with its scores, which costs little; and the copy of the page that is served.
pub(crate) fn preview_of_build(
    (out, built): (&Path, &BuildReport),
    to: &Path,
    jobs: Option<usize>,
) -> Result<(PreviewReport, ServedPage), PreviewError> {
    in_threads(jobs, || {
        let shown = Shown::read(out, to, Scores::OfBuild(built), &())?;
        let (report, id) = shown.write(to)?;
        Ok((report, page::served(&shown, id)?))
    })
}

fn in_threads<T: Send>(
    jobs: Option<usize>,
    work: impl FnOnce() -> Result<T, PreviewError> + Send,
) -> Result<T, PreviewError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build();
    pool.map_err(Error::Threads)?.install(work)
}

/// Where the scores come from.
#[derive(Clone, Copy, Debug)]
enum Scores<'a> {
    None,
    /// A few frames are compared with the artwork, resized as the build does it.
    Measured,
    /// What the build found while it searched.
    OfBuild(&'a BuildReport),
}

/// A release and what there is to say of it.
#[derive(Debug)]
struct Shown<'a> {
    release: Release,
    scores: Scores<'a>,
    /// In the order of the manifest.
    measured: Vec<Measured>,
}

impl<'a> Shown<'a> {
    fn read(
        out: &Path,
        to: &Path,
        scores: Scores<'a>,
        progress: &dyn Progress,
    ) -> Result<Self, PreviewError> {
        let release = release::read(out)?;
        refuse_inside(out, to)?;
        let measured = measure::all(&release, scores, progress)?;
        Ok(Self { release, scores, measured })
    }

    /// With the page's hash.
    fn write(&self, to: &Path) -> Result<(PreviewReport, Sha256), PreviewError> {
        let page = page::sent(self)?;
        write_atomically(to, page.as_bytes())?;
        let variants = self.measured.iter().flat_map(|sticker| sticker.variants.iter().cloned()).collect();
        let sticker_bytes = self.release.variants().map(|(_, content)| content.len() as u64).sum();
        let report = PreviewReport { page: to.to_owned(), bytes: page.len(), sticker_bytes, variants };
        Ok((report, Sha256::of(page.as_bytes())))
    }
}

/// A release's folder is compared, uploaded and replaced as a whole.
fn refuse_inside(out: &Path, to: &Path) -> Result<(), PreviewError> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (Ok(out), Ok(folder)) = (out.canonicalize(), folder.canonicalize()) else { return Ok(()) };
    if folder.starts_with(&out) { Err(PreviewError::InsideRelease(out)) } else { Ok(()) }
}
