//! The store is killed at any moment of a publish, again and again.

use std::time::{Duration, Instant};

use sticker_tests::{Bucket, Database, Phone, Store, number_set};

use crate::release::{Release, keys, objects, uploads};

/// `STICKER_TEST_PUBLISH_KILLS` sets another number.
const KILLS: u64 = 24;

#[test]
fn nothing_is_lost_or_doubled_however_often_the_store_is_killed_in_a_publish() {
    until_killed(Store::start(Database::Sqlite), None);
}

#[test]
fn nothing_is_lost_or_doubled_in_s3_however_often_the_store_is_killed_in_a_publish() {
    let Some(bucket) = Bucket::fresh() else { return };
    until_killed(Store::start_with(Database::Sqlite, &bucket.settings()), Some(&bucket));
}

fn until_killed(mut store: Store, bucket: Option<&Bucket>) {
    let designer = store.operator().admits_designer("studio");
    let whole = {
        let release = Release::of("measure");
        let began = Instant::now();
        assert_eq!(designer.publishes(&release.path()).code, 0);
        began.elapsed()
    };
    let (mut kills, mut releases) = (0, Vec::new());
    while kills < number_set("STICKER_TEST_PUBLISH_KILLS", KILLS) {
        let release = Release::of(&format!("killed-{}", releases.len()));
        // At any moment, one after the other, and then to the end.
        for _ in 0..6 {
            let mut publishing = designer.begins_to_publish(&release.path());
            let moment = whole * u32::try_from(kills * 7 % 20 + 1).unwrap() / 20;
            let until = Instant::now() + moment.min(Duration::from_secs(20));
            while Instant::now() < until && publishing.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            store.crashes_and_restarts();
            kills += 1;
            // It tries again by itself, and may be done; what it says is of no use.
            let _ = publishing.kill();
            publishing.wait().unwrap();
        }
        let published = designer.publishes(&release.path());
        assert_eq!(published.code, 0, "{}{}", published.stderr, store.log());
        releases.push(release);
    }
    let collected = store.operator().runs(&["admin", "objects", "gc", "--grace", "0"]);
    assert_eq!(collected.code, 0, "{}", collected.stderr);
    let verified = store.operator().runs(&["admin", "objects", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert_eq!(store.operator().runs(&["admin", "audit", "verify"]).code, 0);
    assert_eq!(uploads(&store, bucket), Vec::<String>::new());
    let named = format!("/packs/{}", releases[0].manifest().slug);
    assert_eq!(Phone::of(&store).gets(&named).status, 200);
    let there = objects(&store, bucket);
    for release in &releases {
        let id = release.id();
        assert!(keys(&release.manifest()).iter().all(|key| there.contains(key)));
        let told = format!(
            "SELECT COUNT(*) FROM audit WHERE action = 'publish' AND detail LIKE '%\"release\":\"{id}\"%'"
        );
        assert_eq!(store.has_numbers(&told), [1], "{id}");
        let shown = format!("SELECT COUNT(*) FROM packs WHERE release_id = '{id}'");
        assert_eq!(store.has_numbers(&shown), [1], "{id}");
    }
}
