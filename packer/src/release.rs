//! A release's folder, read strictly: every file is the one that the manifest lists.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sticker_protocol::limits::MAX_METADATA;
use sticker_protocol::release::{MANIFEST_FILE, Manifest, ManifestError, ReleaseFile};
use sticker_protocol::{ReleasePath, Sha256};

/// Why a release's folder cannot be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// `release.thrift` is no manifest.
    #[error("the release cannot be read")]
    Manifest(#[from] ManifestError),
    /// A file has changed since it was built.
    #[error("{0} is not the file that the manifest lists")]
    Changed(ReleasePath),
}

impl ReleaseError {
    /// Stable name of the kind of failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Manifest(_) => "not_a_release",
            Self::Changed(_) => "file_changed",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "give the folder that `sticker-packer build` made",
            Self::Manifest(_) | Self::Changed(_) => "build it again with `sticker-packer build`",
        }
    }
}

/// The manifest of the release in `out`, as it was read and in its bytes.
pub(crate) fn manifest(out: &Path) -> Result<(Manifest, Vec<u8>), ReleaseError> {
    let encoded = bytes(&out.join(MANIFEST_FILE), MAX_METADATA as u64)?;
    Ok((Manifest::read(&encoded)?, encoded))
}

/// A file of the release, which is the one that was built.
pub(crate) fn listed(out: &Path, file: &ReleaseFile) -> Result<Vec<u8>, ReleaseError> {
    let content = bytes(&out.join(file.path.as_str()), file.size)?;
    let same = content.len() as u64 == file.size && Sha256::of(&content) == file.sha256;
    if same { Ok(content) } else { Err(ReleaseError::Changed(file.path.clone())) }
}

/// At most one byte more than `size`, which is enough to see that a file is longer.
fn bytes(path: &Path, size: u64) -> Result<Vec<u8>, ReleaseError> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(size.saturating_add(1)).read_to_end(&mut content))
        .map_err(|source| ReleaseError::Io { path: path.to_owned(), source })?;
    Ok(content)
}
