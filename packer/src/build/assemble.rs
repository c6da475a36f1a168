//! Encoded pictures become sticker files, bundles, pictures for pages and the manifest that lists them all.

use std::collections::BTreeMap;
use std::path::Path;

use sticker_protocol::bundle::{self, BundleError, BundledSticker, Pack};
use sticker_protocol::limits::{MAX_BUNDLE, MAX_STICKER_FILE};
use sticker_protocol::release::{
    FileKind, MANIFEST_FILE, Manifest, ManifestError, Recipe, ReleaseFile, ReleaseSticker,
};
use sticker_protocol::sticker::{self, Metadata, StickerFileError};
use sticker_protocol::{CodecError, Density, ImageFormat, Sha256, StickerId};

use super::render::{Rendered, Variant};
use super::timing::Timing;
use super::web::{CoverAndIcon, WebPicture};
use super::{BuildReport, BundleReport, StickerReport, VariantReport};
use crate::artwork::Artwork;
use crate::check::Surveyed;
use crate::encode::{Effort, Quality, Shown, animated_webp};
use crate::error::Error;
use crate::finding::Finding;
use crate::lock::Lock;
use crate::out::NewFolder;
use crate::project::{PROJECT_FILE, StickerFile};

/// Writes every file of the release into `folder`, the manifest last.
pub(super) fn assemble(
    surveyed: &Surveyed,
    lock: &Lock,
    rendered: &[Rendered],
    cover: Option<CoverAndIcon>,
    folder: &NewFolder,
    effort: Effort,
) -> Result<BuildReport, Error> {
    let mut release = Release { surveyed, lock, folder, effort, files: Vec::new() };
    let mut bundles: Vec<BTreeMap<StickerId, Vec<u8>>> =
        surveyed.densities.iter().map(|_| BTreeMap::new()).collect();
    let mut stickers = Vec::new();
    let project = surveyed.project.file.stickers.iter().zip(&surveyed.artworks);
    for ((sticker, artwork), rendered) in project.zip(rendered) {
        let Some(&id) = lock.stickers.get(&sticker.name) else { continue };
        let one = One { id, sticker, artwork, rendered, timing: Timing::new(sticker, artwork, rendered) };
        stickers.push(release.sticker(&one, &mut bundles)?);
    }
    let mut reports = Vec::new();
    for (&density, files) in surveyed.densities.iter().zip(&bundles) {
        reports.push(release.bundle(density, files)?);
    }
    if let Some(CoverAndIcon { cover, icon }) = cover {
        release.web_picture(FileKind::Cover, "web/cover.webp", None, &cover)?;
        release.web_picture(FileKind::Icon, "web/icon.webp", None, &icon)?;
    }
    let manifest = written(release.manifest(stickers)).map_err(|error| match error {
        ManifestError::Codec(CodecError::TooLong) => texts_too_long(&surveyed.project.folder),
        error => Error::internal(error),
    })?;
    folder.write(MANIFEST_FILE, &manifest)?;
    Ok(BuildReport {
        release: Sha256::of(&manifest),
        pack: lock.pack,
        slug: surveyed.project.slug.to_string(),
        quality: Quality::default(),
        stickers: sticker_reports(surveyed, lock, rendered),
        bundles: reports,
        findings: Vec::new(),
    })
}

/// With the recipes, where there is room for them: a store keeps what it has none for.
fn written(mut manifest: Manifest) -> Result<Vec<u8>, ManifestError> {
    match manifest.write() {
        Err(ManifestError::Codec(CodecError::TooLong)) => {
            manifest.files.iter_mut().for_each(|file| file.recipe = None);
            manifest.write()
        }
        written => written,
    }
}

struct Release<'a> {
    surveyed: &'a Surveyed,
    lock: &'a Lock,
    folder: &'a NewFolder,
    effort: Effort,
    files: Vec<ReleaseFile>,
}

impl Release<'_> {
    fn sticker(
        &mut self,
        one: &One<'_>,
        bundles: &mut [BTreeMap<StickerId, Vec<u8>>],
    ) -> Result<ReleaseSticker, Error> {
        let &One { id, sticker, artwork, rendered, ref timing } = one;
        let places = self.surveyed.densities.iter().zip(&rendered.variants);
        for ((&density, variant), bundle) in places.zip(bundles) {
            let file = self
                .sticker_file(one, density, variant)
                .map_err(|error| self.sticker_refused(sticker, &format!("density {density}"), error))?;
            let path = format!("{density}/{id}.sticker");
            self.file(FileKind::Sticker, &path, &file, Some(id), Some(density), Some(shape(variant)))?;
            if let Some(listed) = self.files.last_mut().filter(|_| !variant.recipe.is_empty()) {
                listed.recipe = Some(Recipe { effort: self.effort.into(), images: variant.recipe.clone() });
            }
            bundle.insert(id, file);
        }

        let canvas = self.surveyed.project.canvas;
        let native = Density::clamped(artwork.width.saturating_mul(160) / canvas.width_dp.max(1));
        let master = self
            .sticker_file(one, native, &rendered.master)
            .map_err(|error| self.sticker_refused(sticker, "its own size", error))?;
        let path = format!("master/{id}.sticker");
        self.file(FileKind::Master, &path, &master, Some(id), Some(native), Some(shape(&rendered.master)))?;

        self.web_pictures(one)?;
        Ok(ReleaseSticker {
            id,
            name: sticker.name.clone(),
            emoji: sticker.emoji.clone(),
            alt_texts: sticker.alt.clone(),
            frame_count: u32::try_from(timing.durations_ms.len()).unwrap_or(u32::MAX),
            duration_ms: timing.durations_ms.iter().sum(),
            loop_count: timing.loop_count,
            placeholder_colour: timing.colour,
        })
    }

    /// The sticker as one variant shows it.
    fn sticker_file(
        &self,
        one: &One<'_>,
        density: Density,
        variant: &Variant,
    ) -> Result<Vec<u8>, StickerFileError> {
        let images: Vec<&[u8]> = variant.images.iter().map(|image| image.file.as_slice()).collect();
        let metadata = Metadata {
            sticker: one.id,
            pack: self.lock.pack,
            density,
            width: variant.width,
            height: variant.height,
            format: variant.format,
            loop_count: one.timing.loop_count,
            frames: one.timing.frames(variant),
            poster_frame: one.timing.poster,
            emoji: one.sticker.emoji.clone(),
            alt_texts: one.sticker.alt.clone(),
            placeholder_colour: one.timing.colour,
        };
        sticker::write(&metadata, &images)
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

    fn web_pictures(&mut self, one: &One<'_>) -> Result<(), Error> {
        let &One { id, rendered, ref timing, .. } = one;
        self.web_picture(
            FileKind::Poster,
            &format!("web/{id}.poster.webp"),
            Some(id),
            &still(&rendered.poster),
        )?;
        if timing.durations_ms.len() > 1 {
            let preview = rendered.preview();
            let frames = timing.frames(preview);
            let shown = frames.iter().filter_map(|&frame| {
                let image = preview.images.get(frame.image as usize)?;
                Some(Shown { still: &image.file, size: image.size, frame })
            });
            let shown: Vec<_> = shown.collect();
            let (width, height) = (preview.width, preview.height);
            let file = animated_webp(width, height, timing.loop_count, &shown)?;
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
            recipe: None,
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

fn sticker_reports(surveyed: &Surveyed, lock: &Lock, rendered: &[Rendered]) -> Vec<StickerReport> {
    let report = |(sticker, rendered): (&StickerFile, &Rendered)| {
        let variants = surveyed.densities.iter().zip(&rendered.variants);
        let variants = variants.map(|(&density, variant)| VariantReport {
            density,
            bytes: variant.bytes(),
            score: variant.score,
        });
        let &id = lock.stickers.get(&sticker.name)?;
        let frames = rendered.colours.len();
        Some(StickerReport { id, name: sticker.name.clone(), frames, variants: variants.collect() })
    };
    surveyed.project.file.stickers.iter().zip(rendered).filter_map(report).collect()
}

/// A sticker and everything that is known of it.
struct One<'a> {
    id: StickerId,
    sticker: &'a StickerFile,
    artwork: &'a Artwork,
    rendered: &'a Rendered,
    timing: Timing,
}

fn shape(variant: &Variant) -> (ImageFormat, u32, u32) {
    (variant.format, variant.width, variant.height)
}

/// The only image of a variant that is a still.
fn still(variant: &Variant) -> WebPicture {
    let file = variant.images.first().map(|image| image.file.clone()).unwrap_or_default();
    WebPicture { width: variant.width, height: variant.height, file }
}

fn texts_too_long(folder: &Path) -> Error {
    let message = "its texts are too long together: one mebibyte fits";
    let hint = "shorten the alt texts and descriptions";
    Error::BadInput(vec![Finding::error("texts_too_long", &folder.join(PROJECT_FILE), message, hint)])
}
