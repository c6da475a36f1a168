//! A release's folder, read strictly: every file is the one that the manifest lists.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rayon::prelude::*;
use sticker_protocol::limits::MAX_METADATA;
use sticker_protocol::release::{FileKind, MANIFEST_FILE, Manifest, ReleaseFile};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, Sha256, StickerId};

use super::PreviewError;
use crate::error::Error;

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
    let encoded = bytes(&out.join(MANIFEST_FILE), MAX_METADATA as u64)?;
    let manifest = Manifest::read(&encoded)?;
    let checked = manifest.files.par_iter().map(|file| {
        let content = bytes(&out.join(file.path.as_str()), file.size)?;
        if content.len() as u64 != file.size || Sha256::of(&content) != file.sha256 {
            return Err(PreviewError::Changed(file.path.clone()));
        }
        if matches!(file.kind, FileKind::Sticker | FileKind::Master) {
            check(&manifest, file, &content)?;
        }
        let shown = matches!(file.kind, FileKind::Sticker | FileKind::Master | FileKind::Cover);
        Ok(shown.then(|| ((file.kind, file.sticker, file.density), (file.clone(), content))))
    });
    let files = checked.filter_map(Result::transpose).collect::<Result<_, _>>()?;
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

/// At most one byte more than `size`, which is enough to see that a file is longer.
fn bytes(path: &Path, size: u64) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(size.saturating_add(1)).read_to_end(&mut content));
    read.map_err(Error::io("read", path))?;
    Ok(content)
}
