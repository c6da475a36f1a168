//! The bundle: all sticker files of a pack at one density, a zip without compression. Section 3 of this crate's README.

mod zip;

use std::collections::{BTreeMap, BTreeSet};

pub use self::zip::ZipError;
use crate::codec::{self, CodecError};
use crate::generated::sticker as wire;
use crate::limits::{MAX_BUNDLE, MAX_LONG_TEXT, MAX_SHORT_TEXT, MAX_STICKERS};
use crate::sticker::{MetadataError, StickerFile, StickerFileError, check};
use crate::{Density, PackId, Slug, StickerId};

/// The entry `pack` of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The pack.
    pub id: PackId,
    /// The pack's name in addresses.
    pub slug: Slug,
    /// The density of every sticker file in the bundle.
    pub density: Density,
    /// Titles by locale, at least one.
    pub titles: BTreeMap<String, String>,
    /// The artist's name.
    pub artist: String,
    /// The copyright notice; may be empty.
    pub copyright: String,
    /// The stickers in the order in which a keyboard shows them.
    pub stickers: Vec<BundledSticker>,
}

/// One sticker in the order of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundledSticker {
    /// The sticker; its file is the entry `<id>.sticker`.
    pub id: StickerId,
    /// The designer's name for it.
    pub name: String,
}

/// A bundle that was read and keeps to the format: the zip's structure, the pack entry and every sticker file.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    pack: Pack,
    stickers: BTreeMap<StickerId, &'a [u8]>,
}

/// Why bytes are no bundle, or no bundle can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// More than [`MAX_BUNDLE`] bytes.
    #[error("it has {0} bytes; a bundle has at most {MAX_BUNDLE}")]
    TooLong(usize),
    /// The zip is not one that this format allows.
    #[error("its zip structure is wrong")]
    Zip(#[from] ZipError),
    /// The entry `pack` is missing.
    #[error("it has no entry `pack`")]
    NoPack,
    /// An entry that is neither `pack` nor a sticker that the pack lists.
    #[error("the entry `{0}` does not belong in the bundle")]
    UnexpectedEntry(String),
    /// A sticker that the pack lists has no entry.
    #[error("the file of sticker {0} is missing")]
    MissingSticker(StickerId),
    /// The pack entry is no Thrift struct of the right kind.
    #[error("its pack entry cannot be read")]
    Codec(#[source] CodecError),
    /// The pack entry contradicts itself or goes beyond a limit.
    #[error("its pack entry is wrong")]
    Metadata(#[from] MetadataError),
    /// A sticker file cannot be read.
    #[error("the file of sticker {id} is wrong")]
    Sticker {
        /// Which sticker.
        id: StickerId,
        /// What is wrong with it.
        #[source]
        error: Box<StickerFileError>,
    },
    /// A sticker file is for another sticker, pack or density than its place in the bundle says.
    #[error("the file of sticker {0} names another sticker, pack or density")]
    WrongSticker(StickerId),
}

impl<'a> Bundle<'a> {
    /// Reads a whole bundle, strictly, every sticker file included. Copies no sticker file.
    ///
    /// # Errors
    /// [`BundleError`] names the first thing that is wrong.
    pub fn read(file: &'a [u8]) -> Result<Self, BundleError> {
        if file.len() > MAX_BUNDLE {
            return Err(BundleError::TooLong(file.len()));
        }
        let mut pack = None;
        let mut stickers = BTreeMap::new();
        for (name, content) in zip::read(file, MAX_STICKERS + 1)? {
            if name == PACK_ENTRY {
                pack = Some(content);
            } else {
                let id = sticker_of(name).ok_or_else(|| BundleError::UnexpectedEntry(name.to_owned()))?;
                stickers.insert(id, content);
            }
        }
        let stored = codec::read(pack.ok_or(BundleError::NoPack)?).map_err(BundleError::Codec)?;
        let pack = Pack::from_wire(stored)?;
        pack.check(&stickers)?;
        Ok(Self { pack, stickers })
    }

    /// What the bundle says of its pack.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The sticker files, each of which reads.
    pub fn stickers(&self) -> &BTreeMap<StickerId, &'a [u8]> {
        &self.stickers
    }
}

/// Writes a bundle. What this function writes, [`Bundle::read`] reads; the same input gives the same bytes.
///
/// # Errors
/// [`BundleError`] where the pack and the files do not agree or go beyond a limit.
pub fn write(pack: &Pack, stickers: &BTreeMap<StickerId, impl AsRef<[u8]>>) -> Result<Vec<u8>, BundleError> {
    let stickers: BTreeMap<_, _> = stickers.iter().map(|(&id, file)| (id, file.as_ref())).collect();
    pack.check(&stickers)?;
    let encoded = codec::write(&pack.to_wire()).map_err(BundleError::Codec)?;
    let mut entries: BTreeMap<String, &[u8]> =
        stickers.iter().map(|(id, &file)| (format!("{id}{STICKER_ENDING}"), file)).collect();
    entries.insert(PACK_ENTRY.to_owned(), &encoded);
    let file = zip::write(&entries)?;
    if file.len() > MAX_BUNDLE { Err(BundleError::TooLong(file.len())) } else { Ok(file) }
}

impl Pack {
    fn check(&self, stickers: &BTreeMap<StickerId, &[u8]>) -> Result<(), BundleError> {
        check::texts("titles", &self.titles, 1, MAX_SHORT_TEXT)?;
        check::text("artist", &self.artist, 1, MAX_SHORT_TEXT)?;
        check::text("copyright", &self.copyright, 0, MAX_LONG_TEXT)?;
        check::within("stickers", self.stickers.len() as u64, 1, MAX_STICKERS as u64)?;
        let mut listed = BTreeSet::new();
        for sticker in &self.stickers {
            check::text("stickers.name", &sticker.name, 1, MAX_SHORT_TEXT)?;
            if !listed.insert(sticker.id) {
                return Err(MetadataError::Duplicate("stickers").into());
            }
            let file = stickers.get(&sticker.id).ok_or(BundleError::MissingSticker(sticker.id))?;
            self.check_sticker(sticker.id, file)?;
        }
        match stickers.keys().find(|id| !listed.contains(id)) {
            Some(id) => Err(BundleError::UnexpectedEntry(format!("{id}{STICKER_ENDING}"))),
            None => Ok(()),
        }
    }

    fn check_sticker(&self, id: StickerId, file: &[u8]) -> Result<(), BundleError> {
        let read =
            StickerFile::read(file).map_err(|error| BundleError::Sticker { id, error: Box::new(error) })?;
        let metadata = read.metadata();
        let fits = metadata.sticker == id && metadata.pack == self.id && metadata.density == self.density;
        if fits { Ok(()) } else { Err(BundleError::WrongSticker(id)) }
    }

    fn from_wire(stored: wire::PackMetadata) -> Result<Self, MetadataError> {
        let sticker = |stored: wire::BundledSticker| {
            Ok(BundledSticker { id: check::id("stickers.sticker_id", stored.sticker_id)?, name: stored.name })
        };
        Ok(Self {
            id: check::id("pack_id", stored.pack_id)?,
            slug: Slug::checked("slug", stored.slug)?,
            density: check::density("density", stored.density)?,
            titles: stored.titles,
            artist: stored.artist,
            copyright: stored.copyright,
            stickers: stored.stickers.into_iter().map(sticker).collect::<Result<_, MetadataError>>()?,
        })
    }

    fn to_wire(&self) -> wire::PackMetadata {
        let sticker =
            |it: &BundledSticker| wire::BundledSticker { sticker_id: it.id.signed(), name: it.name.clone() };
        wire::PackMetadata {
            pack_id: self.id.signed(),
            slug: self.slug.to_string(),
            density: i32::from(self.density.get()),
            titles: self.titles.clone(),
            artist: self.artist.clone(),
            copyright: self.copyright.clone(),
            stickers: self.stickers.iter().map(sticker).collect(),
        }
    }
}

fn sticker_of(entry: &str) -> Option<StickerId> {
    entry.strip_suffix(STICKER_ENDING)?.parse().ok()
}

const PACK_ENTRY: &str = "pack";
const STICKER_ENDING: &str = ".sticker";

#[cfg(test)]
mod tests;
