//! The manifest of a release: every file with size and SHA-256, and what the store needs to show the pack.
//! Section 4 of this crate's README.

mod recipe;
pub mod signed;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{self, CodecError};
use crate::limits::{
    MAX_BUNDLE, MAX_EMOJI, MAX_FRAME_MS, MAX_FRAMES, MAX_LOCALES, MAX_LONG_TEXT, MAX_LOOPS,
    MAX_RELEASE_FILES, MAX_SHORT_TEXT, MAX_STICKERS,
};
use crate::sticker::{MetadataError, Rgb, check};
use crate::{Density, ImageFormat, LADDER, PackId, ReleasePath, Sha256, Slug, StickerId};

pub use recipe::{CodedImage, Coding, Effort, Recipe};

/// The manifest's name in a release's folder.
pub const MANIFEST_FILE: &str = "release.thrift";
/// The version of the manifest that this crate writes and reads.
pub const MANIFEST_VERSION: i32 = 1;

/// An immutable build of a pack. The SHA-256 of its bytes is the release's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The pack.
    pub pack: PackId,
    /// The pack's name in addresses.
    pub slug: Slug,
    /// Titles by locale, at least one.
    pub titles: BTreeMap<String, String>,
    /// Descriptions by locale; may be empty.
    pub descriptions: BTreeMap<String, String>,
    /// Who drew it.
    pub artist: Artist,
    /// The copyright notice; may be empty.
    pub copyright: String,
    /// The name of a price tier; what it costs in which currency is the store's business.
    pub price_tier: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Size of every sticker in dp.
    pub canvas: Canvas,
    /// The densities that were built, ascending, all from the [`LADDER`].
    pub densities: Vec<Density>,
    /// The stickers in the order in which a keyboard shows them.
    pub stickers: Vec<ReleaseSticker>,
    /// Every file but the manifest itself, sorted by path.
    pub files: Vec<ReleaseFile>,
    /// Name and version of the program that built it.
    pub packer: String,
}

/// Who drew a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artist {
    /// The name in addresses.
    pub slug: Slug,
    /// The name on pages.
    pub name: String,
}

/// The size of a sticker in density-independent pixels; 1 dp is 1 px at density 160.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Width in dp.
    pub width_dp: u32,
    /// Height in dp.
    pub height_dp: u32,
}

impl Canvas {
    /// The largest side in dp: 4096 px at density 640.
    pub const MAX_DP: u32 = 1024;
}

/// What the store shows of a sticker without opening its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSticker {
    /// The sticker.
    pub id: StickerId,
    /// The designer's name for it.
    pub name: String,
    /// The emoji that it answers to.
    pub emoji: Vec<String>,
    /// What it shows, in words, by locale.
    pub alt_texts: BTreeMap<String, String>,
    /// 1 for a still.
    pub frame_count: u32,
    /// How long one loop lasts, in ms; 0 for a still.
    pub duration_ms: u32,
    /// How often it plays; 0 = for ever.
    pub loop_count: u32,
    /// What to paint before the picture is there.
    pub placeholder_colour: Rgb,
}

/// One file of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its place in the release's folder.
    pub path: ReleasePath,
    /// What it is for.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// The sticker that it shows; none for bundles, cover and icon.
    pub sticker: Option<StickerId>,
    /// The density; for sticker files, bundles and masters.
    pub density: Option<Density>,
    /// The format of the images in it; none for bundles.
    pub format: Option<ImageFormat>,
    /// Width in px; none for bundles.
    pub width: Option<u32>,
    /// Height in px; none for bundles.
    pub height: Option<u32>,
    /// How it was made of its master; only for sticker files, and not for all of them.
    pub recipe: Option<Recipe>,
}

/// What a file of a release is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A sticker file, at `<density>/<sticker id>.sticker`.
    Sticker,
    /// A bundle, at `<density>/<pack id>.zip`.
    Bundle,
    /// The pack's picture on store pages.
    Cover,
    /// The pack's picture in a keyboard's tab.
    Icon,
    /// A still picture of a sticker for store pages.
    Poster,
    /// An animated WebP of a sticker for store pages.
    Preview,
    /// The artwork at its native size, as a sticker file with lossless images.
    Master,
}

/// Why bytes are no manifest, or no manifest can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are no Thrift struct of the right kind.
    #[error("the manifest cannot be read")]
    Codec(#[from] CodecError),
    /// A later version.
    #[error("the manifest has version {0}, which this reader does not know")]
    UnsupportedVersion(i32),
    /// A field contradicts itself or goes beyond a limit.
    #[error("the manifest is wrong")]
    Metadata(#[from] MetadataError),
    /// A file's fields do not suit its kind or its path.
    #[error("the manifest's entry for `{0}` does not suit its kind")]
    File(ReleasePath),
    /// A file that the release needs is not listed.
    #[error("the manifest lists no {kind:?} file{}{}",
        sticker.map(|id| format!(" for sticker {id}")).unwrap_or_default(),
        density.map(|density| format!(" at density {density}")).unwrap_or_default())]
    Missing {
        /// The kind of file.
        kind: FileKind,
        /// The sticker that it would be for.
        sticker: Option<StickerId>,
        /// The density that it would have.
        density: Option<Density>,
    },
}

impl Manifest {
    /// Reads a manifest, strictly: each sticker has a file at each density, a poster and a master, each density a bundle,
    /// animated stickers a preview, the pack a cover and an icon; every path is the one that its kind has.
    ///
    /// # Errors
    /// [`ManifestError`] names the first thing that is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        let stored: crate::generated::sticker::ReleaseManifest = codec::read(bytes)?;
        if stored.manifest_version != MANIFEST_VERSION {
            return Err(ManifestError::UnsupportedVersion(stored.manifest_version));
        }
        let manifest = wire::from_wire(stored)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Writes the manifest; the same content gives the same bytes.
    ///
    /// # Errors
    /// [`ManifestError`] where [`Self::read`] would refuse it.
    pub fn write(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        Ok(codec::write(&wire::to_wire(self))?)
    }

    /// The files of one kind, in the order of their paths.
    pub fn files_of(&self, kind: FileKind) -> impl Iterator<Item = &ReleaseFile> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    fn check(&self) -> Result<(), ManifestError> {
        self.check_texts()?;
        let sides = 1..=Canvas::MAX_DP;
        if !sides.contains(&self.canvas.width_dp) || !sides.contains(&self.canvas.height_dp) {
            let (min, max) = (1, Canvas::MAX_DP.into());
            return Err(MetadataError::OutOfRange { field: "canvas", min, max }.into());
        }
        check::within("densities", self.densities.len() as u64, 1, LADDER.len() as u64)?;
        let ascending = self.densities.is_sorted_by(|before, after| before < after);
        if !ascending || !self.densities.iter().all(|density| LADDER.contains(density)) {
            return Err(
                MetadataError::Form { field: "densities", form: "an ascending part of the ladder" }.into()
            );
        }
        let mut ids = BTreeSet::new();
        if !self.stickers.iter().all(|sticker| ids.insert(sticker.id)) {
            return Err(MetadataError::Duplicate("stickers").into());
        }
        self.check_files(&ids)
    }

    fn check_texts(&self) -> Result<(), MetadataError> {
        check::texts("titles", &self.titles, 1, MAX_SHORT_TEXT)?;
        check::texts("descriptions", &self.descriptions, 0, MAX_LONG_TEXT)?;
        check::text("artist.name", &self.artist.name, 1, MAX_SHORT_TEXT)?;
        check::text("copyright", &self.copyright, 0, MAX_LONG_TEXT)?;
        check::text("price_tier", &self.price_tier, 1, Slug::MAX_LENGTH)?;
        check::within("tags", self.tags.len() as u64, 0, MAX_LOCALES as u64)?;
        self.tags.iter().try_for_each(|tag| check::text("tags", tag, 1, MAX_SHORT_TEXT))?;
        check::text("packer", &self.packer, 1, MAX_SHORT_TEXT)?;
        check::within("stickers", self.stickers.len() as u64, 1, MAX_STICKERS as u64)?;
        for sticker in &self.stickers {
            check::text("stickers.name", &sticker.name, 1, MAX_SHORT_TEXT)?;
            check::within("stickers.emoji", sticker.emoji.len() as u64, 0, MAX_EMOJI as u64)?;
            sticker
                .emoji
                .iter()
                .try_for_each(|emoji| check::text("stickers.emoji", emoji, 1, MAX_SHORT_TEXT))?;
            check::texts("stickers.alt_texts", &sticker.alt_texts, 0, MAX_SHORT_TEXT)?;
            check::within("stickers.frame_count", sticker.frame_count.into(), 1, MAX_FRAMES as u64)?;
            let longest = u64::from(sticker.frame_count) * u64::from(MAX_FRAME_MS);
            check::within("stickers.duration_ms", sticker.duration_ms.into(), 0, longest)?;
            check::within("stickers.loop_count", sticker.loop_count.into(), 0, MAX_LOOPS.into())?;
        }
        Ok(())
    }

    fn check_files(&self, stickers: &BTreeSet<StickerId>) -> Result<(), ManifestError> {
        check::within("files", self.files.len() as u64, 1, MAX_RELEASE_FILES as u64)?;
        if !self.files.is_sorted_by(|before, after| before.path < after.path) {
            return Err(MetadataError::Form { field: "files", form: "sorted by path, each path once" }.into());
        }
        for file in &self.files {
            check::within("files.size", file.size, 1, MAX_BUNDLE as u64)?;
            if let Some(recipe) = &file.recipe {
                recipe.check(file)?;
            }
            let known = file.sticker.is_none_or(|id| stickers.contains(&id))
                && (file.recipe.is_none() || file.kind == FileKind::Sticker);
            if !known || self.path_of(file).as_deref() != Some(file.path.as_str()) {
                return Err(ManifestError::File(file.path.clone()));
            }
        }
        let listed: BTreeSet<_> =
            self.files.iter().map(|file| (file.kind, file.sticker, file.density)).collect();
        let masters: BTreeSet<_> = self.files_of(FileKind::Master).map(|file| file.sticker).collect();
        let missing = |kind, sticker, density| Err(ManifestError::Missing { kind, sticker, density });
        for kind in [FileKind::Cover, FileKind::Icon] {
            if !listed.contains(&(kind, None, None)) {
                return missing(kind, None, None);
            }
        }
        for sticker in &self.stickers {
            let id = Some(sticker.id);
            if !listed.contains(&(FileKind::Poster, id, None)) {
                return missing(FileKind::Poster, id, None);
            }
            if sticker.frame_count > 1 && !listed.contains(&(FileKind::Preview, id, None)) {
                return missing(FileKind::Preview, id, None);
            }
            if !masters.contains(&id) {
                return missing(FileKind::Master, id, None);
            }
        }
        for &density in &self.densities {
            if !listed.contains(&(FileKind::Bundle, None, Some(density))) {
                return missing(FileKind::Bundle, None, Some(density));
            }
            for sticker in &self.stickers {
                if !listed.contains(&(FileKind::Sticker, Some(sticker.id), Some(density))) {
                    return missing(FileKind::Sticker, Some(sticker.id), Some(density));
                }
            }
        }
        Ok(())
    }

    /// The one path that a file with these fields has; `None` where a field is missing, or there is one too many.
    fn path_of(&self, file: &ReleaseFile) -> Option<String> {
        let pictures = file.format.is_some()
            && file.width.is_some_and(|px| px > 0)
            && file.height.is_some_and(|px| px > 0);
        let nothing = file.format.is_none() && file.width.is_none() && file.height.is_none();
        let built = |density: Density| self.densities.contains(&density).then_some(density);
        match (file.kind, file.sticker, file.density) {
            (FileKind::Sticker, Some(id), Some(density)) if pictures => {
                Some(format!("{}/{id}.sticker", built(density)?))
            }
            (FileKind::Bundle, None, Some(density)) if nothing => {
                Some(format!("{}/{}.zip", built(density)?, self.pack))
            }
            (FileKind::Master, Some(id), Some(_)) if pictures => Some(format!("master/{id}.sticker")),
            _ if file.format != Some(ImageFormat::WebP) || !pictures => None,
            (FileKind::Cover, None, None) => Some("web/cover.webp".to_owned()),
            (FileKind::Icon, None, None) => Some("web/icon.webp".to_owned()),
            (FileKind::Poster, Some(id), None) => Some(format!("web/{id}.poster.webp")),
            (FileKind::Preview, Some(id), None) => Some(format!("web/{id}.preview.webp")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
