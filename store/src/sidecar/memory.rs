//! What is remembered over a restart, so that one while the store is away does not leave a chat server without checks. The file holds
//! keys: it is for its owner alone. A thread of its own writes it, so that neither keys nor feed wait for a disk.

mod journal;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sticker_protocol::UnixSeconds;
use sticker_protocol::token::{KeyFile, LiveVerifier, RevocationPage};

use self::journal::{Journal, Record};
use super::StartError;
use crate::clock::Clock;
use crate::token::file::FileError;

/// Where what the store says is noted down. Without a file, nowhere.
#[derive(Clone, Debug)]
pub(super) struct Memory(Option<Arc<Waiting>>);

/// A keyring that was remembered.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) file: KeyFile,
    pub(super) tag: Option<String>,
    pub(super) at: UnixSeconds,
}

/// Lines on their way to the disk.
#[derive(Debug, Default)]
struct Waiting {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    is_writing: bool,
    gave_up: bool,
    keyring_at: u64,
    feed_at: u64,
    cursor: Option<u64>,
}

impl Memory {
    /// Begins to remember what a store says. Gives what the file has of it: the feed to the verifier, and the keyring.
    pub(super) fn start(
        path: Option<PathBuf>,
        store: &str,
        verifier: &LiveVerifier,
        clock: Clock,
    ) -> Result<(Self, Option<Remembered>), StartError> {
        let Some(path) = path else { return Ok((Self(None), None)) };
        let (journal, keyring) = recall(&path, store, verifier)?;
        let Some(journal) = journal else { return Ok((Self(None), keyring)) };
        let waiting = Arc::new(Waiting::default());
        let writer = Arc::clone(&waiting);
        thread::Builder::new()
            .name("memory".to_owned())
            .spawn(move || writer.write(journal, &path, &clock))
            .map_err(StartError::Thread)?;
        Ok((Self(Some(waiting)), keyring))
    }

    /// Notes a keyring.
    pub(super) fn keyring(&self, file: &KeyFile, tag: Option<String>, at: UnixSeconds) {
        let Some(waiting) = &self.0 else { return };
        waiting.push(&journal::of_keyring(file, tag, at), |lines| lines.keyring_at = at.0);
    }

    /// Notes that the keyring is current.
    pub(super) fn keyring_is_current(&self, at: UnixSeconds) {
        let Some(waiting) = &self.0 else { return };
        if at.0 >= waiting.lines().keyring_at.saturating_add(NOTED_AT_LEAST_EVERY) {
            waiting.push(&journal::of_keyring_at(at), |lines| lines.keyring_at = at.0);
        }
    }

    /// Notes a page, or that there was nothing new.
    pub(super) fn page(&self, page: &RevocationPage, at: UnixSeconds) {
        let Some(waiting) = &self.0 else { return };
        let is_new = {
            let lines = waiting.lines();
            lines.cursor != Some(page.cursor)
                || !page.revocations.is_empty()
                || at.0 >= lines.feed_at.saturating_add(NOTED_AT_LEAST_EVERY)
        };
        if is_new {
            waiting.push(&journal::of_page(page, at), |lines| {
                (lines.feed_at, lines.cursor) = (at.0, Some(page.cursor));
            });
        }
    }

    /// Notes that the feed begins again: a restart before its end must not go on from the cursor of before.
    pub(super) fn feed_begins_again(&self, at: UnixSeconds) {
        self.page(&RevocationPage { revocations: Vec::new(), cursor: 0, more: true }, at);
    }

    /// Waits until what was noted is on the disk, but not for ever.
    pub(super) fn flush(&self) {
        let Some(waiting) = &self.0 else { return };
        let is_busy = |lines: &mut Lines| lines.is_writing || !lines.text.is_empty();
        drop(waiting.changed.wait_timeout_while(waiting.lines(), LAST_PATIENCE, is_busy));
    }
}

impl Waiting {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A disk that is slow holds its caller up for a while. After that nothing more is noted: with a gap the file would say that
    /// somebody who was refused may pass.
    fn push(&self, line: &[u8], note: impl FnOnce(&mut Lines)) {
        let is_full = |lines: &mut Lines| !lines.gave_up && lines.text.len() > MOST_WAITING;
        let waited = self.changed.wait_timeout_while(self.lines(), PATIENCE, is_full);
        let (mut lines, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            tracing::error!(
                "the state cannot be written: nothing more is remembered until this sidecar is restarted"
            );
            (lines.gave_up, lines.text) = (true, Vec::new());
        }
        if !lines.gave_up {
            lines.text.extend_from_slice(line);
            note(&mut lines);
        }
        drop(lines);
        self.changed.notify_all();
    }

    fn write(&self, mut journal: Journal, path: &Path, clock: &Clock) -> ! {
        let failed = |error: &std::io::Error| {
            tracing::error!(file.path = %path.display(), error.reason = %error, "the state cannot be remembered");
        };
        loop {
            let text = {
                let waited = self.changed.wait_while(self.lines(), |lines| lines.text.is_empty());
                let mut lines = waited.unwrap_or_else(PoisonError::into_inner);
                lines.is_writing = true;
                std::mem::take(&mut lines.text)
            };
            self.changed.notify_all();
            while let Err(error) = journal.append(&text) {
                failed(&error);
                thread::sleep(PAUSE);
            }
            if journal.has_grown()
                && let Err(error) = journal.compact(clock.now())
            {
                failed(&error);
            }
            self.lines().is_writing = false;
            self.changed.notify_all();
        }
    }
}

/// What the file says. Entries go into the verifier as they are read.
fn recall(
    path: &Path,
    store: &str,
    verifier: &LiveVerifier,
) -> Result<(Option<Journal>, Option<Remembered>), FileError> {
    let (mut keyring, mut feed, mut pages) = (None::<Remembered>, None, 0);
    let journal = Journal::open(path, store, |record| match record {
        Record::Keyring { file, tag, at } => keyring = Some(Remembered { file, tag, at }),
        Record::KeyringAt(now) => {
            if let Some(keyring) = &mut keyring {
                keyring.at = now;
            }
        }
        Record::Page { page, at } => {
            let heard = feed.take().and_then(|(_, heard)| heard);
            feed = Some((page.cursor, if page.more { heard } else { Some(at) }));
            // Counted, since after a beginning anew cursors go back: the verifier goes forward alone. That more follows keeps it
            // from looking through all entries after each page.
            pages += 1;
            let _ = verifier.take_revocations(&RevocationPage { cursor: pages, more: true, ..page }, at);
        }
    })?;
    if let Some((cursor, heard)) = feed {
        verifier.restart_feed();
        let last = RevocationPage { revocations: Vec::new(), cursor, more: heard.is_none() };
        let _ = verifier.take_revocations(&last, heard.unwrap_or(UnixSeconds(0)));
    }
    Ok((journal, keyring))
}

/// The ages in the file are at most this much older than the truth.
const NOTED_AT_LEAST_EVERY: u64 = 60;
/// Bytes of lines: about as many as the largest page has.
const MOST_WAITING: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries to write.
const PAUSE: Duration = Duration::from_secs(5);
/// Of a clean stop.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
