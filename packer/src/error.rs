//! Why the packer could not do what it was asked.

use std::path::{Path, PathBuf};

use crate::finding::Finding;

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project is wrong; every finding, warnings included.
    #[error("the project cannot be built")]
    BadInput(Vec<Finding>),
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `replace`.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The output folder holds something else than what the same command wrote before.
    #[error("{} is not empty and holds something else than earlier output", .0.display())]
    OutputInTheWay(PathBuf),
    /// The output is named by a way to it, such as `.` or `..`, and not by its name, so that nothing can be put in its place.
    #[error("{} is no name of a folder or file", .0.display())]
    OutputWithoutName(PathBuf),
    /// The threads for the work could not be started.
    #[error("cannot start the worker threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The system gave no random numbers for new ids.
    #[error("the system gives no random numbers for new ids")]
    NoRandom,
    /// The packer made something that the format does not allow: a fault of the packer.
    #[error("the packer made something that the format does not allow; please report it with the artwork")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }

    /// A fault of the packer that came up at this sticker; other errors stay as they are.
    pub(crate) fn at_sticker(self, name: &str) -> Self {
        match self {
            Self::Internal(source) => Self::internal(AtSticker { name: name.to_owned(), source }),
            other => other,
        }
    }
}

/// What the artwork to report belongs to.
#[derive(Debug, thiserror::Error)]
#[error("sticker `{name}`")]
struct AtSticker {
    name: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}
