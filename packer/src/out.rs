//! Files and folders that are whole or not there.

mod leftovers;
mod unfinished;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use unfinished::{NothingIsWritten, remove_unfinished};

use crate::error::Error;

/// Writes beside, syncs, renames: a reader finds the old content or the new.
///
/// # Errors
/// [`Error::Io`]; the old content is still there.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    leftovers::remove(path);
    let beside = beside(path)?;
    unfinished::begin(&beside);
    let written = unfinished::writing(|| {
        let mut file = File::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| unfinished::end(&beside, || fs::rename(&beside, path)));
    if renamed.is_err() {
        // The first error is the one to tell.
        let _ = unfinished::end(&beside, || fs::remove_file(&beside));
    }
    renamed.map_err(Error::io("write", path))?;
    sync_folder_of(path)
}

/// All at once: a disk that has many to sync takes little longer than for one.
fn sync_within(folder: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    entries.map_err(Error::io("read", folder))?.par_iter().map(fs::DirEntry::path).try_for_each(|path| {
        if path.is_dir() {
            return sync_within(&path);
        }
        // Windows syncs only what is open for writing.
        let open = File::options().write(true).open(&path);
        open.and_then(|file| file.sync_all()).map_err(Error::io("sync", &path))
    })?;
    sync_folder(folder)
}

/// A rename lasts once the folder that holds the name is on the disk.
fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Windows opens no folder as a file, and needs no sync of it.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))?;
    }
    Ok(())
}

/// A folder that is filled beside its place and put there whole. Dropped before [`Self::put_in_place`], it leaves nothing.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    beside: PathBuf,
    done: bool,
}

impl NewFolder {
    /// Starts a folder that will stand at `place`, which is free, an empty folder, or one that `may_replace` lets go. A link stays, and
    /// what it leads to is replaced.
    ///
    /// # Errors
    /// [`Error::OutputInTheWay`], [`Error::OutputWithoutName`] or [`Error::Io`].
    pub fn start(place: &Path, may_replace: impl Fn(&Path) -> bool) -> Result<Self, Error> {
        let place = &behind_link(place)?;
        leftovers::remove(place);
        let beside = beside(place)?;
        let in_the_way = match fs::read_dir(place) {
            Ok(mut entries) => entries.next().is_some() && !may_replace(place),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => true,
            Err(error) => return Err(Error::io("read", place)(error)),
        };
        if in_the_way {
            return Err(Error::OutputInTheWay(place.to_owned()));
        }
        if beside.exists() {
            // Left by a process that had the same number and was killed.
            fs::remove_dir_all(&beside).map_err(Error::io("remove", &beside))?;
        }
        unfinished::begin(&beside);
        let new = Self { place: place.to_owned(), beside, done: false };
        unfinished::writing(|| fs::create_dir_all(&new.beside)).map_err(Error::io("create", &new.beside))?;
        Ok(new)
    }

    /// Where a file of this name stands until the folder is put in its place: for other programs to write to.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.beside.join(name)
    }

    /// Writes one file at a relative path.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.beside.join(path);
        let written = unfinished::writing(|| {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, content)
        });
        written.map_err(Error::io("write", &path))
    }

    /// Syncs every file, moves the earlier folder aside, puts the new one in its place, and removes the earlier one.
    ///
    /// # Errors
    /// [`Error::Io`]; the earlier folder is back in its place.
    pub fn put_in_place(mut self) -> Result<(), Error> {
        sync_within(&self.beside)?;
        let aside = self.beside.with_extension("old");
        let replaced = unfinished::swap(&self.beside, &aside, || self.swap(&aside))?;
        self.done = true;
        sync_folder_of(&self.place)?;
        if replaced {
            let removed = unfinished::end(&aside, || fs::remove_dir_all(&aside));
            removed.map_err(Error::io("remove", &aside))?;
        }
        Ok(())
    }

    /// Whether something was replaced, which is `aside` now.
    fn swap(&self, aside: &Path) -> Result<bool, Error> {
        let replaced = self.place.exists();
        if replaced {
            fs::rename(&self.place, aside).map_err(Error::io("replace", &self.place))?;
        }
        if let Err(error) = fs::rename(&self.beside, &self.place) {
            if replaced {
                fs::rename(aside, &self.place).map_err(Error::io("restore", &self.place))?;
            }
            return Err(Error::io("write", &self.place)(error));
        }
        Ok(replaced)
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.done {
            // Nothing to tell: what is left is a hidden folder of our own.
            let _ = unfinished::end(&self.beside, || fs::remove_dir_all(&self.beside));
        }
    }
}

/// Where a symbolic link leads, where the place is one.
fn behind_link(place: &Path) -> Result<PathBuf, Error> {
    if fs::symlink_metadata(place).is_ok_and(|it| it.is_symlink()) {
        return fs::canonicalize(place).map_err(Error::io("follow", place));
    }
    Ok(place.to_owned())
}

/// A hidden neighbour on the same file system, of this process's own.
fn beside(path: &Path) -> Result<PathBuf, Error> {
    let name = path.file_name().ok_or_else(|| Error::OutputWithoutName(path.to_owned()))?;
    let name = name.to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{}.new", std::process::id())))
}
