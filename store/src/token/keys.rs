//! The key file: made on the first start, for its owner's eyes alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sticker_protocol::token::{
    KeyFile, KeyFileError, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring, Secret,
};

use crate::random::{NoRandom, Random};

/// Why the token keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The file cannot be read or made.
    #[error("cannot use the key file {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others may read it.
    #[error("others may read the key file {}; hint: chmod 600 it, and rotate the keys if others were there", .0.display())]
    TooOpen(PathBuf),
    /// What is in it makes no sense.
    #[error("the key file {} is refused", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyFileError,
    },
    /// No key could be made.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

/// Reads the file, or makes it with one signing key.
///
/// # Errors
/// [`KeysError`].
pub fn load_or_make(path: &Path, random: &Random) -> Result<Keyring, KeysError> {
    if !path.try_exists().map_err(failed(path))? {
        let record = KeyRecord {
            id: KeyId(1),
            key: KeyMaterial::Hmac(Secret::new(random.bytes()?)),
            state: KeyState::Signing,
        };
        let file = KeyFile::new(vec![record])
            .map_err(|source| KeysError::Invalid { path: path.to_owned(), source })?;
        make(path, &file.to_json()).map_err(failed(path))?;
    }
    load(path)
}

/// Reads a key file that only its owner may read.
///
/// # Errors
/// [`KeysError`].
pub fn load(path: &Path) -> Result<Keyring, KeysError> {
    let mode = fs::metadata(path).map_err(failed(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeysError::TooOpen(path.to_owned()));
    }
    read(path)
}

/// Reads a key file, whoever else may: for verifying on somebody's own machine.
///
/// # Errors
/// [`KeysError`].
pub fn read(path: &Path) -> Result<Keyring, KeysError> {
    let json = fs::read_to_string(path).map_err(failed(path))?;
    let file =
        KeyFile::parse(&json).map_err(|source| KeysError::Invalid { path: path.to_owned(), source })?;
    Ok(Keyring::new(&file))
}

/// Of several processes that start at once, one makes the file and the others read it.
fn make(path: &Path, json: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
            file.write_all(json.as_bytes())?;
            file.sync_all()
        });
    // A link, unlike a rename, does not replace what is there.
    let linked = written.and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&beside)?;
    linked?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> KeysError {
    let path = path.to_owned();
    move |source| KeysError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_key_for_its_owner_alone_and_the_second_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        load_or_make(&path, &Random::system()).unwrap();
        let made = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        load_or_make(&path, &Random::system()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), made);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        load_or_make(&path, &Random::system()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(KeysError::TooOpen(_))));
    }
}
