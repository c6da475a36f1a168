//! Whether downloaded bytes are the file that a believed release lists, and if not, what they are instead.

use std::cmp::Ordering;

use super::TrustedRelease;
use crate::bundle::Bundle;
use crate::limits::MAX_BUNDLE;
use crate::release::{FileKind, ReleaseFile};
use crate::sticker::{Metadata, StickerFile};
use crate::{Density, PackId, Sha256, StickerId};

/// Why bytes are not the file of the release that they should be. Sorted by blame: a question that makes no sense, bytes that were damaged,
/// sound files that are not the one, and what only the store can have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FileRefusal {
    /// The release lists no such file.
    #[error("the release has no such file")]
    NotListed,
    /// Fewer bytes than are listed, and no sound file.
    #[error("the file is cut")]
    Truncated,
    /// More bytes than are listed, and no sound file.
    #[error("the file is longer than the release says")]
    TooLong,
    /// As many bytes as are listed, others, and no sound file.
    #[error("the file's bytes are others than the release says")]
    Altered,
    /// A file for another purpose, such as a master for a sticker file.
    #[error("this is a file of another kind")]
    WrongKind,
    /// A file of another pack.
    #[error("this is a file of another pack")]
    WrongPack,
    /// Another sticker's file.
    #[error("this is another sticker's file")]
    WrongSticker,
    /// The file for another density.
    #[error("this is the file for another density")]
    WrongDensity,
    /// A sound file of the right pack, sticker and density which this release does not have: an older or newer release's, or a forgery.
    #[error("this is a file of another release, or of nobody's")]
    OtherRelease,
    /// The very bytes that the store signed, and they say something else of themselves than the manifest.
    #[error("the file is the one that was signed, and contradicts the manifest")]
    Contradicts,
}

impl FileRefusal {
    /// The stable code, the same in every language.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotListed => "not_listed",
            Self::Truncated => "truncated",
            Self::TooLong => "too_long",
            Self::Altered => "altered",
            Self::WrongKind => "wrong_kind",
            Self::WrongPack => "wrong_pack",
            Self::WrongSticker => "wrong_sticker",
            Self::WrongDensity => "wrong_density",
            Self::OtherRelease => "other_release",
            Self::Contradicts => "contradicts",
        }
    }
}

impl TrustedRelease {
    /// Whether these bytes are this file of the release, by size and SHA-256; and whether a sticker file or a bundle says the same of itself as
    /// the manifest does: sticker, pack, density, format and size in px, and in a bundle every sticker's bytes.
    ///
    /// # Errors
    /// [`FileRefusal`] says what the bytes are instead, as far as they tell. Whatever it says, they must not be used.
    pub fn check(&self, file: &ReleaseFile, bytes: &[u8]) -> Result<(), FileRefusal> {
        if self.file(file.path.as_str()) != Some(file) {
            return Err(FileRefusal::NotListed);
        }
        if bytes.len() > MAX_BUNDLE {
            return Err(FileRefusal::TooLong);
        }
        let hash = Sha256::of(bytes);
        if hash != file.sha256 || bytes.len() as u64 != file.size {
            return Err(self.instead(file, bytes, hash));
        }
        if self.agrees(file, bytes) { Ok(()) } else { Err(FileRefusal::Contradicts) }
    }

    /// The same for the file at this path, as a folder or an archive names it.
    ///
    /// # Errors
    /// [`FileRefusal`], `NotListed` for a path that the release does not have.
    pub fn check_path(&self, path: &str, bytes: &[u8]) -> Result<(), FileRefusal> {
        self.check(self.file(path).ok_or(FileRefusal::NotListed)?, bytes)
    }

    fn agrees(&self, file: &ReleaseFile, bytes: &[u8]) -> bool {
        match file.kind {
            FileKind::Sticker | FileKind::Master => StickerFile::read(bytes)
                .is_ok_and(|sticker| self.agrees_with_metadata(file, sticker.metadata())),
            FileKind::Bundle => {
                Bundle::read(bytes).is_ok_and(|bundle| self.agrees_with_bundle(file, &bundle))
            }
            // Of these the manifest says nothing that a client relies on.
            FileKind::Cover | FileKind::Icon | FileKind::Poster | FileKind::Preview => true,
        }
    }

    fn agrees_with_metadata(&self, file: &ReleaseFile, metadata: &Metadata) -> bool {
        metadata.pack == self.pack()
            && Some(metadata.sticker) == file.sticker
            && Some(metadata.density) == file.density
            && Some(metadata.format) == file.format
            && (Some(metadata.width), Some(metadata.height)) == (file.width, file.height)
    }

    /// The manifest's stickers in its order, each with the bytes that its own entry in the manifest has.
    fn agrees_with_bundle(&self, file: &ReleaseFile, bundle: &Bundle<'_>) -> bool {
        let pack = bundle.pack();
        let order = pack.stickers.iter().map(|sticker| sticker.id);
        let same = |(&id, bytes): (&StickerId, &&[u8])| {
            self.sticker(id, pack.density).is_some_and(|listed| listed.sha256 == Sha256::of(bytes))
        };
        pack.id == self.pack()
            && Some(pack.density) == file.density
            && order.eq(self.manifest().stickers.iter().map(|sticker| sticker.id))
            && bundle.stickers().iter().all(same)
    }

    /// What bytes are that are not `file`.
    fn instead(&self, file: &ReleaseFile, bytes: &[u8], hash: Sha256) -> FileRefusal {
        if let Some(other) = self.manifest().files.iter().find(|other| other.sha256 == hash) {
            return if other.kind != file.kind {
                FileRefusal::WrongKind
            } else if other.sticker != file.sticker {
                FileRefusal::WrongSticker
            } else if other.density != file.density {
                FileRefusal::WrongDensity
            } else {
                // The right bytes, and another size than theirs in the manifest: only who signed it can have done that.
                FileRefusal::Contradicts
            };
        }
        if let Ok(sticker) = StickerFile::read(bytes) {
            let said = sticker.metadata();
            return match file.kind {
                FileKind::Sticker | FileKind::Master => {
                    self.whose(file, said.pack, Some(said.sticker), said.density)
                }
                _ => FileRefusal::WrongKind,
            };
        }
        if let Ok(bundle) = Bundle::read(bytes) {
            let said = bundle.pack();
            return match file.kind {
                FileKind::Bundle => self.whose(file, said.id, None, said.density),
                _ => FileRefusal::WrongKind,
            };
        }
        match (bytes.len() as u64).cmp(&file.size) {
            Ordering::Less => FileRefusal::Truncated,
            Ordering::Equal => FileRefusal::Altered,
            Ordering::Greater => FileRefusal::TooLong,
        }
    }

    /// What a sound file is that this release does not have, by what it says of itself.
    fn whose(
        &self,
        file: &ReleaseFile,
        pack: PackId,
        sticker: Option<StickerId>,
        density: Density,
    ) -> FileRefusal {
        if pack != self.pack() {
            FileRefusal::WrongPack
        } else if sticker != file.sticker {
            FileRefusal::WrongSticker
        } else if Some(density) != file.density {
            FileRefusal::WrongDensity
        } else {
            FileRefusal::OtherRelease
        }
    }
}
