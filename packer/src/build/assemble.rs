//! Encoded pictures become sticker files, bundles, pictures for pages and the manifest that lists them all.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sticker_protocol::bundle::{self, BundleError, BundledSticker, Pack};
use sticker_protocol::limits::{MAX_BUNDLE, MAX_STICKER_FILE};
use sticker_protocol::release::{
    FileKind, MANIFEST_FILE, Manifest, ManifestError, ReleaseFile, ReleaseSticker,
};
use sticker_protocol::sticker::{self, Blend, Dispose, Frame, Metadata, Rgb, StickerFileError};
use sticker_protocol::{CodecError, Density, ImageFormat, Sha256, StickerId};

use super::frame::FrameFiles;
use super::web::{CoverAndIcon, WEB_DENSITY, WebPicture};
use super::{BuildReport, BundleReport};
use crate::check::Surveyed;
use crate::encode::{animated_webp, format_for};
use crate::error::Error;
use crate::finding::Finding;
use crate::lock::Lock;
use crate::out::NewFolder;
use crate::project::{PROJECT_FILE, StickerFile};

/// Writes every file of the release into `folder`, the manifest last.
pub(super) fn assemble(
    surveyed: &Surveyed,
    lock: &Lock,
    frames: Vec<Vec<FrameFiles>>,
    cover: Option<CoverAndIcon>,
    folder: &NewFolder,
) -> Result<BuildReport, Error> {
    let mut release = Release { surveyed, lock, folder, files: Vec::new() };
    let mut bundles: Vec<BTreeMap<StickerId, Vec<u8>>> =
        surveyed.densities.iter().map(|_| BTreeMap::new()).collect();
    let mut stickers = Vec::new();
    for ((at, sticker), frames) in surveyed.project.file.stickers.iter().enumerate().zip(frames) {
        let Some(&id) = lock.stickers.get(&sticker.name) else { continue };
        stickers.push(release.sticker(at, id, sticker, &frames, &mut bundles)?);
    }
    let mut reports = Vec::new();
    for (&density, files) in surveyed.densities.iter().zip(&bundles) {
        reports.push(release.bundle(density, files)?);
    }
    if let Some(CoverAndIcon { cover, icon }) = cover {
        release.web_picture(FileKind::Cover, "web/cover.webp", None, &cover)?;
        release.web_picture(FileKind::Icon, "web/icon.webp", None, &icon)?;
    }
    let manifest = release.manifest(stickers).write().map_err(|error| match error {
        ManifestError::Codec(CodecError::TooLong) => texts_too_long(&surveyed.project.folder),
        error => Error::internal(error),
    })?;
    folder.write(MANIFEST_FILE, &manifest)?;
    Ok(BuildReport {
        release: Sha256::of(&manifest),
        pack: lock.pack,
        slug: surveyed.project.slug.to_string(),
        stickers: surveyed.artworks.len(),
        bundles: reports,
        findings: Vec::new(),
    })
}

struct Release<'a> {
    surveyed: &'a Surveyed,
    lock: &'a Lock,
    folder: &'a NewFolder,
    files: Vec<ReleaseFile>,
}

impl Release<'_> {
    fn sticker(
        &mut self,
        at: usize,
        id: StickerId,
        sticker: &StickerFile,
        frames: &[FrameFiles],
        bundles: &mut [BTreeMap<StickerId, Vec<u8>>],
    ) -> Result<ReleaseSticker, Error> {
        let durations = durations(sticker, frames.len());
        let shown = frames.iter().position(|frame| frame.colour.is_some()).unwrap_or_default();
        let poster = sticker.poster.map_or(shown, |poster| poster as usize);
        let colour = frames.get(poster).and_then(|frame| frame.colour).unwrap_or(Rgb([255; 3]));
        let canvas = self.surveyed.project.canvas;
        let metadata = |density: Density, width: u32, height: u32, format: ImageFormat| Metadata {
            sticker: id,
            pack: self.lock.pack,
            density,
            width,
            height,
            format,
            loop_count: sticker.loop_count,
            frames: Vec::new(),
            poster_frame: u32::try_from(poster).unwrap_or_default(),
            emoji: sticker.emoji.clone(),
            alt_texts: sticker.alt.clone(),
            placeholder_colour: colour,
        };

        for ((place, &density), bundle) in self.surveyed.densities.iter().enumerate().zip(bundles) {
            let (width, height) = (density.px(canvas.width_dp), density.px(canvas.height_dp));
            let images = frames.iter().filter_map(|frame| frame.variants.get(place));
            let file =
                sticker_file(metadata(density, width, height, format_for(density)), images, &durations)
                    .map_err(|error| self.sticker_refused(sticker, &format!("density {density}"), error))?;
            let path = format!("{density}/{id}.sticker");
            self.file(
                FileKind::Sticker,
                &path,
                &file,
                Some(id),
                Some(density),
                Some((format_for(density), width, height)),
            )?;
            bundle.insert(id, file);
        }

        let Some(artwork) = self.surveyed.artworks.get(at) else { return Err(Error::BadInput(Vec::new())) };
        let native = Density::clamped(artwork.width.saturating_mul(160) / canvas.width_dp.max(1));
        let (width, height, webp) = (artwork.width, artwork.height, ImageFormat::WebP);
        let images = frames.iter().map(|frame| &frame.master);
        let master = sticker_file(metadata(native, width, height, webp), images, &durations)
            .map_err(|error| self.sticker_refused(sticker, "its own size", error))?;
        let path = format!("master/{id}.sticker");
        self.file(FileKind::Master, &path, &master, Some(id), Some(native), Some((webp, width, height)))?;

        self.web_pictures(id, sticker, frames, poster, &durations)?;
        let total = durations.iter().sum();
        Ok(ReleaseSticker {
            id,
            name: sticker.name.clone(),
            emoji: sticker.emoji.clone(),
            alt_texts: sticker.alt.clone(),
            frame_count: u32::try_from(frames.len()).unwrap_or(u32::MAX),
            duration_ms: total,
            loop_count: sticker.loop_count,
            placeholder_colour: colour,
        })
    }

    /// A file may become too large in spite of every check: how well pictures compress shows only once they are.
    fn sticker_refused(&self, sticker: &StickerFile, size: &str, error: StickerFileError) -> Error {
        let folder = &self.surveyed.project.folder;
        match error {
            StickerFileError::TooLong(bytes) => {
                let message = format!("its file for {size} has {bytes} bytes");
                let hint =
                    format!("a sticker file has at most {MAX_STICKER_FILE}: use fewer or smaller frames");
                let path = folder.join(&sticker.file);
                Error::BadInput(vec![Finding::error("sticker_too_large", &path, message, hint)])
            }
            StickerFileError::Codec(CodecError::TooLong) => texts_too_long(folder),
            error => Error::internal(error),
        }
    }

    fn web_pictures(
        &mut self,
        id: StickerId,
        sticker: &StickerFile,
        frames: &[FrameFiles],
        poster: usize,
        durations: &[u32],
    ) -> Result<(), Error> {
        let canvas = self.surveyed.project.canvas;
        let web = self.surveyed.densities.last().map_or(WEB_DENSITY, |&largest| largest.min(WEB_DENSITY));
        let (width, height) = (web.px(canvas.width_dp), web.px(canvas.height_dp));
        let file = frames.get(poster).map(|frame| frame.web.clone()).unwrap_or_default();
        let poster = WebPicture { width, height, file };
        self.web_picture(FileKind::Poster, &format!("web/{id}.poster.webp"), Some(id), &poster)?;
        if frames.len() > 1 {
            let stills: Vec<_> = frames
                .iter()
                .zip(durations)
                .map(|(frame, &duration)| (frame.web.as_slice(), duration))
                .collect();
            let file = animated_webp(width, height, sticker.loop_count, &stills)?;
            let preview = WebPicture { width, height, file };
            self.web_picture(FileKind::Preview, &format!("web/{id}.preview.webp"), Some(id), &preview)?;
        }
        Ok(())
    }

    fn bundle(
        &mut self,
        density: Density,
        files: &BTreeMap<StickerId, Vec<u8>>,
    ) -> Result<BundleReport, Error> {
        let project = &self.surveyed.project;
        let named = |sticker: &StickerFile| {
            let &id = self.lock.stickers.get(&sticker.name)?;
            Some(BundledSticker { id, name: sticker.name.clone() })
        };
        let pack = Pack {
            id: self.lock.pack,
            slug: project.slug.clone(),
            density,
            titles: project.file.titles.clone(),
            artist: project.artist.name.clone(),
            copyright: project.file.copyright.clone(),
            stickers: project.file.stickers.iter().filter_map(named).collect(),
        };
        let file = bundle::write(&pack, files).map_err(|error| match error {
            BundleError::TooLong(bytes) => {
                let message = format!("the bundle for density {density} has {bytes} bytes");
                let hint = format!(
                    "a bundle has at most {MAX_BUNDLE}: make two packs, or animations with fewer frames"
                );
                let path = project.folder.join(PROJECT_FILE);
                Error::BadInput(vec![Finding::error("bundle_too_large", &path, message, hint)])
            }
            error => Error::internal(error),
        })?;
        self.file(FileKind::Bundle, &format!("{density}/{}.zip", pack.id), &file, None, Some(density), None)?;
        Ok(BundleReport { density, bytes: file.len() as u64 })
    }

    fn web_picture(
        &mut self,
        kind: FileKind,
        path: &str,
        sticker: Option<StickerId>,
        picture: &WebPicture,
    ) -> Result<(), Error> {
        let size = Some((ImageFormat::WebP, picture.width, picture.height));
        self.file(kind, path, &picture.file, sticker, None, size)
    }

    fn file(
        &mut self,
        kind: FileKind,
        path: &str,
        content: &[u8],
        sticker: Option<StickerId>,
        density: Option<Density>,
        picture: Option<(ImageFormat, u32, u32)>,
    ) -> Result<(), Error> {
        self.folder.write(path, content)?;
        self.files.push(ReleaseFile {
            path: path.parse().map_err(Error::internal)?,
            kind,
            size: content.len() as u64,
            sha256: Sha256::of(content),
            sticker,
            density,
            format: picture.map(|(format, _, _)| format),
            width: picture.map(|(_, width, _)| width),
            height: picture.map(|(_, _, height)| height),
        });
        Ok(())
    }

    fn manifest(mut self, stickers: Vec<ReleaseSticker>) -> Manifest {
        self.files.sort_by(|before, after| before.path.cmp(&after.path));
        let project = &self.surveyed.project;
        Manifest {
            pack: self.lock.pack,
            slug: project.slug.clone(),
            titles: project.file.titles.clone(),
            descriptions: project.file.descriptions.clone(),
            artist: project.artist.clone(),
            copyright: project.file.copyright.clone(),
            price_tier: project.file.price_tier.clone(),
            tags: project.file.tags.clone(),
            canvas: project.canvas,
            densities: self.surveyed.densities.clone(),
            stickers,
            files: self.files,
            packer: concat!("sticker-packer ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A sticker file of whole-canvas frames; the same image is stored once, however many frames show it.
fn sticker_file<'a>(
    mut metadata: Metadata,
    frames: impl Iterator<Item = &'a Vec<u8>>,
    durations: &[u32],
) -> Result<Vec<u8>, StickerFileError> {
    let mut images: Vec<&[u8]> = Vec::new();
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    for (image, &duration_ms) in frames.zip(durations) {
        let next = u32::try_from(images.len()).unwrap_or(u32::MAX);
        let index = *known.entry(image).or_insert_with(|| {
            images.push(image);
            next
        });
        let (blend, dispose) = (Blend::Replace, Dispose::None);
        metadata.frames.push(Frame { image: index, x: 0, y: 0, duration_ms, blend, dispose });
    }
    sticker::write(&metadata, &images)
}

fn texts_too_long(folder: &Path) -> Error {
    let message = "its texts are too long together: one mebibyte fits";
    let hint = "shorten the alt texts and descriptions";
    Error::BadInput(vec![Finding::error("texts_too_long", &folder.join(PROJECT_FILE), message, hint)])
}

/// How long each frame is shown, in ms, so that their sum is the artwork's length rounded once, not once a frame.
fn durations(sticker: &StickerFile, frames: usize) -> Vec<u32> {
    if frames < 2 {
        return vec![0; frames];
    }
    let Some(fps) = sticker.fps else { return vec![sticker.frame_ms.unwrap_or(DEFAULT_FRAME_MS); frames] };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most 300 frames of 10 s"
    )]
    let end = |frame: usize| (frame as f64 * 1000.0 / fps).round() as u32;
    (0..frames).map(|frame| end(frame + 1) - end(frame)).collect()
}

/// 20 frames a second.
const DEFAULT_FRAME_MS: u32 = 50;
