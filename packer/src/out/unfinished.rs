//! What this process has begun to write and has not put in its place: an interrupt removes it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use crate::error::Error;

/// Who writes shares the lock; who renames, removes or interrupts has it alone.
static UNFINISHED: RwLock<BTreeSet<PathBuf>> = RwLock::new(BTreeSet::new());

/// While this lives, the process puts nothing on the disk through this module.
#[derive(Debug)]
pub struct NothingIsWritten {
    _alone: RwLockWriteGuard<'static, BTreeSet<PathBuf>>,
}

/// Removes every file and folder that is not in its place yet, once a swap that has begun is over. For an interrupt: hold the answer
/// until the process ends, or its other threads go on writing.
pub fn remove_unfinished() -> NothingIsWritten {
    let mut unfinished = alone();
    for path in std::mem::take(&mut *unfinished) {
        // There is nobody left to tell, and the next start tidies up.
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
    NothingIsWritten { _alone: unfinished }
}

/// From now on the path is removed by an interrupt.
pub(super) fn begin(path: &Path) {
    alone().insert(path.to_owned());
}

/// Writes into an unfinished file or folder.
pub(super) fn writing<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let _shared = UNFINISHED.read().unwrap_or_else(PoisonError::into_inner);
    write()
}

/// Renames or removes the path; unless that fails, an interrupt has nothing more to do with it.
pub(super) fn end(path: &Path, last: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut unfinished = alone();
    last()?;
    unfinished.remove(path);
    Ok(())
}

/// Puts `beside` in its place; what stood there and is `aside` now is what an interrupt removes instead.
pub(super) fn swap(
    beside: &Path,
    aside: &Path,
    swap: impl FnOnce() -> Result<bool, Error>,
) -> Result<bool, Error> {
    let mut unfinished = alone();
    let replaced = swap()?;
    unfinished.remove(beside);
    if replaced {
        unfinished.insert(aside.to_owned());
    }
    Ok(replaced)
}

fn alone() -> RwLockWriteGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.write().unwrap_or_else(PoisonError::into_inner)
}
