//! A catalogue goes from one way of storing its variants to the other and back, and nobody who downloads notices.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::time::{Duration, Instant};

use serde_json::Value;
use sticker_protocol::release::{FileKind, ReleaseFile};
use sticker_protocol::{Density, ImageHeader, Sha256};
use sticker_tests::{Database, Phone, Store, Town, number_set, on_each_database, until};

/// The address of a file of the release by its hash.
fn address(town: &Town, file: &ReleaseFile) -> String {
    let density = file.density.unwrap();
    match file.sticker {
        Some(id) => format!("/dl/{density}/{id}.{}.sticker", file.sha256),
        None => format!("/dl/{density}/{}.{}.zip", town.release.pack, file.sha256),
    }
}

fn variants(town: &Town) -> impl Iterator<Item = &ReleaseFile> {
    town.release.files.iter().filter(|it| matches!(it.kind, FileKind::Sticker | FileKind::Bundle))
}

fn is_stored(town: &Town, file: &ReleaseFile) -> bool {
    let hash = file.sha256.to_string();
    town.store.data().join("objects").join(&hash[..2]).join(&hash[2..]).exists()
}

/// What the command says that it did.
fn migrated(town: &Town, to: &str) -> Value {
    let finished = town.store.operator().runs(&["admin", "migrate-variants", "--to", to, "--json"]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// Downloads every variant at its address by hash and at each density, from a process that has nothing in memory.
fn everything_is_right(town: &Town) {
    let fresh = town.store.one_more();
    let phone = Phone::of(&fresh);
    for file in variants(town) {
        let answer = phone.gets(&address(town, file)).expect(200);
        assert_eq!(Sha256::of(&answer.body), file.sha256, "{}", file.path);
        if let (Some(id), Some(density)) = (file.sticker, file.density) {
            let answer = phone.gets(&format!("/dl/{id}.sticker?density={density}")).expect(200);
            assert_eq!(Sha256::of(&answer.body), file.sha256, "{}", file.path);
        }
    }
}

/// The only files that are stored on demand: those of density 320.
fn stays(file: &ReleaseFile) -> bool {
    file.kind == FileKind::Sticker && file.density == Some(Density::DEFAULT)
}

#[test]
fn a_catalogue_goes_on_demand_and_back_and_every_address_gives_the_listed_bytes() {
    on_each_database(|database: Database| {
        let town = Town::with_pack(database, "free");
        let report = migrated(&town, "on-demand");
        assert!(variants(&town).all(|file| is_stored(&town, file) == stays(file)));
        let gone = variants(&town).filter(|file| !stays(file));
        let (objects, bytes) = gone.fold((0, 0), |(objects, bytes), file| (objects + 1, bytes + file.size));
        assert_eq!(
            (report["saved"]["objects"].as_u64(), report["saved"]["bytes"].as_u64()),
            (Some(objects), Some(bytes))
        );
        assert_eq!(report["not_reproducible"]["objects"], 0);
        everything_is_right(&town);
        // What was asked for is kept.
        assert!(variants(&town).all(|file| is_stored(&town, file)));
        let report = migrated(&town, "prebuilt");
        assert_eq!(
            (report["saved"]["objects"].as_u64(), report["rendered"]["objects"].as_u64()),
            (Some(0), Some(0))
        );
        everything_is_right(&town);
    });
}

#[test]
fn what_is_published_in_a_store_on_demand_is_let_go_of_and_only_so_much_of_it_is_kept() {
    let settings = [
        ("STICKER_STORE__DELIVERY__VARIANTS", "on-demand"),
        ("STICKER_STORE__DELIVERY__RENDERED_BYTES", "20000"),
    ];
    let town = Town::with_settings(Database::Sqlite, "free", &settings);
    migrated(&town, "on-demand");
    until("only one density is stored", || variants(&town).all(|file| is_stored(&town, file) == stays(file)));
    everything_is_right(&town);
    let kept: u64 = variants(&town).filter(|it| !stays(it) && is_stored(&town, it)).map(|it| it.size).sum();
    assert!((1..=20_000).contains(&kept), "{kept} bytes are kept");
}

#[test]
fn a_made_variant_that_was_damaged_is_made_again_by_who_asks_and_by_verify() {
    let town = Town::with_pack(Database::Sqlite, "free");
    migrated(&town, "on-demand");
    everything_is_right(&town);
    let made: Vec<&ReleaseFile> = variants(&town).filter(|file| !stays(file)).collect();
    let damage = || {
        for file in &made {
            let hash = file.sha256.to_string();
            let place = town.store.data().join("objects").join(&hash[..2]).join(&hash[2..]);
            let mut content = std::fs::read(&place).unwrap();
            *content.last_mut().unwrap() ^= 1;
            std::fs::write(place, content).unwrap();
        }
    };
    damage();
    everything_is_right(&town);
    damage();
    let verified = town.store.operator().runs(&["admin", "objects", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert!(made.iter().all(|file| !is_stored(&town, file)));
    everything_is_right(&town);
}

/// `STICKER_TEST_MIGRATION_KILLS` sets another number.
const KILLS: u64 = 12;

#[test]
fn nothing_is_lost_or_doubled_however_often_migrations_are_killed_and_run_twice() {
    on_each_database(|database: Database| {
        let town = Town::with_pack(database, "free");
        let kills = number_set("STICKER_TEST_MIGRATION_KILLS", KILLS);
        let began = Instant::now();
        assert_eq!(town.store.operator().begins(&migrate("on-demand")).wait().unwrap().code(), Some(0));
        let whole = began.elapsed();
        for kill in 0..kills {
            let to = if kill % 3 == 2 { "on-demand" } else { "prebuilt" };
            let mut both = [(); 2].map(|()| town.store.operator().begins(&migrate(to)));
            // At any moment of a migration, one after the other.
            let moment = whole * u32::try_from(kill * 7 % 20 + 1).unwrap() / 20;
            let until = Instant::now() + moment.min(Duration::from_secs(20));
            while Instant::now() < until && both.iter_mut().any(|it| it.try_wait().unwrap().is_none()) {
                std::thread::sleep(Duration::from_millis(2));
            }
            for process in &mut both {
                // It may have ended already.
                let _ = process.kill();
                process.wait().unwrap();
            }
            if kill % 6 == 5 {
                everything_is_right(&town);
            }
        }
        let report = migrated(&town, "on-demand");
        everything_is_right(&town);
        let again = migrated(&town, "prebuilt");
        assert_eq!(report["listed"], again["listed"]);
        assert_eq!(again["listed"], again["stored"]);
        assert!(variants(&town).all(|file| is_stored(&town, file)));
        everything_is_right(&town);
        assert_eq!(town.store.has_numbers("SELECT COUNT(*) FROM variants"), [0]);
    });
}

const fn migrate(to: &str) -> [&str; 4] {
    ["admin", "migrate-variants", "--to", to]
}

#[test]
fn a_variant_of_a_master_that_was_altered_is_never_served() {
    let town = Town::with_pack(Database::Sqlite, "free");
    migrated(&town, "on-demand");
    for master in town.release.files_of(FileKind::Master) {
        let hash = master.sha256.to_string();
        let path = town.store.data().join("objects").join(&hash[..2]).join(&hash[2..]);
        let mut content = std::fs::read(&path).unwrap();
        let last = content.len() - 9;
        content[last] ^= 1;
        std::fs::write(&path, content).unwrap();
    }
    for file in variants(&town).filter(|file| !stays(file) && file.kind == FileKind::Sticker) {
        let answer = Phone::of(&town.store).gets(&address(&town, file)).expect(503);
        assert_eq!(answer.error_code(), "unavailable");
    }
}

#[test]
fn pictures_for_pages_come_at_the_listed_widths_and_never_wider_than_they_are() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let phone = Phone::of(&town.store);
    let poster = town.release.files_of(FileKind::Poster).next().unwrap();
    let at = |query: &str| phone.gets(&format!("/media/{}.webp{query}", poster.sha256));
    let width = |query: &str| ImageHeader::read(&at(query).expect(200).body).unwrap().width;
    for asked in [96, 160, 240, 320] {
        assert_eq!(width(&format!("?width={asked}")), asked);
    }
    let narrow = at("?width=96").expect(200);
    assert_eq!(narrow.header("etag"), format!("\"{}\"", Sha256::of(&narrow.body)));
    for as_it_is in ["", "?width=640", "?width=960", "?v=2"] {
        assert_eq!(Sha256::of(&at(as_it_is).expect(200).body), poster.sha256, "{as_it_is}");
    }
    for wrong in ["0", "97", "-96", "1e2", "", "0096", "%39%36", "96&width=96", "4294967392"] {
        assert_eq!(at(&format!("?width={wrong}")).expect(400).error_code(), "invalid_width", "{wrong}");
    }
    let preview = town.release.files_of(FileKind::Preview).next().unwrap();
    let answer = phone.gets(&format!("/media/{}.webp?width=96", preview.sha256)).expect(400);
    assert_eq!(answer.error_code(), "invalid_width");
}

#[test]
fn only_so_many_variants_are_made_at_once_and_the_rest_is_told_to_come_again() {
    let settings = [
        ("STICKER_STORE__DELIVERY__RENDERS_AT_ONCE", "1"),
        ("STICKER_STORE__DELIVERY__RENDERS_WAITING", "0"),
    ];
    let town = Town::with_settings(Database::Sqlite, "free", &settings);
    migrated(&town, "on-demand");
    let asked: Vec<_> = variants(&town).filter(|file| !stays(file)).collect();
    let turned_away = std::thread::scope(|threads| {
        let asking = |file: &ReleaseFile| until_given(&town.store, &address(&town, file), file.sha256);
        let all: Vec<_> = asked.iter().map(|&file| threads.spawn(move || asking(file))).collect();
        all.into_iter().map(|it| it.join().unwrap()).sum::<u32>()
    });
    assert!(turned_away > 0, "nobody had to come again");
}

/// How often one had to come again until it was there.
fn until_given(store: &Store, address: &str, hash: Sha256) -> u32 {
    let (phone, mut turned_away) = (Phone::of(store), 0);
    until(address, || {
        let answer = phone.gets(address);
        if answer.status == 200 {
            assert_eq!(Sha256::of(&answer.body), hash);
            return true;
        }
        assert_eq!((answer.status.as_u16(), answer.error_code().as_str()), (503, "too_many_renders"));
        assert_eq!(answer.header("retry-after"), "2");
        turned_away += 1;
        false
    });
    turned_away
}
