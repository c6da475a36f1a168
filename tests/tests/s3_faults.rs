//! A real S3 behind a proxy that is slow, cuts, refuses and lies: no wrong byte is served, nothing hangs, and what is in memory goes on.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::atomic::{AtomicBool, Ordering};

use sticker_protocol::release::{FileKind, ReleaseFile};
use sticker_protocol::{Density, Sha256};
use sticker_tests::{Answer, Between, Bucket, Database, Edge, Fault, Phone, Store, Town};

/// A store whose objects are in a bucket behind a proxy, with one pack; `None`, which is said, where there is no S3.
fn behind_a_proxy() -> Option<(Bucket, Between, Town)> {
    let bucket = Bucket::fresh()?;
    let between = Between::before(bucket.server());
    let behind = bucket.at(&between.url());
    let mut settings = behind.settings();
    settings.push(("STICKER_STORE__OBJECTS__TIMEOUT_SECONDS", "4"));
    settings.push(("STICKER_STORE__DELIVERY__NEGOTIATED_PER_SECOND", "0"));
    let town = Town::with_settings(Database::Sqlite, "free", &settings);
    Some((bucket, between, town))
}

/// A process that has the first sticker in memory and the second one not.
fn warm(town: &Town, between: &Between) -> (Store, Phone) {
    between.is_honest();
    let store = town.store.one_more();
    let phone = Phone::of(&store);
    assert_eq!(Sha256::of(&phone.gets(&hot(town)).expect(200).body), file(town, 0).sha256);
    between.was_asked("");
    (store, phone)
}

fn hot(town: &Town) -> String {
    format!("/dl/{}.sticker", town.sticker(0))
}

fn cold(town: &Town) -> String {
    format!("/dl/{}.sticker", town.sticker(1))
}

fn file(town: &Town, sticker: usize) -> &ReleaseFile {
    let id = town.sticker(sticker);
    let is_it = |file: &&ReleaseFile| {
        file.sticker.is_some_and(|it| it.get() == id) && file.density == Some(Density::DEFAULT)
    };
    town.release.files_of(FileKind::Sticker).find(is_it).unwrap()
}

/// How often the second sticker's object was read.
fn reads(town: &Town, between: &Between) -> usize {
    let mut key = file(town, 1).sha256.to_string();
    key.insert(2, '/');
    between.was_asked("").iter().filter(|asked| asked.method == "GET" && asked.target.contains(&key)).count()
}

/// What no cache keeps, and who is told comes again.
fn is_a_passing_failure(answer: &Answer, why: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code().as_str()), (503, "unavailable"), "{why}");
    assert_eq!(answer.header("cache-control"), "no-store", "{why}");
    assert!(!answer.header("retry-after").is_empty(), "{why}: {answer:?}");
    assert_eq!(answer.header("etag"), "", "{why}");
}

/// What S3 does to one object, and that others are served meanwhile; then it is honest again.
fn fails_and_recovers(town: &Town, between: &Between, fault: Fault, tries: usize) {
    let why = format!("{fault:?}");
    let (_store, phone) = warm(town, between);
    between.does(fault, "/");
    let ended = AtomicBool::new(false);
    let answer = std::thread::scope(|threads| {
        let asking = threads.spawn(|| {
            let answer = phone.gets(&cold(town));
            ended.store(true, Ordering::SeqCst);
            answer
        });
        let mut served = 0;
        while !ended.load(Ordering::SeqCst) || served == 0 {
            let answer = phone.gets(&hot(town)).expect(200);
            assert_eq!(Sha256::of(&answer.body), file(town, 0).sha256, "{why}");
            served += 1;
        }
        asking.join().unwrap()
    });
    is_a_passing_failure(&answer, &why);
    assert_eq!(reads(town, between), tries, "{why}");
    between.is_honest();
    let answer = phone.gets(&cold(town)).expect(200);
    assert_eq!(Sha256::of(&answer.body), file(town, 1).sha256, "{why}");
}

#[test]
fn wrong_bytes_are_detected_and_never_served_and_the_right_ones_are_once_s3_is_honest_again() {
    let Some((_bucket, between, town)) = behind_a_proxy() else { return };
    fails_and_recovers(&town, &between, Fault::WrongBytes, 1);
}

#[test]
fn a_body_that_is_cut_or_stalls_is_503_while_hot_objects_are_served() {
    let Some((_bucket, between, town)) = behind_a_proxy() else { return };
    fails_and_recovers(&town, &between, Fault::Cut, 1);
    fails_and_recovers(&town, &between, Fault::Stalled, 1);
}

#[test]
fn an_s3_that_refuses_or_says_nothing_is_asked_three_times_and_then_503_while_hot_objects_are_served() {
    let Some((_bucket, between, town)) = behind_a_proxy() else { return };
    fails_and_recovers(&town, &between, Fault::Status(503), 3);
    fails_and_recovers(&town, &between, Fault::Silent, 3);
}

#[test]
fn one_refusal_of_s3_is_nothing_that_a_phone_notices() {
    let Some((_bucket, between, town)) = behind_a_proxy() else { return };
    for status in [500, 503] {
        let (_store, phone) = warm(&town, &between);
        between.does_once(Fault::Status(status), "/");
        let answer = phone.gets(&cold(&town)).expect(200);
        assert_eq!(Sha256::of(&answer.body), file(&town, 1).sha256);
        assert_eq!(reads(&town, &between), 2);
    }
}

#[test]
fn no_cache_in_front_of_the_store_keeps_what_s3_did_wrong() {
    let Some((_bucket, between, town)) = behind_a_proxy() else { return };
    let (store, _) = warm(&town, &between);
    for edge in Edge::each_before(&store.url()) {
        let (phone, density) = (Phone::at(&edge.url()), if edge.name == "nginx" { 640 } else { 480 });
        let path = format!("{}?density={density}", cold(&town));
        between.does(Fault::WrongBytes, "/");
        for _ in 0..2 {
            assert_eq!(phone.gets(&path).status, 503, "{}", edge.name);
        }
        between.is_honest();
        let answer = phone.gets(&path).expect(200);
        let density = Density::new(density).unwrap();
        let id = town.release.stickers[1].id;
        let listed = town.release.files_of(FileKind::Sticker);
        let listed = listed.into_iter().find(|it| it.sticker == Some(id) && it.density == Some(density));
        assert_eq!(Sha256::of(&answer.body), listed.unwrap().sha256, "{}", edge.name);
    }
}
