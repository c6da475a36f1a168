//! What a page shows of a release: its stickers at every density, their artwork, the cover.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, Sha256, StickerId};

use super::PreviewError;
use crate::release;

/// A release in memory, bundles aside, whose stickers are files of their own.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) id: Sha256,
    pub(super) manifest: Manifest,
    files: BTreeMap<Place, (ReleaseFile, Vec<u8>)>,
}

/// What names a file.
type Place = (FileKind, Option<StickerId>, Option<Density>);

impl Release {
    /// A sticker at a density; every one that the manifest lists is there.
    pub(super) fn variant(&self, id: StickerId, density: Density) -> Option<&(ReleaseFile, Vec<u8>)> {
        self.files.get(&(FileKind::Sticker, Some(id), Some(density)))
    }

    /// Every sticker at every density.
    pub(super) fn variants(&self) -> impl Iterator<Item = &(ReleaseFile, Vec<u8>)> {
        self.files.values().filter(|(file, _)| file.kind == FileKind::Sticker)
    }

    /// A sticker's artwork.
    pub(super) fn master(&self, id: StickerId) -> Option<&(ReleaseFile, Vec<u8>)> {
        self.files.values().find(|(file, _)| file.kind == FileKind::Master && file.sticker == Some(id))
    }

    /// The pack's cover, a WebP.
    pub(super) fn cover(&self) -> Option<&[u8]> {
        self.files.get(&(FileKind::Cover, None, None)).map(|(_, content)| content.as_slice())
    }

    /// Bytes of the bundle at a density.
    pub(super) fn bundle_bytes(&self, density: Density) -> u64 {
        let is_it = |file: &&ReleaseFile| file.kind == FileKind::Bundle && file.density == Some(density);
        self.manifest.files.iter().find(is_it).map_or(0, |file| file.size)
    }
}

/// Reads and checks the whole folder, several files at a time.
pub(super) fn read(out: &Path) -> Result<Release, PreviewError> {
    let (manifest, encoded) = release::manifest(out)?;
    let checked = manifest.files.par_iter().map(|file| {
        let content = release::listed(out, file)?;
        if matches!(file.kind, FileKind::Sticker | FileKind::Master) {
            check(&manifest, file, &content)?;
        }
        let shown = matches!(file.kind, FileKind::Sticker | FileKind::Master | FileKind::Cover);
        Ok(shown.then(|| ((file.kind, file.sticker, file.density), (file.clone(), content))))
    });
    let files = checked.filter_map(Result::transpose).collect::<Result<_, PreviewError>>()?;
    Ok(Release { id: Sha256::of(&encoded), manifest, files })
}

fn check(manifest: &Manifest, file: &ReleaseFile, content: &[u8]) -> Result<(), PreviewError> {
    let path = || file.path.clone();
    let sticker = StickerFile::read(content)
        .map_err(|error| PreviewError::Sticker { path: path(), error: Box::new(error) })?;
    let it = sticker.metadata();
    let same = (Some(it.sticker), Some(it.density), Some(it.format), Some(it.width), Some(it.height))
        == (file.sticker, file.density, file.format, file.width, file.height);
    if same && it.pack == manifest.pack { Ok(()) } else { Err(PreviewError::WrongSticker(path())) }
}
