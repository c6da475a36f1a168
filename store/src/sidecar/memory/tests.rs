use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use sticker_protocol::limits::MAX_REVOCATIONS;
use sticker_protocol::token::{Revocation, UserId};
use sticker_protocol::{Expiry, StickerId};
use tempfile::TempDir;

use super::*;

const KEYS: &str = r#"{"keys":[{"id":4,"algorithm":"ed25519","public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a","state":"signing"}]}"#;
const STORE: &str = "https://a";

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    (folder, path)
}

fn keys() -> KeyFile {
    KeyFile::parse(KEYS).unwrap()
}

/// A page with one entry: a sticker that has the cursor's number.
fn page(cursor: u64, refuse_until: u32) -> RevocationPage {
    let entry = Revocation {
        cursor,
        user: Some(UserId::from_text("alice").unwrap()),
        stickers: vec![StickerId::new(cursor).unwrap()],
        refuse_until: Expiry(refuse_until),
    };
    RevocationPage { revocations: vec![entry], cursor, more: false }
}

/// What a sidecar that starts knows: the keyring, cursor and entries, and the age of the feed at this time.
fn known(path: &Path, store: &str, now: u64) -> (Option<Remembered>, (u64, usize, Option<u64>)) {
    let verifier = LiveVerifier::new();
    let (_, keyring) = recall(path, store, &verifier).unwrap();
    let freshness = verifier.freshness(UnixSeconds(now));
    (keyring, (verifier.cursor(), freshness.entries, freshness.revocations_age))
}

fn memory(path: &Path) -> Memory {
    let clock = Clock::Manual(std::sync::Arc::default());
    Memory::start(Some(path.to_owned()), STORE, &LiveVerifier::new(), clock).unwrap().0
}

fn journal(path: &Path) -> Journal {
    Journal::open(path, STORE, |_| {}).unwrap().unwrap()
}

#[test]
fn a_restart_finds_what_was_known_and_another_store_does_not() {
    let (_folder, path) = place();
    let memory = memory(&path);
    memory.keyring(&keys(), Some("\"tag\"".to_owned()), UnixSeconds(100));
    memory.page(&page(1, 150), UnixSeconds(101));
    memory.page(&page(2, 300), UnixSeconds(200));
    memory.keyring_is_current(UnixSeconds(190));
    memory.flush();

    let (keyring, feed) = known(&path, STORE, 210);
    let keyring = keyring.unwrap();
    assert_eq!(
        (keyring.file.to_json(), keyring.tag.as_deref(), keyring.at.0),
        (keys().to_json(), Some("\"tag\""), 190)
    );
    assert_eq!(feed, (2, 1, Some(10)), "what has expired counts no more");
    let (keyring, feed) = known(&path, "https://b", 210);
    assert!(keyring.is_none());
    assert_eq!(feed, (0, 0, None));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(recall(&path, STORE, &LiveVerifier::new()), Err(FileError::TooOpen(_))));
}

#[test]
fn a_page_is_written_behind_what_is_there_and_once_a_minute_where_there_is_nothing_new() {
    let (_folder, path) = place();
    let memory = memory(&path);
    let nothing = RevocationPage { revocations: Vec::new(), cursor: 1, more: false };
    let mut before = Vec::new();
    for (page, at, grows) in [
        (page(1, 300), 100, true),
        (nothing.clone(), 159, false),
        (nothing, 160, true),
        (page(2, 300), 161, true),
    ] {
        memory.page(&page, UnixSeconds(at));
        memory.flush();
        let after = fs::read(&path).unwrap();
        assert!(after.starts_with(&before), "at {at}");
        assert_eq!(after.len() > before.len(), grows, "at {at}");
        before = after;
    }
}

#[test]
fn a_feed_without_entries_is_remembered_as_one_that_was_heard() {
    let (_folder, path) = place();
    let memory = memory(&path);
    memory.page(&RevocationPage { revocations: Vec::new(), cursor: 0, more: false }, UnixSeconds(100));
    memory.flush();
    assert_eq!(known(&path, STORE, 100).1, (0, 0, Some(0)));
}

#[test]
fn a_feed_that_was_not_heard_to_its_end_goes_on_and_does_not_count_as_heard() {
    let (_folder, path) = place();
    let memory = memory(&path);
    let many = (1..=MAX_REVOCATIONS as u64).flat_map(|cursor| page(cursor, 300).revocations).collect();
    memory.page(&RevocationPage { revocations: many, cursor: 10_000, more: true }, UnixSeconds(100));
    memory.flush();
    assert_eq!(known(&path, STORE, 100).1, (10_000, MAX_REVOCATIONS, None));
    memory.page(&page(10_001, 300), UnixSeconds(100));
    memory.flush();
    assert_eq!(known(&path, STORE, 100).1, (10_001, MAX_REVOCATIONS + 1, Some(0)));
}

#[test]
fn a_restart_after_the_feed_began_again_asks_from_there_and_refuses_who_was_refused() {
    let (_folder, path) = place();
    let memory = memory(&path);
    memory.page(&page(7, 300), UnixSeconds(100));
    memory.feed_begins_again(UnixSeconds(110));
    memory.flush();
    assert_eq!(known(&path, STORE, 120).1, (0, 1, Some(20)));
    memory.page(&page(2, 300), UnixSeconds(120));
    memory.flush();
    assert_eq!(known(&path, STORE, 120).1, (2, 2, Some(0)));
}

#[test]
fn cut_anywhere_it_knows_every_entry_up_to_its_cursor_and_goes_on_from_there() {
    let (_folder, path) = place();
    let mut written = journal(&path);
    for cursor in 1..=4 {
        written.append(&journal::of_page(&page(cursor, 300), UnixSeconds(100))).unwrap();
    }
    drop(written);
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        // What is behind the cut is not there, or is what the disk had there before.
        for rest in [0, whole.len() - cut] {
            fs::write(&path, [&whole[..cut], &vec![0; rest]].concat()).unwrap();
            let (_, (cursor, entries, _)) = known(&path, STORE, 100);
            assert_eq!(u64::try_from(entries).unwrap(), cursor, "cut at {cut}");
            journal(&path).append(&journal::of_page(&page(cursor + 1, 300), UnixSeconds(100))).unwrap();
            assert_eq!(known(&path, STORE, 100).1, (cursor + 1, entries + 1, Some(0)), "cut at {cut}");
        }
    }
}

#[test]
fn written_anew_it_has_what_still_counts_and_no_cursor_before_its_entries() {
    let (_folder, path) = place();
    let mut written = journal(&path);
    written.append(&journal::of_keyring(&keys(), None, UnixSeconds(90))).unwrap();
    for cursor in 1..=100 {
        let until = if cursor % 10 == 0 { 300 } else { 150 };
        written.append(&journal::of_page(&page(cursor, until), UnixSeconds(100))).unwrap();
    }
    written.append(&journal::of_keyring_at(UnixSeconds(95))).unwrap();
    let before = fs::metadata(&path).unwrap();
    fs::write(path.with_extension("new"), "of a crash").unwrap();
    written.compact(UnixSeconds(200)).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert!(after.len() < before.len() / 4 && after.ino() != before.ino());
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(after.permissions().mode() & 0o777, 0o600);

    let (keyring, feed) = known(&path, STORE, 100);
    assert_eq!(keyring.unwrap().at.0, 95);
    assert_eq!(feed, (100, 10, Some(0)));
    // It is the new file that goes on, and that nobody else writes.
    assert!(Journal::open(&path, STORE, |_| {}).unwrap().is_none());
    written.append(&journal::of_page(&page(101, 300), UnixSeconds(100))).unwrap();
    assert_eq!(known(&path, STORE, 100).1, (101, 11, Some(0)));
    drop(written);
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (_, (cursor, entries, _)) = known(&path, STORE, 100);
        assert!(cursor == 0 || entries == 10, "{entries} entries for {cursor}, cut at {cut}");
    }
}

#[test]
fn a_second_sidecar_with_the_same_file_reads_it_and_leaves_it_alone() {
    let (_folder, path) = place();
    let first = memory(&path);
    first.page(&page(1, 300), UnixSeconds(100));
    first.flush();
    let second = memory(&path);
    second.page(&page(2, 300), UnixSeconds(100));
    second.flush();
    assert_eq!(known(&path, STORE, 100).1, (1, 1, Some(0)));
}

#[test]
fn a_state_file_that_makes_no_sense_counts_as_nothing() {
    let (_folder, path) = place();
    for text in [
        "",
        "{",
        "{\"store\":\"https://a\"}\n{\"keyring\":{\"file\":{\"keys\":7},\"tag\":null,\"at\":1}}\n",
        "{\"feed\":{\"page\":{\"revocations\":[],\"cursor\":5,\"more\":false},\"at\":1}}\n",
        "{\"store\":\"https://a\"}\n{\"store\":\"https://a\"}\n",
    ] {
        crate::token::file::replace_private(&path, text).unwrap();
        let (keyring, feed) = known(&path, STORE, 100);
        assert!(keyring.is_none() && feed == (0, 0, None), "{text}");
    }
}
