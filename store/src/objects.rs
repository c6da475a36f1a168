//! The files of releases, named by their content, immutable: in a local folder or in S3.
//!
//! Beside them is the incoming area: what a designer uploaded for a release, as it came. Nothing is served from there, and nothing goes
//! from there under the name of its content before the bytes that go were hashed and checked.

mod local;
mod s3;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use sticker_protocol::Sha256;
use sticker_protocol::limits::MAX_BUNDLE;

use crate::config::{self, Config, ObjectsKind};

pub use s3::Address;

/// Where objects are.
#[derive(Debug)]
pub enum Objects {
    /// A folder.
    Local(local::Local),
    /// A bucket.
    S3(s3::S3),
}

/// Why an object was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The local folder does not work.
    #[error("the objects' folder does not work")]
    Io(#[from] std::io::Error),
    /// S3 does not work.
    #[error("S3 does not work")]
    S3(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What a release names is not there.
    #[error("object {0} is missing")]
    Missing(Sha256),
    /// What was read is not what was written.
    #[error("object {0} has been altered")]
    Altered(Sha256),
}

/// What was uploaded for a release under a file's hash.
#[derive(Debug)]
pub enum Upload {
    /// Nothing.
    None,
    /// Other bytes, or another number of them.
    Other,
    /// The bytes that have the hash.
    Same(Vec<u8>),
}

/// Something that stands where objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it is.
    pub name: Name,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970 by the clock of where it is.
    pub written_at: i64,
}

/// What something that stands where objects are is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// An object.
    Object(Sha256),
    /// An upload for this release.
    Incoming(String, Sha256),
    /// A file that was not written to its end; only in a folder.
    Unfinished(PathBuf),
}

impl Objects {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn open(config: &Config) -> Result<Self, ObjectError> {
        Self::open_at(&config.data_dir, &config.objects).await
    }

    /// The same with nothing but what says where objects are.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn open_at(
        data_dir: &std::path::Path,
        settings: &config::Objects,
    ) -> Result<Self, ObjectError> {
        Ok(match settings.kind {
            ObjectsKind::Local => Self::Local(local::Local::open(data_dir)?),
            ObjectsKind::S3 => Self::S3(s3::S3::open(settings).await),
        })
    }

    /// Keeps an object. Once this returns, it survives a crash; before, nobody sees it.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn put(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.put(hash, content).await,
            Self::S3(s3) => s3.put(&key(hash), content).await,
        }
    }

    /// The same in the place of what stands there, which may be damaged: whoever reads meanwhile gets the one or the other, whole.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn replace(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.replace(hash, content).await,
            Self::S3(s3) => s3.put(&key(hash), content).await,
        }
    }

    /// The whole object, hash checked; `None` where there is none.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn get(&self, hash: Sha256) -> Result<Option<Vec<u8>>, ObjectError> {
        let content = match self {
            Self::Local(local) => local.get(local.path(hash), MAX_OBJECT).await?,
            Self::S3(s3) => s3.get(&key(hash), MAX_OBJECT).await?,
        };
        match content {
            Got::None => Ok(None),
            Got::Whole(content) if Sha256::of(&content) == hash => Ok(Some(content)),
            Got::Whole(_) | Got::TooLarge => Err(ObjectError::Altered(hash)),
        }
    }

    /// The file that an object is in, or would be, where objects are in a folder. Its content is not checked.
    pub fn path(&self, hash: Sha256) -> Option<PathBuf> {
        match self {
            Self::Local(local) => Some(local.path(hash)),
            Self::S3(_) => None,
        }
    }

    /// Whether the object is there.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn has(&self, hash: Sha256) -> Result<bool, ObjectError> {
        match self {
            Self::Local(local) => local.has(hash).await,
            Self::S3(s3) => s3.has(&key(hash)).await,
        }
    }

    /// Those of these objects that are there.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn which(&self, hashes: &[Sha256]) -> Result<HashSet<Sha256>, ObjectError> {
        match self {
            Self::Local(local) => local.which(hashes.to_vec()).await,
            Self::S3(s3) => s3.which(hashes).await,
        }
    }

    /// Takes an object away for good; one that is not there is away already.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn remove(&self, hash: Sha256) -> Result<(), ObjectError> {
        self.take_away(&Name::Object(hash)).await
    }

    /// The same for whatever stands where objects are.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn take_away(&self, name: &Name) -> Result<(), ObjectError> {
        match (self, name) {
            (Self::Local(local), Name::Object(hash)) => local.remove(local.path(*hash)).await,
            (Self::Local(local), Name::Incoming(release, hash)) => {
                local.remove(local.incoming(release, *hash)).await
            }
            (Self::Local(local), Name::Unfinished(path)) => local.remove(path.clone()).await,
            (Self::S3(s3), Name::Object(hash)) => s3.remove(&key(*hash)).await,
            (Self::S3(s3), Name::Incoming(release, hash)) => s3.remove(&incoming_key(release, *hash)).await,
            (Self::S3(_), Name::Unfinished(_)) => Ok(()),
        }
    }

    /// Keeps what was uploaded for a release in the incoming area, where nothing is relied on: it need not survive a power cut.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn receive(&self, release: &str, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.receive(release, hash, content).await,
            Self::S3(s3) => s3.put(&incoming_key(release, hash), content).await,
        }
    }

    /// An address to which the bytes of a file can be sent, past the store, until so many seconds from now; `None` where the store
    /// takes them itself. `size` and hash are part of what is signed.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn upload_address(
        &self,
        release: &str,
        (hash, size): (Sha256, u64),
        seconds: u32,
    ) -> Result<Option<Address>, ObjectError> {
        match self {
            Self::Local(_) => Ok(None),
            Self::S3(s3) => {
                s3.upload_address(&incoming_key(release, hash), (hash, size), seconds).await.map(Some)
            }
        }
    }

    /// What was uploaded for a release, by hash, with its size. Nothing is said of its content.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn arrived(&self, release: &str) -> Result<HashMap<Sha256, u64>, ObjectError> {
        match self {
            Self::Local(local) => local.arrived(release).await,
            Self::S3(s3) => s3.arrived(release).await,
        }
    }

    /// The bytes that were uploaded for a file of a release, if they are the file's. No more than `size` is read.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn uploaded(&self, release: &str, (hash, size): (Sha256, u64)) -> Result<Upload, ObjectError> {
        let got = match self {
            Self::Local(local) => local.get(local.incoming(release, hash), size).await?,
            Self::S3(s3) => s3.get(&incoming_key(release, hash), size).await?,
        };
        Ok(match got {
            Got::None => Upload::None,
            Got::Whole(content) if content.len() as u64 == size && Sha256::of(&content) == hash => {
                Upload::Same(content)
            }
            Got::Whole(_) | Got::TooLarge => Upload::Other,
        })
    }

    /// Tells of everything that stands where objects are. What is not named as something of ours is left out.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn list(&self, tell: &mut (dyn FnMut(Stored) + Send)) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.list().await.map(|found| found.into_iter().for_each(tell)),
            Self::S3(s3) => s3.list("", tell).await,
        }
    }

    /// Whether objects can be reached at all.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn probe(&self) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.probe().await,
            Self::S3(s3) => s3.probe().await,
        }
    }
}

/// No file of a release is larger.
const MAX_OBJECT: u64 = MAX_BUNDLE as u64;

/// What was read, and how much of it.
enum Got {
    None,
    TooLarge,
    Whole(Vec<u8>),
}

/// `ab/cdef...`: 256 folders keep each of them short.
fn key(hash: Sha256) -> String {
    let mut key = hash.to_string();
    key.insert(2, '/');
    key
}

/// `incoming/<release>/<hash>`.
fn incoming_key(release: &str, hash: Sha256) -> String {
    format!("{INCOMING}/{release}/{hash}")
}

const INCOMING: &str = "incoming";

/// What a key of [`key`] or [`incoming_key`] names.
fn named(key: &str) -> Option<Name> {
    match key.split('/').collect::<Vec<_>>().as_slice() {
        [shelf, rest] if shelf.len() == 2 => Some(Name::Object(format!("{shelf}{rest}").parse().ok()?)),
        [INCOMING, release, hash] => Some(Name::Incoming((*release).to_owned(), hash.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_as_ours_is_ours() {
        let hash = Sha256::of(b"a sticker");
        assert_eq!(named(&key(hash)), Some(Name::Object(hash)));
        assert_eq!(named(&incoming_key("r", hash)), Some(Name::Incoming("r".to_owned(), hash)));
        let text = hash.to_string();
        for other in
            [text.as_str(), "ab/cd", "backup/x", &format!("x/{text}"), &format!("incoming/{text}"), ""]
        {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
