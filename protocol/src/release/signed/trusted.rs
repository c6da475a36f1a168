//! A release that was believed, and what may be asked of it.

use super::{KnownRelease, ReleaseCounter, Statement};
use crate::release::{FileKind, Manifest, ReleaseFile};
use crate::{Density, PackId, Sha256, StickerId, UnixSeconds};

/// A pack's release as its store published it: the manifest, and with it the size and the SHA-256 of every file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRelease {
    statement: Statement,
    id: Sha256,
    manifest: Manifest,
    overrules: Option<KnownRelease>,
}

impl TrustedRelease {
    pub(super) const fn new(
        statement: Statement,
        id: Sha256,
        manifest: Manifest,
        overrules: Option<KnownRelease>,
    ) -> Self {
        Self { statement, id, manifest, overrules }
    }

    /// What was known of the pack by the word of a key that is trusted no longer.
    pub(super) const fn overrules(&self) -> Option<KnownRelease> {
        self.overrules
    }

    /// What was signed beside the manifest.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The pack.
    pub const fn pack(&self) -> PackId {
        self.statement.pack
    }

    /// The number of this publication of the pack.
    pub const fn counter(&self) -> ReleaseCounter {
        self.statement.counter
    }

    /// The release's id, the SHA-256 of its manifest.
    pub const fn id(&self) -> Sha256 {
        self.id
    }

    /// What the release holds.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// When the store signed it, in seconds before `now`; 0 where its clock is ahead of the caller's.
    ///
    /// A store signs every pack again that was signed more than 30 days ago. So an answer that is much older, say 60 days, was
    /// kept by somebody: the pack may have newer releases that this client is not to see.
    pub const fn age(&self, now: UnixSeconds) -> u64 {
        now.0.saturating_sub(self.statement.signed_at.0)
    }

    /// The density to download for a screen: the smallest that fills it, else the largest.
    pub fn density_for(&self, screen: Density) -> Option<Density> {
        Density::choose(self.manifest.densities.iter().copied(), screen)
    }

    /// The file at this path of the release; nothing else belongs to it.
    pub fn file(&self, path: &str) -> Option<&ReleaseFile> {
        self.manifest.files.iter().find(|file| file.path.as_str() == path)
    }

    /// The file of one sticker at a built density.
    pub fn sticker(&self, id: StickerId, density: Density) -> Option<&ReleaseFile> {
        self.manifest
            .files_of(FileKind::Sticker)
            .find(|file| file.sticker == Some(id) && file.density == Some(density))
    }

    /// The files of all stickers at a built density, in the order of their paths.
    pub fn stickers(&self, density: Density) -> impl Iterator<Item = &ReleaseFile> {
        self.manifest.files_of(FileKind::Sticker).filter(move |file| file.density == Some(density))
    }

    /// The bundle of a built density.
    pub fn bundle(&self, density: Density) -> Option<&ReleaseFile> {
        self.manifest.files_of(FileKind::Bundle).find(|file| file.density == Some(density))
    }

    /// Where the store has exactly this file, for ever: the path and no host. `None` for what phones do not download by density, the masters and
    /// the pictures of pages.
    pub fn address(&self, file: &ReleaseFile) -> Option<String> {
        let (density, hash) = (file.density?, file.sha256);
        match file.kind {
            FileKind::Sticker => Some(format!("/dl/{density}/{}.{hash}.sticker", file.sticker?)),
            FileKind::Bundle => Some(format!("/dl/{density}/{}.{hash}.zip", self.pack())),
            _ => None,
        }
    }
}
