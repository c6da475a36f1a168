//! What no release names goes, and what one names is verified and mended.

use std::fs;
use std::io::Write as _;

use sticker_protocol::Sha256;
use sticker_tests::{Database, Finished, Phone, Store};

use crate::release::{
    Release, is_a_pipe, key, keys, object, objects, on_each_place, stands_for_long, uploads,
};

fn gc(store: &Store, more: &[&str]) -> Finished {
    let finished = store.operator().runs(&[&["admin", "objects", "gc"], more].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished
}

fn verify(store: &Store) -> Finished {
    store.operator().runs(&["admin", "objects", "verify"])
}

/// The number in the line that begins with this.
fn counted(finished: &Finished, line: &str) -> usize {
    let line = finished.stdout.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn what_no_release_names_goes_and_nothing_else() {
    on_each_place(&[], |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let (kept, left) = (Release::of("kept"), Release::of("left"));
        assert_eq!(designer.publishes(&kept.path()).code, 0);
        let _ = left.is_begun(&designer);
        left.is_sent(&designer);
        let stray = Sha256::of(b"stray");
        match bucket {
            Some(bucket) => bucket.has_altered(&key(stray), b"stray".to_vec()),
            None => stands_for_long(store.data(), stray, b"stray"),
        }
        if let Some(bucket) = bucket {
            bucket.has_altered("somebody/elses/file", b"x".to_vec());
        }
        let sent = uploads(store, bucket).len();
        // What is young stays.
        let young = gc(store, &[]);
        let aged = usize::from(bucket.is_none());
        assert_eq!((counted(&young, "removed"), counted(&young, "uploads removed")), (aged, 0));
        let dry = gc(store, &["--grace", "0", "--dry-run"]);
        assert_eq!(counted(&dry, "uploads would be removed"), sent);
        assert_eq!(uploads(store, bucket).len(), sent);
        let done = gc(store, &["--grace", "0"]);
        assert_eq!(counted(&done, "uploads removed"), sent);
        assert_eq!(counted(&done, "removed"), 1 - aged);
        let mut left_over = objects(store, bucket);
        left_over.retain(|name| name != "somebody/elses/file");
        assert_eq!(left_over, keys(&kept.manifest()));
        assert_eq!(counted(&gc(store, &["--grace", "0"]), "removed"), 0);
        let rows = store.has_numbers("SELECT COUNT(*) FROM audit WHERE action = 'objects_gc'");
        assert_eq!(rows, [if aged == 1 { 2 } else { 1 }]);
        assert_eq!(store.operator().runs(&["admin", "audit", "verify"]).code, 0);
        assert_eq!(verify(store).code, 0);
        // Whoever comes back to it sends it again.
        assert_eq!(designer.publishes(&left.path()).code, 0);
        assert_eq!(verify(store).code, 0);
        if let Some(bucket) = bucket {
            bucket.has_lost("somebody/elses/file");
        }
    });
}

/// A release whose every file stands under its name for long, as one leaves that was never shown.
fn stands_and_is_named_by_nobody(store: &Store, release: &Release) {
    for file in &release.manifest().files {
        stands_for_long(store.data(), file.sha256, &release.bytes(file.path.as_str()));
    }
}

#[test]
fn a_release_that_is_being_published_keeps_what_it_found() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let release = Release::of("raced");
    let manifest = release.manifest();
    stands_and_is_named_by_nobody(&store, &release);
    let _ = release.is_begun(&designer);
    store.has_rows_altered("UPDATE releases SET created_at = 1");
    let last = manifest.files.last().unwrap();
    let pipe = is_a_pipe(store.data(), last.sha256);
    let going_to = counted(&gc(&store, &["--dry-run", "--grace", "0"]), "would be removed");
    assert_eq!(going_to, keys(&manifest).len());

    let mut publishing = designer.begins_to_publish(&release.path());
    // Opens when the check has come to it, past all other files.
    let mut writes = fs::File::options().write(true).open(&pipe).unwrap();
    assert_eq!(counted(&gc(&store, &["--grace", "0"]), "removed"), 0);
    writes.write_all(&release.bytes(last.path.as_str())).unwrap();
    drop(writes);
    assert!(publishing.wait().unwrap().success(), "{}", store.log());
    fs::remove_file(&pipe).unwrap();
    fs::write(object(store.data(), last.sha256), release.bytes(last.path.as_str())).unwrap();
    assert_eq!(verify(&store).code, 0);
}

#[test]
fn what_is_removed_while_somebody_is_about_to_publish_is_sent_again() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    for round in 0..6 {
        let release = Release::of(&format!("race-{round}"));
        stands_and_is_named_by_nobody(&store, &release);
        let _ = release.is_begun(&designer);
        store.has_rows_altered("UPDATE releases SET created_at = 1");
        let mut publishing = designer.begins_to_publish(&release.path());
        while publishing.try_wait().unwrap().is_none() {
            gc(&store, &["--grace", "0"]);
        }
        if !publishing.wait().unwrap().success() {
            let published = designer.publishes(&release.path());
            assert_eq!(published.code, 0, "{}", published.stderr);
        }
        let verified = verify(&store);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
    }
}

#[test]
fn who_publishes_waits_for_a_removal_and_goes_on_when_it_is_over() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let release = Release::of("waits");
    let _ = release.is_begun(&designer);
    release.is_sent(&designer);
    let hash = release.manifest().files[0].sha256;
    let row = |until: u64| {
        format!(
            "INSERT INTO object_removals (hash, removed_by, removed_until) VALUES ('{hash}', 'x', {until})"
        )
    };
    store.has_rows_altered(&row(9_000_000_000_000));
    let refused = designer.sends("POST", &release.publish(), Vec::new()).expect(503);
    assert_eq!(refused.error_code(), "objects_going");
    store.has_rows_altered("UPDATE object_removals SET removed_until = 1");
    let _ = designer.sends("POST", &release.publish(), Vec::new()).expect(200);
}

#[test]
fn what_is_lost_or_damaged_is_told_and_put_back_by_publishing_again() {
    on_each_place(&[], |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("damaged");
        assert_eq!(designer.publishes(&release.path()).code, 0);
        let whole = verify(store);
        assert_eq!(whole.code, 0, "{}", whole.stdout);

        let files = release.manifest().files;
        let stickers: Vec<_> = files.iter().filter(|it| it.path.as_str().ends_with(".sticker")).collect();
        let (lost, damaged) = (stickers[0], stickers[1]);
        let mut content = release.bytes(damaged.path.as_str());
        *content.last_mut().unwrap() ^= 1;
        if let Some(bucket) = bucket {
            bucket.has_lost(&key(lost.sha256));
            bucket.has_altered(&key(damaged.sha256), content);
        } else {
            fs::remove_file(object(store.data(), lost.sha256)).unwrap();
            fs::write(object(store.data(), damaged.sha256), content).unwrap();
        }
        let told = verify(store);
        assert_eq!(told.code, 1, "{}", told.stdout);
        assert!(told.stdout.contains(&format!("missing  {}  {}", lost.sha256, lost.path)), "{}", told.stdout);
        let line = format!("damaged  {}  {}", damaged.sha256, damaged.path);
        assert!(told.stdout.contains(&line), "{}", told.stdout);

        let (code, told) = designer.publishes_telling(&release.path());
        assert_eq!((code, told["uploaded"].as_u64()), (0, Some(2)), "{told}");
        assert_eq!(verify(store).code, 0);
        assert_eq!(uploads(store, bucket), Vec::<String>::new());
        let fresh = store.one_more();
        for file in [lost, damaged] {
            let (density, id) = (file.density.unwrap(), file.sticker.unwrap());
            if file.path.as_str().starts_with("master") {
                continue;
            }
            let answer = Phone::of(&fresh).gets(&format!("/dl/{density}/{id}.{}.sticker", file.sha256));
            assert_eq!(Sha256::of(&answer.expect(200).body), file.sha256);
        }
    });
}

#[test]
fn a_damaged_object_that_a_new_release_needs_is_found_by_its_check_and_sent_again() {
    on_each_place(&[], |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("needed");
        assert_eq!(designer.publishes(&release.path()).code, 0);
        let master =
            release.manifest().files.iter().find(|it| it.path.as_str().starts_with("master")).cloned();
        let master = master.unwrap();
        match bucket {
            Some(bucket) => bucket.has_altered(&key(master.sha256), b"damage".to_vec()),
            None => fs::write(object(store.data(), master.sha256), b"damage").unwrap(),
        }
        release.rebuilt(|toml| toml.replace("The needed pack", "The pack that is needed"));
        let published = designer.publishes(&release.path());
        assert_eq!(published.code, 0, "{}", published.stderr);
        assert_eq!(verify(store).code, 0);
    });
}
