//! Objects in a folder.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sticker_protocol::Sha256;

use super::{ObjectError, key};

/// A folder of objects.
#[derive(Clone, Debug)]
pub struct Local {
    folder: PathBuf,
    writes: Arc<AtomicU64>,
}

impl Local {
    pub(super) fn open(folder: PathBuf) -> Result<Self, ObjectError> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, writes: Arc::default() })
    }

    pub(super) fn path(&self, hash: Sha256) -> PathBuf {
        self.folder.join(key(hash))
    }

    pub(super) async fn put(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        let path = self.folder.join(key(hash));
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{number}.new", std::process::id()));
        blocking(move || {
            if path.exists() {
                return Ok(());
            }
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder)?;
            let written = write(&beside, &content).and_then(|()| fs::rename(&beside, &path));
            if written.is_err() {
                // The first error is the one to tell.
                let _ = fs::remove_file(&beside);
            }
            written?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    pub(super) async fn get(&self, hash: Sha256) -> Result<Option<Vec<u8>>, ObjectError> {
        let path = self.folder.join(key(hash));
        blocking(move || match fs::read(path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn has(&self, hash: Sha256) -> Result<bool, ObjectError> {
        let path = self.folder.join(key(hash));
        blocking(move || path.try_exists()).await
    }

    pub(super) async fn remove(&self, hash: Sha256) -> Result<(), ObjectError> {
        let path = self.folder.join(key(hash));
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    pub(super) async fn probe(&self) -> Result<(), ObjectError> {
        let folder = self.folder.clone();
        blocking(move || fs::metadata(folder).map(drop)).await
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ObjectError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::open(folder.path().join("objects")).unwrap();
        let (content, hash) = (b"a sticker".to_vec(), Sha256::of(b"a sticker"));
        assert_eq!(local.get(hash).await.unwrap(), None);
        local.put(hash, content.clone()).await.unwrap();
        local.put(hash, content.clone()).await.unwrap();
        assert_eq!(local.get(hash).await.unwrap(), Some(content));
        assert!(local.has(hash).await.unwrap());
        let shelf = folder.path().join("objects").join(&hash.to_string()[..2]);
        assert_eq!(fs::read_dir(shelf).unwrap().count(), 1, "nothing lies beside it");
    }
}
