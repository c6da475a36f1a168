//! The files of releases, named by their content, immutable: in a local folder or in S3.

mod local;
mod s3;

use sticker_protocol::Sha256;

use crate::config::{Config, ObjectsKind};

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

impl Objects {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn open(config: &Config) -> Result<Self, ObjectError> {
        Ok(match config.objects.kind {
            ObjectsKind::Local => Self::Local(local::Local::open(config.data_dir.join("objects"))?),
            ObjectsKind::S3 => Self::S3(s3::S3::open(&config.objects).await),
        })
    }

    /// Keeps an object. Once this returns, it survives a crash; before, nobody sees it.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn put(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.put(hash, content).await,
            Self::S3(s3) => s3.put(hash, content).await,
        }
    }

    /// The whole object, hash checked; `None` where there is none.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn get(&self, hash: Sha256) -> Result<Option<Vec<u8>>, ObjectError> {
        let content = match self {
            Self::Local(local) => local.get(hash).await?,
            Self::S3(s3) => s3.get(hash).await?,
        };
        match content {
            Some(content) if Sha256::of(&content) != hash => Err(ObjectError::Altered(hash)),
            content => Ok(content),
        }
    }

    /// The file that an object is in, or would be, where objects are in a folder. Its content is not checked.
    pub fn path(&self, hash: Sha256) -> Option<std::path::PathBuf> {
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
            Self::S3(s3) => s3.has(hash).await,
        }
    }

    /// Takes an object away for good; one that is not there is away already.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn remove(&self, hash: Sha256) -> Result<(), ObjectError> {
        match self {
            Self::Local(local) => local.remove(hash).await,
            Self::S3(s3) => s3.remove(&key(hash)).await,
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

/// `ab/cdef...`: 256 folders keep each of them short.
fn key(hash: Sha256) -> String {
    let mut key = hash.to_string();
    key.insert(2, '/');
    key
}
