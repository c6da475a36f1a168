//! Phones download from a process that serves nothing else, whether or not the database is there.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use sticker_protocol::Sha256;
use sticker_protocol::release::FileKind;
use sticker_protocol::release::signed::{KnownReleases, ReleaseKeys, UntrustedRelease};
use sticker_tests::{Artwork, Database, Designer, Phone, Proxy, Store, Town, on_each_database, until};

/// Downloads every sticker and the bundle at some density and compares each with the release.
fn downloads_everything(phone: &Phone, town: &Town) {
    let (densities, files) = (&town.release.densities, &town.release.files);
    for density in densities {
        let stickers = town.release.stickers.iter().map(|sticker| format!("{}.sticker", sticker.id));
        for name in stickers.chain([format!("{}.zip", town.pack())]) {
            let answer = phone.gets(&format!("/dl/{name}?density={density}")).expect(200);
            let hash = Sha256::of(&answer.body);
            let path = format!("{density}/{name}");
            let file = files.iter().find(|file| file.path.as_str() == path).unwrap();
            assert_eq!(file.sha256, hash, "{path}");
        }
    }
}

/// Believes the pack's release as an app does that ships these keys.
fn believes(phone: &Phone, town: &Town, keys: &ReleaseKeys, known: &mut KnownReleases) {
    let answer = phone.gets(&format!("/dl/{}.manifest", town.pack())).expect(200);
    let release = UntrustedRelease::read(&answer.body).unwrap();
    let release = release.verify(keys, known, town.release.pack).unwrap();
    assert_eq!((release.counter().get(), release.manifest()), (1, &town.release));
    known.remember(&release);
}

fn state(delivery: &Store) -> String {
    let answer = Phone::of(delivery).gets("/health/ready");
    answer.json()["status"].as_str().unwrap().to_owned()
}

#[test]
fn downloads_live_on_while_the_database_is_away_even_over_a_restart_and_new_releases_come_once_it_is_back() {
    on_each_database(|database| {
        let Database::Server { name, url } = database.clone() else { return };
        let town = Town::with_pack(database, "tier1");
        let proxy = Proxy::before(&url);
        let behind = Database::Server { name, url: proxy.url().to_owned() };
        let delivery = town.store.delivers_beside(behind);
        let ready = || Phone::of(&delivery).gets("/health/ready").json();
        until("the releases are known", || ready()["parts"]["releases"]["packs"] == 1);
        let exported = town.store.operator().runs(&["admin", "release-keys", "export"]);
        let (keys, mut known) = (ReleaseKeys::parse(&exported.stdout).unwrap(), KnownReleases::new());
        believes(&Phone::of(&delivery), &town, &keys, &mut known);
        proxy.is_away();
        until("it says that the database is away", || state(&delivery) == "degraded");
        downloads_everything(&Phone::of(&delivery), &town);

        let delivery = delivery.crash_and_restart();
        let phone = Phone::of(&delivery);
        assert_eq!(state(&delivery), "degraded");
        downloads_everything(&phone, &town);
        believes(&phone, &town, &keys, &mut known);
        let unknown = phone.gets("/dl/1.sticker").expect(503);
        assert_eq!(
            (unknown.error_code().as_str(), unknown.header("cache-control")),
            ("unavailable", "no-store")
        );
        assert_eq!(phone.gets("/v1/library").status, 404);

        let (artwork, out) = (Artwork::project("later", "free", 1, 0), tempfile::tempdir().unwrap());
        assert_eq!(Designer::builds(artwork.path(), &out.path().join("release")).code, 0);
        assert_eq!(town.designer.publishes(&out.path().join("release")).code, 0);
        let later = std::fs::read(out.path().join("release/release.thrift")).unwrap();
        let later = sticker_protocol::release::Manifest::read(&later).unwrap();
        proxy.works_again();
        let bundle =
            later.files_of(FileKind::Bundle).find(|file| file.density.is_some_and(|it| it.get() == 320));
        until("the new pack is there", || phone.gets(&format!("/dl/{}.zip", later.pack)).status == 200);
        let answer = phone.gets(&format!("/dl/{}.zip", later.pack)).expect(200);
        assert_eq!(Sha256::of(&answer.body), bundle.unwrap().sha256);
        until("it says that all is well", || state(&delivery) == "ok");
        assert_eq!(delivery.stop(), 0);
    });
}

#[test]
fn the_program_says_which_parts_it_can_serve() {
    let refused = sticker_tests::run(sticker_tests::store_program().args(["serve", "--only", "downloads"]));
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("delivery"), "{}", refused.stderr);
}
