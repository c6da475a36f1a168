//! What there is to say of each sticker beside its artwork: scores, and the artwork itself at one density.

use rayon::prelude::*;
use sticker_protocol::release::ReleaseSticker;
use sticker_protocol::sticker::{Metadata, StickerFile};
use sticker_protocol::{Density, ImageFormat, ReleasePath};

use super::release::Release;
use super::{PreviewError, Scores, VariantScore};
use crate::compose::frames;
use crate::encode::{Choice, Effort, Subject};
use crate::error::Error;
use crate::picture::Picture;
use crate::progress::Progress;
use crate::resize::Linear;
use crate::score::Reference;

/// One sticker, in the order of the manifest.
#[derive(Debug)]
pub(super) struct Measured {
    /// At each density of the manifest.
    pub(super) variants: Vec<VariantScore>,
    /// Whether there are no scores because each density was drawn and not resized, as an SVG is, whose drawing the release does not hold.
    pub(super) was_drawn: bool,
    /// The artwork's poster frame at [`compared_at`], a lossless WebP.
    pub(super) artwork: Vec<u8>,
}

/// Frames of an animation that are scored: enough to meet what moves, few enough to wait for.
const SCORED_FRAMES: u64 = 6;

/// What a PNG at least scores against the picture that it holds, where another machine rounded otherwise while it resized.
const SAME_PICTURE: f64 = 95.0;

/// The density at which artwork and result stand side by side: what most of today's phones have.
pub(super) fn compared_at(release: &Release) -> Density {
    Density::choose(release.manifest.densities.iter().copied(), Density::DEFAULT).unwrap_or(Density::DEFAULT)
}

/// One sticker after the other, its densities and frames at once, so that no more than one artwork is held decoded.
pub(super) fn all(
    release: &Release,
    scores: Scores<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Measured>, PreviewError> {
    progress.begins(release.manifest.stickers.len());
    let stickers = release.manifest.stickers.iter().map(|sticker| {
        let measured = one(release, sticker, scores)?;
        progress.step();
        Ok(measured)
    });
    stickers.collect()
}

fn one(release: &Release, sticker: &ReleaseSticker, scores: Scores<'_>) -> Result<Measured, PreviewError> {
    let (file, content) = release.master(sticker.id).ok_or_else(|| missing(sticker))?;
    let master = Opened::open(&file.path, content)?;
    let measures = matches!(scores, Scores::Measured);
    let moments = if measures { master.metadata().moments() } else { Vec::new() };
    let artwork: Vec<Linear> =
        master.pictures_at(&moments)?.into_iter().map(Linear::new).collect::<Result<_, _>>()?;

    let (densities, canvas) = (&release.manifest.densities, release.manifest.canvas);
    let sizes: Vec<_> =
        densities.iter().map(|density| (density.px(canvas.width_dp), density.px(canvas.height_dp))).collect();
    // Of each frame that is scored, as the build resizes it.
    let resized: Vec<Vec<Picture>> =
        artwork.par_iter().map(|frame| frame.pyramid(&sizes)).collect::<Result<_, _>>()?;
    drop(artwork);

    let variants = densities.par_iter().enumerate().map(|(place, &density)| {
        let (file, content) = release.variant(sticker.id, density).ok_or_else(|| missing(sticker))?;
        let opened = Opened::open(&file.path, content)?;
        let pictures = opened.pictures_at(&moments)?;
        let expected: Vec<_> = resized.iter().filter_map(|frame| frame.get(place)).collect();
        let score = |(expected, picture): (&&Picture, &Picture)| Reference::new(expected)?.score(picture);
        let scored: Vec<f64> = expected.par_iter().zip(&pictures).map(score).collect::<Result<_, Error>>()?;
        let lowest = match scores {
            Scores::OfBuild(report) => report.score(sticker.id, density),
            Scores::None | Scores::Measured => scored.into_iter().reduce(f64::min),
        };
        let is_another = measures
            && opened.metadata().format == ImageFormat::Png
            && lowest.is_some_and(|score| score < SAME_PICTURE);
        let name = sticker.name.clone();
        Ok((VariantScore { sticker: sticker.id, name, density, bytes: file.size, score: lowest }, is_another))
    });
    let (mut variants, is_another): (Vec<_>, Vec<_>) =
        variants.collect::<Result<Vec<_>, PreviewError>>()?.into_iter().unzip();
    // What a PNG shows lost nothing: where that is no resized artwork, no density has been made of it, and nothing here is what they
    // were made of.
    let was_drawn = is_another.contains(&true);
    if was_drawn {
        for variant in &mut variants {
            variant.score = None;
        }
    }

    let (file, content) =
        release.variant(sticker.id, compared_at(release)).ok_or_else(|| missing(sticker))?;
    let shown = Opened::open(&file.path, content)?;
    let poster = shown.metadata().poster_moment();
    let artwork = match master.pictures_at(&[poster])?.pop() {
        Some(picture) => {
            let fitted = Linear::new(picture)?.fit(shown.metadata().width, shown.metadata().height)?;
            Subject::new(&fitted, Effort::Fast).code(Choice::Near(100))?.file
        }
        None => Vec::new(),
    };
    Ok(Measured { variants, was_drawn, artwork })
}

/// The manifest was read strictly: it lists a master, and a file at each density.
fn missing(sticker: &ReleaseSticker) -> Error {
    Error::internal(std::io::Error::other(format!("the release has no file of sticker {}", sticker.id)))
}

/// A sticker file and where it lies.
struct Opened<'a> {
    path: &'a ReleasePath,
    sticker: StickerFile<'a>,
}

impl<'a> Opened<'a> {
    fn open(path: &'a ReleasePath, content: &'a [u8]) -> Result<Self, PreviewError> {
        let sticker = StickerFile::read(content)
            .map_err(|error| PreviewError::Sticker { path: path.clone(), error: Box::new(error) })?;
        Ok(Self { path, sticker })
    }

    fn metadata(&self) -> &Metadata {
        self.sticker.metadata()
    }

    /// What is seen at these times from the beginning, ascending, in half ms; the artwork and a variant may have different frames for
    /// the same animation.
    fn pictures_at(&self, moments: &[u64]) -> Result<Vec<Picture>, PreviewError> {
        let mut moments = moments.iter().peekable();
        if moments.peek().is_none() {
            return Ok(Vec::new());
        }
        let drawn = frames(&self.sticker)
            .map_err(|error| PreviewError::Picture { path: self.path.clone(), error })?;
        let (mut pictures, mut end) = (Vec::new(), 0);
        for (frame, picture) in self.metadata().frames.iter().zip(drawn) {
            end += u64::from(frame.duration_ms) * 2;
            let still = frame.duration_ms == 0;
            while moments.next_if(|&&moment| still || moment < end).is_some() {
                pictures.push(picture.clone());
            }
        }
        Ok(pictures)
    }
}

/// Times from the beginning of a loop, in half ms so that the middle of a frame of 1 ms is one.
trait Moments {
    fn moments(&self) -> Vec<u64>;
    fn poster_moment(&self) -> u64;
}

impl Moments for Metadata {
    /// The middles of as many equal parts as are scored; once for a still.
    fn moments(&self) -> Vec<u64> {
        let parts = SCORED_FRAMES.min(self.frames.len() as u64);
        let whole = self.duration_ms();
        (0..parts).map(|part| (2 * part + 1) * whole / parts.max(1)).collect()
    }

    /// The middle of the poster frame.
    fn poster_moment(&self) -> u64 {
        let at = self.poster_frame as usize;
        let before: u64 = self.frames.iter().take(at).map(|frame| u64::from(frame.duration_ms)).sum();
        2 * before + self.frames.get(at).map_or(0, |frame| u64::from(frame.duration_ms))
    }
}
