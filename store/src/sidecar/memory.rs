//! What is remembered over a restart, so that one while the store is away does not leave a chat server without checks. The file holds
//! keys: it is for its owner alone, and is replaced as a whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sticker_protocol::UnixSeconds;
use sticker_protocol::limits::MAX_REVOCATIONS;
use sticker_protocol::token::{KeyFile, Revocation, RevocationPage};

use crate::token::file::{self, FileError};

/// What the store said last. Where there is no file it is kept as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    store: String,
    pub(super) keyring: Option<Remembered>,
    pub(super) feed: Option<Feed>,
    saved_at: u64,
}

/// A keyring.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) file: KeyFile,
    pub(super) tag: Option<String>,
    pub(super) at: UnixSeconds,
}

/// The entries that still count, and where the feed goes on.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) page: RevocationPage,
    pub(super) at: UnixSeconds,
}

impl Memory {
    /// Remembers what a store said, from the file where there is one. What is there of another store, or makes no sense, counts as
    /// nothing.
    pub(super) fn open(path: Option<PathBuf>, store: &str) -> Result<Self, FileError> {
        let mut memory = Self { path, store: store.to_owned(), ..Self::default() };
        let Some(path) = memory.path.clone().filter(|path| path.exists()) else { return Ok(memory) };
        let text = file::read_private(&path)?;
        match serde_json::from_str::<State>(&text) {
            Ok(state) if state.store == memory.store => {
                memory.keyring = state.keyring.and_then(|it| {
                    let file = KeyFile::parse(it.file.get()).ok()?;
                    Some(Remembered { file, tag: it.tag, at: UnixSeconds(it.at) })
                });
                memory.feed = state.feed.and_then(|it| {
                    let mut page = RevocationPage { revocations: Vec::new(), cursor: 0, more: false };
                    for part in it.pages {
                        let part = RevocationPage::parse(part.get().as_bytes()).ok()?;
                        page.revocations.extend(part.revocations);
                        page.cursor = part.cursor;
                    }
                    Some(Feed { page, at: UnixSeconds(it.at) })
                });
            }
            Ok(_) => {
                tracing::warn!(file.path = %path.display(), "the state file is of another store and counts as nothing");
            }
            Err(_) => {
                tracing::warn!(file.path = %path.display(), "the state file makes no sense and counts as nothing");
            }
        }
        Ok(memory)
    }

    /// Remembers a keyring, or that the one it has is current.
    pub(super) fn keyring(&mut self, keyring: Option<(KeyFile, Option<String>)>, at: UnixSeconds) {
        let is_new = keyring.is_some();
        if let Some((file, tag)) = keyring {
            self.keyring = Some(Remembered { file, tag, at });
        } else if let Some(known) = &mut self.keyring {
            known.at = at;
        }
        self.save(is_new, at);
    }

    /// Remembers a page. Entries are kept for a file alone: the verifier has its own.
    pub(super) fn page(&mut self, page: &RevocationPage, at: UnixSeconds) {
        if self.path.is_none() {
            return;
        }
        let empty = || Feed { page: RevocationPage { revocations: Vec::new(), cursor: 0, more: false }, at };
        let is_first = self.feed.is_none();
        let mut feed = self.feed.take().unwrap_or_else(empty);
        let is_new = is_first || !page.revocations.is_empty() || page.cursor != feed.page.cursor;
        feed.page.revocations.extend_from_slice(&page.revocations);
        feed.page.revocations.retain(|entry: &Revocation| !entry.refuse_until.has_passed(at));
        feed.page.cursor = page.cursor;
        feed.at = at;
        self.feed = Some(feed);
        // In the middle of the feed the next page comes at once.
        self.save(is_new && !page.more, at);
    }

    fn save(&mut self, is_new: bool, at: UnixSeconds) {
        let Some(path) = &self.path else { return };
        if !is_new && at.0 < self.saved_at.saturating_add(SAVED_AT_LEAST_EVERY) {
            return;
        }
        let raw = |text: String| RawValue::from_string(text).ok();
        let keyring = self.keyring.as_ref().and_then(|it| {
            Some(KeyringState { file: raw(it.file.to_json())?, tag: it.tag.clone(), at: it.at.0 })
        });
        let feed = self.feed.as_ref().and_then(|it| Some(FeedState { pages: pages(&it.page)?, at: it.at.0 }));
        let state = State { store: self.store.clone(), keyring, feed };
        let text = serde_json::to_string(&state).unwrap_or_default();
        self.saved_at = at.0;
        if let Err(error) = file::replace_private(path, &text) {
            let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(file.path = %path.display(), error.reason = reason, "the state cannot be remembered");
        }
    }
}

/// As many pages as it takes: one has at most [`MAX_REVOCATIONS`] entries.
fn pages(page: &RevocationPage) -> Option<Vec<Box<RawValue>>> {
    let part = |revocations: &[Revocation]| {
        let part = RevocationPage { revocations: revocations.to_vec(), cursor: page.cursor, more: false };
        RawValue::from_string(part.to_json()).ok()
    };
    if page.revocations.is_empty() {
        return part(&[]).map(|part| vec![part]);
    }
    page.revocations.chunks(MAX_REVOCATIONS).map(part).collect()
}

/// The ages in the file are at most this much older than the truth.
const SAVED_AT_LEAST_EVERY: u64 = 60;

#[derive(Serialize, Deserialize)]
struct State {
    store: String,
    keyring: Option<KeyringState>,
    feed: Option<FeedState>,
}

#[derive(Serialize, Deserialize)]
struct KeyringState {
    file: Box<RawValue>,
    tag: Option<String>,
    at: u64,
}

#[derive(Serialize, Deserialize)]
struct FeedState {
    pages: Vec<Box<RawValue>>,
    at: u64,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use sticker_protocol::token::UserId;
    use sticker_protocol::{Expiry, StickerId};

    use super::*;

    const KEYS: &str = r#"{"keys":[{"id":4,"algorithm":"ed25519","public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a","state":"signing"}]}"#;

    fn page(cursor: u64, refuse_until: u32) -> RevocationPage {
        let entry = Revocation {
            cursor,
            user: Some(UserId::from_text("alice").unwrap()),
            stickers: vec![StickerId::new(7).unwrap()],
            refuse_until: Expiry(refuse_until),
        };
        RevocationPage { revocations: vec![entry], cursor, more: false }
    }

    #[test]
    fn a_restart_finds_what_was_known_and_another_store_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut memory = Memory::open(Some(path.clone()), "https://a").unwrap();
        memory.keyring(Some((KeyFile::parse(KEYS).unwrap(), Some("\"tag\"".to_owned()))), UnixSeconds(100));
        memory.page(&page(1, 150), UnixSeconds(101));
        memory.page(&page(2, 300), UnixSeconds(200));

        let again = Memory::open(Some(path.clone()), "https://a").unwrap();
        let (keyring, feed) = (again.keyring.unwrap(), again.feed.unwrap());
        assert_eq!(
            (keyring.file.keys().len(), keyring.tag.as_deref(), keyring.at.0),
            (1, Some("\"tag\""), 100)
        );
        assert_eq!(feed.page, page(2, 300), "an entry that nobody needs any more is kept");
        assert_eq!(feed.at.0, 200);
        let other = Memory::open(Some(path.clone()), "https://b").unwrap();
        assert!(other.keyring.is_none() && other.feed.is_none());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Memory::open(Some(path), "https://a"), Err(FileError::TooOpen(_))));
    }

    #[test]
    fn a_feed_without_entries_is_remembered_as_one_that_was_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut memory = Memory::open(Some(path.clone()), "https://a").unwrap();
        memory.keyring(Some((KeyFile::parse(KEYS).unwrap(), None)), UnixSeconds(100));
        memory.page(&RevocationPage { revocations: Vec::new(), cursor: 0, more: false }, UnixSeconds(100));
        assert!(Memory::open(Some(path), "https://a").unwrap().feed.is_some());
    }

    #[test]
    fn more_entries_than_a_page_has_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut memory = Memory::open(Some(path.clone()), "https://a").unwrap();
        let [entry] = page(1, 300).revocations.try_into().unwrap();
        let many = vec![entry; MAX_REVOCATIONS];
        memory.page(&RevocationPage { revocations: many, cursor: 10_000, more: true }, UnixSeconds(100));
        memory.page(&page(10_001, 300), UnixSeconds(100));
        let again = Memory::open(Some(path), "https://a").unwrap().feed.unwrap().page;
        assert_eq!((again.revocations.len(), again.cursor), (MAX_REVOCATIONS + 1, 10_001));
    }

    #[test]
    fn a_state_file_that_makes_no_sense_counts_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for text in
            ["", "{", r#"{"store":"https://a","keyring":{"file":{"keys":7},"tag":null,"at":1},"feed":null}"#]
        {
            file::replace_private(&path, text).unwrap();
            let memory = Memory::open(Some(path.clone()), "https://a").unwrap();
            assert!(memory.keyring.is_none() && memory.feed.is_none(), "{text}");
        }
    }
}
