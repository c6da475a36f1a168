//! Files with secrets in them: made whole or not at all, for their owner's eyes alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sticker_protocol::token::{KeyFile, KeyFileError};

/// Why a file with secrets cannot be used. Never shows what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read or made.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others may read it.
    #[error("others may read {}; hint: chmod 600 it, and change what is in it if others were there", .0.display())]
    TooOpen(PathBuf),
    /// A key file that makes no sense.
    #[error("the key file {} is refused", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        #[source]
        source: KeyFileError,
    },
}

/// Whether there is a file.
///
/// # Errors
/// [`FileError::Io`].
pub fn exists(path: &Path) -> Result<bool, FileError> {
    path.try_exists().map_err(failed(path))
}

/// The text of a file that only its owner may read.
///
/// # Errors
/// [`FileError`].
pub fn read_private(path: &Path) -> Result<String, FileError> {
    let mode = fs::metadata(path).map_err(failed(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(FileError::TooOpen(path.to_owned()));
    }
    fs::read_to_string(path).map_err(failed(path))
}

/// A key file that only its owner may read.
///
/// # Errors
/// [`FileError`].
pub fn load_keys(path: &Path) -> Result<KeyFile, FileError> {
    parse(path, &read_private(path)?)
}

/// A key file, whoever else may read it: for verifying on somebody's own machine.
///
/// # Errors
/// [`FileError`].
pub fn read_keys(path: &Path) -> Result<KeyFile, FileError> {
    parse(path, &fs::read_to_string(path).map_err(failed(path))?)
}

/// Makes a file for its owner alone. Of several processes that make it at once one does, and the others leave it.
///
/// # Errors
/// [`FileError::Io`].
pub fn make_private(path: &Path, text: &str) -> Result<(), FileError> {
    write_beside(path, text, |beside| {
        // A link, unlike a rename, does not replace what is there.
        let linked = match fs::hard_link(beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        };
        fs::remove_file(beside)?;
        linked
    })
}

/// Puts a file for its owner alone in the place of what is there; readers see the earlier file or the new one.
///
/// # Errors
/// [`FileError::Io`].
pub fn replace_private(path: &Path, text: &str) -> Result<(), FileError> {
    write_beside(path, text, |beside| fs::rename(beside, path))
}

fn write_beside(path: &Path, text: &str, put: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), FileError> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        put(&beside)?;
        match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|error| {
        // What was half written helps nobody; it may not be there at all.
        let _ = fs::remove_file(&beside);
        failed(path)(error)
    })
}

pub(crate) fn parse(path: &Path, json: &str) -> Result<KeyFile, FileError> {
    KeyFile::parse(json).map_err(|source| FileError::Invalid { path: path.to_owned(), source })
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_secrets_is_its_owners_alone_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        make_private(&path, "first").unwrap();
        make_private(&path, "second").unwrap();
        assert_eq!(read_private(&path).unwrap(), "first");
        replace_private(&path, "third").unwrap();
        assert_eq!(read_private(&path).unwrap(), "third");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_private(&path), Err(FileError::TooOpen(_))));
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        assert!(matches!(replace_private(&path, "text"), Err(FileError::Io { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
