//! `pack.lock`: the ids of the pack and its stickers, minted at random on the first build and never changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use sticker_protocol::{MAX_ID, PackId, StickerId};

use crate::build::{BuildReport, StickerReport};
use crate::error::Error;
use crate::finding::Finding;
use crate::out;
use crate::project::{PROJECT_FILE, Project};
use crate::read::{self, MAX_TEXT, Unread};

/// The lock file's name.
pub(crate) const LOCK_FILE: &str = "pack.lock";

/// The ids of a project. Stickers that left the pack keep theirs, in case they come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// The pack.
    pub(crate) pack: PackId,
    /// The stickers by name.
    pub(crate) stickers: BTreeMap<String, StickerId>,
}

/// Reads `pack.lock`; `Ok(None)` where there is none yet, or where a finding says what is wrong with it.
///
/// # Errors
/// [`Error::Io`] where it is there and cannot be read.
pub(crate) fn load(folder: &Path, findings: &mut Vec<Finding>) -> Result<Option<Lock>, Error> {
    let path = folder.join(LOCK_FILE);
    let hint = "restore it from version control: a lost id is a sticker that people can no longer send";
    let mut invalid = |message: String| {
        findings.push(Finding::error("lock_invalid", &path, message, hint));
        Ok(None)
    };
    let text = match read::at_most(&path, MAX_TEXT).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return invalid("it is not UTF-8 text".to_owned()),
        Err(Unread::NotAFile) => return invalid("it is a folder or another thing than a file".to_owned()),
        Err(Unread::TooLarge) => return invalid(format!("it has more than {MAX_TEXT} bytes")),
        Err(Unread::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(Unread::Io(error)) => return Err(Error::io("read", &path)(error)),
    };
    match toml::from_str::<Lock>(&text) {
        Ok(lock) => {
            let mut ids: Vec<_> = lock.stickers.values().collect();
            ids.sort_unstable();
            if ids.windows(2).any(|pair| pair.first() == pair.last()) {
                findings.push(Finding::error("lock_id_twice", &path, "two stickers have the same id", hint));
            }
            Ok(Some(lock))
        }
        Err(error) => {
            findings.push(Finding::error("lock_invalid", &path, error.message().replace('\n', "; "), hint));
            Ok(None)
        }
    }
}

/// The ids of every sticker of the project; new ones are minted and written to `pack.lock` before they are used. `known` is what the
/// file said when the build began. It is read again, since another build or a `git pull` may have written it meanwhile.
///
/// # Errors
/// [`Error::NoRandom`]; [`Error::Io`] where the file cannot be read or written; [`Error::BadInput`] where it is broken by now, or says
/// another id than it did.
pub(crate) fn complete(
    project: &Project,
    known: Option<&Lock>,
    random: &dyn SecureRandom,
) -> Result<Lock, Error> {
    // One build of a project at a time from here on. The project file stays what it is; the lock on it goes with the handle.
    let path = project.folder.join(PROJECT_FILE);
    let file = File::open(&path).map_err(Error::io("read", &path))?;
    file.lock().map_err(Error::io("lock", &path))?;
    let written = reread(&project.folder, known)?;
    let mut lock = match written.as_ref().or(known) {
        Some(lock) => lock.clone(),
        None => Lock { pack: mint(random)?, stickers: BTreeMap::new() },
    };
    for sticker in &project.file.stickers {
        if !lock.stickers.contains_key(&sticker.name) {
            lock.stickers.insert(sticker.name.clone(), mint(random)?);
        }
    }
    if written.as_ref() != Some(&lock) {
        let text = toml::to_string(&lock).map_err(Error::internal)?;
        let text =
            format!("# Made by sticker-packer. Keep it in version control and do not edit it.\n{text}");
        out::write_atomically(&project.folder.join(LOCK_FILE), text.as_bytes())?;
    }
    Ok(lock)
}

/// What the file says now, where that does not contradict what it said.
fn reread(folder: &Path, known: Option<&Lock>) -> Result<Option<Lock>, Error> {
    let mut findings = Vec::new();
    let now = load(folder, &mut findings)?;
    if let (Some(now), Some(known)) = (&now, known) {
        let is_other = |(name, id)| now.stickers.get(name).is_some_and(|now| now != id);
        if now.pack != known.pack || known.stickers.iter().any(is_other) {
            let message = "its ids changed while the pack was built";
            let hint = "look at what changed it, restore it from version control if need be, and build again";
            findings.push(Finding::error("lock_changed", &folder.join(LOCK_FILE), message, hint));
        }
    }
    if findings.is_empty() { Ok(now) } else { Err(Error::BadInput(findings)) }
}

/// Whether `pack.lock` has the ids that were built, so that it says nothing new.
pub(crate) fn is_of(folder: &Path, report: &BuildReport) -> bool {
    let Ok(Some(lock)) = load(folder, &mut Vec::new()) else { return false };
    let has = |sticker: &StickerReport| lock.stickers.get(&sticker.name) == Some(&sticker.id);
    lock.pack == report.pack && report.stickers.iter().all(has)
}

/// A random id from 1 to [`MAX_ID`], each equally likely.
fn mint<T: TryFrom<u64>>(random: &dyn SecureRandom) -> Result<T, Error> {
    loop {
        let mut bytes = [0; 8];
        random.fill(&mut bytes).ok().ok_or(Error::NoRandom)?;
        if let Ok(id) = T::try_from(u64::from_le_bytes(bytes) & MAX_ID) {
            return Ok(id);
        }
    }
}
