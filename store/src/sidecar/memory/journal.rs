//! The state file: a line of JSON for each thing that the store said, written after the others. Whatever beginning of it can be read
//! makes sense by itself, since no cursor comes before the entries that it stands for. When it has doubled it is written anew without
//! what nobody needs any more, from one file into the other: the entries are never in memory together.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sticker_protocol::UnixSeconds;
use sticker_protocol::token::{KeyFile, RevocationPage};

use crate::token::file::FileError;

/// Something that the store said.
#[derive(Debug)]
pub(super) enum Record {
    /// A keyring, with the tag to ask with next time.
    Keyring { file: KeyFile, tag: Option<String>, at: UnixSeconds },
    /// The keyring that it gave last is current.
    KeyringAt(UnixSeconds),
    /// A page of the feed.
    Page { page: RevocationPage, at: UnixSeconds },
}

/// An open state file, which no other process writes meanwhile.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    store: String,
    file: File,
    /// Up to where it makes sense.
    length: u64,
    /// Something may be behind that.
    is_torn: bool,
    /// How long it was when it was written anew.
    compacted: u64,
}

impl Journal {
    /// Opens or makes the file, and tells what is in it; what is there of another store, or makes no sense, counts as nothing. None
    /// where another process has it: that one goes on writing it.
    pub(super) fn open(
        path: &Path,
        store: &str,
        mut take: impl FnMut(Record),
    ) -> Result<Option<Self>, FileError> {
        let failed = |source| FileError::Io { path: path.to_owned(), source };
        let (file, is_ours) = open_locked(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(FileError::TooOpen(path.to_owned()));
        }
        let length = read(&file, store, |record| {
            take(record);
            Ok(())
        })
        .map_err(failed)?;
        let is_torn = file.metadata().map_err(failed)?.len() != length;
        if length == 0 && is_torn {
            tracing::warn!(file.path = %path.display(), "the state file is of another store, or makes no sense, and counts as nothing");
        } else if is_torn && is_ours {
            tracing::warn!(file.path = %path.display(), "the end of the state file makes no sense and counts as nothing");
        }
        if !is_ours {
            tracing::warn!(file.path = %path.display(), "another sidecar has the state file: this one remembers nothing more in it");
            return Ok(None);
        }
        let (path, store) = (path.to_owned(), store.to_owned());
        Ok(Some(Self { path, store, file, length, is_torn, compacted: length }))
    }

    /// Writes lines behind the others. After a failure the same lines can be tried again.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
        }
        self.is_torn = true;
        let mut end = self.length;
        if end == 0 {
            let head = line(&Line::Store(self.store.clone()));
            self.file.write_all_at(&head, 0)?;
            end = size(&head);
        }
        self.file.write_all_at(lines, end)?;
        self.file.sync_data()?;
        if self.length == 0 {
            sync_folder(&self.path)?;
        }
        (self.length, self.is_torn) = (end + size(lines), false);
        Ok(())
    }

    /// Whether it is worth writing it anew.
    pub(super) const fn has_grown(&self) -> bool {
        self.length > SMALL && self.length / 2 > self.compacted
    }

    /// Writes it anew without what has expired. Where that fails the file stays as it is.
    pub(super) fn compact(&mut self, now: UnixSeconds) -> io::Result<()> {
        // If it fails it is not tried again before it has doubled once more.
        self.compacted = self.length;
        let mut beside = OsString::from(&self.path);
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let written = self.write_anew(&beside, now);
        if written.is_err() {
            // What was half written helps nobody; it may not be there at all.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn write_anew(&mut self, beside: &Path, now: UnixSeconds) -> io::Result<()> {
        // One that a crash left; the lock says that nobody is writing it.
        if beside.try_exists()? {
            fs::remove_file(beside)?;
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(beside)?;
        file.lock()?;
        let mut out = BufWriter::new(&file);
        out.write_all(&line(&Line::Store(self.store.clone())))?;
        let (mut keyring, mut feed) = (None, None);
        read(&self.file, &self.store, |record| {
            match record {
                Record::Keyring { file, tag, at } => keyring = Some((file, tag, at)),
                Record::KeyringAt(now) => {
                    if let Some((_, _, at)) = &mut keyring {
                        *at = now;
                    }
                }
                Record::Page { mut page, at } => {
                    let heard = feed.take().and_then(|(_, heard)| heard);
                    feed = Some((page.cursor, if page.more { heard } else { Some(at) }));
                    page.revocations.retain(|entry| !entry.refuse_until.has_passed(now));
                    if !page.revocations.is_empty() {
                        // The cursor is said at the end, when all that it stands for is there.
                        out.write_all(&of_page(&RevocationPage { cursor: 0, more: true, ..page }, at))?;
                    }
                }
            }
            Ok(())
        })?;
        if let Some((file, tag, at)) = keyring {
            out.write_all(&of_keyring(&file, tag, at))?;
        }
        if let Some((cursor, heard)) = feed {
            let last = RevocationPage { revocations: Vec::new(), cursor, more: heard.is_none() };
            out.write_all(&of_page(&last, heard.unwrap_or(UnixSeconds(0))))?;
        }
        out.flush()?;
        drop(out);
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        let length = file.metadata()?.len();
        (self.file, self.length, self.compacted, self.is_torn) = (file, length, length, false);
        sync_folder(&self.path)
    }
}

/// The line of a keyring.
pub(super) fn of_keyring(file: &KeyFile, tag: Option<String>, at: UnixSeconds) -> Vec<u8> {
    raw(&file.to_json()).map(|file| line(&Line::Keyring { file, tag, at: at.0 })).unwrap_or_default()
}

/// The line that says that the keyring before it is current.
pub(super) fn of_keyring_at(at: UnixSeconds) -> Vec<u8> {
    line(&Line::KeyringAt(at.0))
}

/// The line of a page.
pub(super) fn of_page(page: &RevocationPage, at: UnixSeconds) -> Vec<u8> {
    raw(&page.to_json()).map(|page| line(&Line::Feed { page, at: at.0 })).unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// Whose state this is: the first line, and no other.
    Store(String),
    Keyring {
        file: Box<RawValue>,
        tag: Option<String>,
        at: u64,
    },
    KeyringAt(u64),
    Feed {
        page: Box<RawValue>,
        at: u64,
    },
}

impl Line {
    fn read(self) -> Option<Record> {
        match self {
            Self::Store(_) => None,
            Self::Keyring { file, tag, at } => {
                Some(Record::Keyring { file: KeyFile::parse(file.get()).ok()?, tag, at: UnixSeconds(at) })
            }
            Self::KeyringAt(at) => Some(Record::KeyringAt(UnixSeconds(at))),
            Self::Feed { page, at } => {
                let page = RevocationPage::parse(page.get().as_bytes()).ok()?;
                Some(Record::Page { page, at: UnixSeconds(at) })
            }
        }
    }
}

/// On one line: no string of JSON has a line break in it. Neither of the two texts has anything that JSON could not hold.
fn raw(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.replace('\n', " ")).ok()
}

fn line(line: &Line) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Reads up to the first line that makes no sense, and says where that begins. Nothing counts in a file of another store.
fn read(mut file: &File, store: &str, mut take: impl FnMut(Record) -> io::Result<()>) -> io::Result<u64> {
    file.rewind()?;
    let (mut reader, mut text, mut length) = (BufReader::new(file), Vec::new(), 0);
    loop {
        text.clear();
        reader.read_until(b'\n', &mut text)?;
        // A line without an end was being written when the power went.
        let parsed = text.ends_with(b"\n").then(|| serde_json::from_slice::<Line>(&text).ok()).flatten();
        match parsed {
            Some(Line::Store(other)) if length == 0 && other == store => {}
            Some(line) if length > 0 => match line.read() {
                Some(record) => take(record)?,
                None => return Ok(length),
            },
            _ => return Ok(length),
        }
        length += size(&text);
    }
}

/// The file, and whether this process alone writes it.
fn open_locked(path: &Path) -> io::Result<(File, bool)> {
    loop {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let is_ours = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        // Between opening and locking the other process may have put a new file in its place.
        match fs::metadata(path) {
            Ok(there) if there.ino() == file.metadata()?.ino() => return Ok((file, is_ours)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// A file as short as this is left as it is.
const SMALL: u64 = 16 << 20;
