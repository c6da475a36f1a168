//! Objects in a folder.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use sticker_protocol::Sha256;

use super::{Got, INCOMING, Name, ObjectError, Stored, key, named};

/// A folder of objects, and one of uploads beside it.
#[derive(Clone, Debug)]
pub struct Local {
    folder: PathBuf,
    uploads: PathBuf,
    writes: Arc<AtomicU64>,
}

impl Local {
    pub(super) fn open(data_dir: &Path) -> Result<Self, ObjectError> {
        let (folder, uploads) = (data_dir.join("objects"), data_dir.join(INCOMING));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, uploads, writes: Arc::default() })
    }

    pub(super) fn path(&self, hash: Sha256) -> PathBuf {
        self.folder.join(key(hash))
    }

    /// The file of an upload. A release's name is a hash as well, and never a way out of the folder.
    pub(super) fn incoming(&self, release: &str, hash: Sha256) -> PathBuf {
        let release = release.parse::<Sha256>().map_or_else(|_| "none".to_owned(), |it| it.to_string());
        self.uploads.join(release).join(hash.to_string())
    }

    pub(super) async fn put(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        if self.has(hash).await? {
            return Ok(());
        }
        self.replace(hash, content).await
    }

    pub(super) async fn replace(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        self.write(self.path(hash), content, true).await
    }

    pub(super) async fn receive(
        &self,
        release: &str,
        hash: Sha256,
        content: Vec<u8>,
    ) -> Result<(), ObjectError> {
        self.write(self.incoming(release, hash), content, false).await
    }

    /// Writes a file that is there whole or not at all; `lasts` where it has to survive a power cut.
    async fn write(&self, path: PathBuf, content: Vec<u8>, lasts: bool) -> Result<(), ObjectError> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{number}.{UNFINISHED}", std::process::id()));
        blocking(move || {
            let folder = path.parent().unwrap_or(&path);
            let is_new = !folder.exists();
            fs::create_dir_all(folder)?;
            let written = write(&beside, &content, lasts).and_then(|()| fs::rename(&beside, &path));
            if written.is_err() {
                // The first error is the one to tell.
                let _ = fs::remove_file(&beside);
            }
            written?;
            if !lasts {
                return Ok(());
            }
            File::open(folder)?.sync_all()?;
            // The entry of a folder that was just made is in the folder above it.
            match folder.parent().filter(|_| is_new) {
                Some(above) => File::open(above)?.sync_all(),
                None => Ok(()),
            }
        })
        .await
    }

    pub(super) async fn get(&self, path: PathBuf, at_most: u64) -> Result<Got, ObjectError> {
        blocking(move || {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Got::None),
                Err(error) => return Err(error),
            };
            if file.metadata()?.len() > at_most {
                return Ok(Got::TooLarge);
            }
            let mut content = Vec::new();
            file.take(at_most).read_to_end(&mut content)?;
            Ok(Got::Whole(content))
        })
        .await
    }

    pub(super) async fn has(&self, hash: Sha256) -> Result<bool, ObjectError> {
        let path = self.path(hash);
        blocking(move || path.try_exists()).await
    }

    pub(super) async fn which(&self, hashes: Vec<Sha256>) -> Result<HashSet<Sha256>, ObjectError> {
        let local = self.clone();
        blocking(move || {
            let mut there = HashSet::new();
            for hash in hashes {
                if local.path(hash).try_exists()? {
                    there.insert(hash);
                }
            }
            Ok(there)
        })
        .await
    }

    pub(super) async fn arrived(&self, release: &str) -> Result<HashMap<Sha256, u64>, ObjectError> {
        let folder = self.incoming(release, Sha256::of(b"")).parent().map(Path::to_owned);
        let folder = folder.unwrap_or_default();
        blocking(move || {
            let mut arrived = HashMap::new();
            for (path, name) in entries(&folder)? {
                if let Ok(hash) = name.parse()
                    && let Some(metadata) = still_there(fs::metadata(&path))?
                {
                    arrived.insert(hash, metadata.len());
                }
            }
            Ok(arrived)
        })
        .await
    }

    /// Removes a file, and the folder of a release that is empty then.
    pub(super) async fn remove(&self, path: PathBuf) -> Result<(), ObjectError> {
        let uploads = self.uploads.clone();
        blocking(move || {
            still_there(fs::remove_file(&path))?;
            if let Some(folder) = path.parent().filter(|folder| folder.parent() == Some(&uploads)) {
                // Other uploads may be in it.
                let _ = fs::remove_dir(folder);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn list(&self) -> Result<Vec<Stored>, ObjectError> {
        let local = self.clone();
        blocking(move || {
            let mut found = Vec::new();
            for (root, before) in [(&local.folder, ""), (&local.uploads, "incoming/")] {
                for (folder, shelf) in entries(root)? {
                    if !folder.is_dir() {
                        continue;
                    }
                    for (path, name) in entries(&folder)? {
                        let is = named(&format!("{before}{shelf}/{name}"));
                        let unfinished = || {
                            let ends = path.extension().is_some_and(|ending| ending == UNFINISHED);
                            ends.then(|| Name::Unfinished(path.clone()))
                        };
                        if let Some(name) = is.or_else(unfinished)
                            && let Some(metadata) = still_there(fs::metadata(&path))?
                        {
                            found.push(Stored {
                                name,
                                bytes: metadata.len(),
                                written_at: written(&metadata)?,
                            });
                        }
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    pub(super) async fn probe(&self) -> Result<(), ObjectError> {
        let folder = self.folder.clone();
        blocking(move || fs::metadata(folder).map(drop)).await
    }
}

/// The ending of a file that is being written.
const UNFINISHED: &str = "new";

/// Paths and names in a folder, which need not be there.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let Some(read) = still_there(fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in read {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((entry.path(), name));
        }
    }
    Ok(found)
}

fn still_there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn written(metadata: &fs::Metadata) -> io::Result<i64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn write(path: &Path, content: &[u8], lasts: bool) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    if lasts { file.sync_all() } else { Ok(()) }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ObjectError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::super::{Objects, Upload};
    use super::*;

    fn objects(folder: &Path) -> Objects {
        Objects::Local(Local::open(folder).unwrap())
    }

    #[tokio::test]
    async fn an_object_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path());
        let (content, hash) = (b"a sticker".to_vec(), Sha256::of(b"a sticker"));
        assert_eq!(objects.get(hash).await.unwrap(), None);
        objects.put(hash, content.clone()).await.unwrap();
        objects.put(hash, content.clone()).await.unwrap();
        assert_eq!(objects.get(hash).await.unwrap(), Some(content));
        assert!(objects.has(hash).await.unwrap());
        let shelf = folder.path().join("objects").join(&hash.to_string()[..2]);
        assert_eq!(fs::read_dir(shelf).unwrap().count(), 1, "nothing lies beside it");
    }

    #[tokio::test]
    async fn what_stands_there_damaged_is_told_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path());
        let (content, hash) = (b"a sticker".to_vec(), Sha256::of(b"a sticker"));
        objects.put(hash, b"a stickes".to_vec()).await.unwrap();
        assert!(matches!(objects.get(hash).await, Err(ObjectError::Altered(_))));
        objects.put(hash, content.clone()).await.unwrap();
        assert!(matches!(objects.get(hash).await, Err(ObjectError::Altered(_))));
        objects.replace(hash, content.clone()).await.unwrap();
        assert_eq!(objects.get(hash).await.unwrap(), Some(content));
    }

    #[tokio::test]
    async fn an_upload_is_no_object_and_counts_only_with_its_own_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path());
        let (release, hash) = (Sha256::of(b"release").to_string(), Sha256::of(b"a sticker"));
        assert!(matches!(objects.uploaded(&release, (hash, 9)).await.unwrap(), Upload::None));
        for other in [&b"a stickes"[..], b"a stick", b"a sticker and more"] {
            objects.receive(&release, hash, other.to_vec()).await.unwrap();
            assert!(matches!(objects.uploaded(&release, (hash, 9)).await.unwrap(), Upload::Other));
        }
        objects.receive(&release, hash, b"a sticker".to_vec()).await.unwrap();
        assert!(matches!(objects.uploaded(&release, (hash, 9)).await.unwrap(), Upload::Same(_)));
        assert_eq!(objects.arrived(&release).await.unwrap(), HashMap::from([(hash, 9)]));
        assert!(!objects.has(hash).await.unwrap());
        let mut listed = Vec::new();
        objects.list(&mut |it| listed.push(it.name)).await.unwrap();
        let name = Name::Incoming(release, hash);
        assert_eq!(listed, std::slice::from_ref(&name));
        objects.take_away(&name).await.unwrap();
        objects.take_away(&name).await.unwrap();
        assert_eq!(fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_release_is_no_way_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path());
        objects.receive("../../x", Sha256::of(b"a"), b"a".to_vec()).await.unwrap();
        assert!(folder.path().join("incoming/none").join(Sha256::of(b"a").to_string()).exists());
    }
}
