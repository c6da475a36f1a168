//! Publishing again, and after others.

use sticker_tests::{Database, Phone, Store};

use crate::release::{Release, key, keys, on_each_place};

#[test]
fn publishing_twice_is_one_release_and_other_bytes_under_its_names_are_409() {
    on_each_place(&[], |store, _| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("twice");
        assert_eq!(designer.publishes(&release.path()).code, 0);
        let (code, told) = designer.publishes_telling(&release.path());
        assert_eq!((code, told["uploaded"].as_u64()), (0, Some(0)), "{told}");
        let both: Vec<_> = (0..2).map(|_| designer.begins_to_publish(&release.path())).collect();
        for mut one in both {
            assert!(one.wait().unwrap().success());
        }
        assert_eq!(store.has_numbers("SELECT COUNT(*) FROM audit WHERE action = 'publish'"), [1]);

        let file = &release.manifest().files[0];
        let mut content = release.bytes(file.path.as_str());
        let object = format!("/v1/releases/{}/objects/{}", release.id(), file.sha256);
        *content.last_mut().unwrap() ^= 1;
        let refused = designer.sends("PUT", &object, content.clone()).expect(409);
        assert_eq!(refused.error_code(), "published_otherwise");
        let refused = designer.sends("PUT", &object, content[1..].to_vec()).expect(409);
        assert_eq!(refused.error_code(), "published_otherwise");
    });
}

#[test]
fn two_who_publish_one_release_at_the_same_moment_show_it_once() {
    on_each_place(&[], |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("at-once");
        let all: Vec<_> = (0..3).map(|_| designer.begins_to_publish(&release.path())).collect();
        let ended: Vec<_> = all.into_iter().map(|mut one| one.wait().unwrap().success()).collect();
        assert!(ended.contains(&true), "{}", store.log());
        assert_eq!(designer.publishes(&release.path()).code, 0);
        assert_eq!(store.has_numbers("SELECT COUNT(*) FROM audit WHERE action = 'publish'"), [1]);
        assert_eq!(crate::release::objects(store, bucket), keys(&release.manifest()));
        assert_eq!(store.operator().runs(&["admin", "objects", "verify"]).code, 0);
    });
}

#[test]
fn a_stickers_id_resolves_after_a_release_without_it_and_after_a_takedown() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let release = Release::of("leaves");
    assert_eq!(designer.publishes(&release.path()).code, 0);
    let first = release.manifest();
    let left_out = first.stickers[0].id;
    // Its table ends where the next one begins.
    release.rebuilt(|toml| {
        let (before, rest) = toml.split_once("\n[[stickers]]").unwrap();
        let (_, after) = rest.split_once("\n[[stickers]]").unwrap();
        format!("{before}\n[[stickers]]{after}")
    });
    let second = release.manifest();
    assert!(second.stickers.iter().all(|sticker| sticker.id != left_out));
    assert_eq!(designer.publishes(&release.path()).code, 0);
    let resolves = || {
        let phone = Phone::of(&store);
        for sticker in &first.stickers {
            let path = format!("{}/{}.sticker", first.densities.last().unwrap(), sticker.id);
            let answer = phone.gets(&format!("/dl/{}.sticker?density=640", sticker.id)).expect(200);
            let of = if sticker.id == left_out { &first } else { &second };
            let file = of.files.iter().find(|file| file.path.as_str() == path).unwrap();
            assert_eq!(answer.header("etag"), format!("\"{}\"", file.sha256));
        }
    };
    resolves();
    let down = store.operator().runs(&["admin", "packs", "takedown", "leaves", "--reason", "a test"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    resolves();
    // Nor does what the first release alone names go.
    let gone = store.operator().runs(&["admin", "objects", "gc", "--grace", "0"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    resolves();
}

#[test]
fn what_is_made_on_demand_is_not_missing_for_the_next_release() {
    let settings = [("STICKER_STORE__DELIVERY__VARIANTS", "on-demand")];
    on_each_place(&settings, |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("on-demand");
        assert_eq!(designer.publishes(&release.path()).code, 0);
        let moved = store.operator().runs(&["admin", "migrate-variants", "--to", "on-demand"]);
        assert_eq!(moved.code, 0, "{}", moved.stderr);
        let absent = |files: &[String]| {
            let there = crate::release::objects(store, bucket);
            files.iter().filter(|name| !there.contains(name)).count()
        };
        let first = release.manifest();
        assert!(absent(&keys(&first)) > 0);
        release.rebuilt(|toml| toml.replace("The on-demand pack", "The pack on demand"));
        let second = release.manifest();
        let new: Vec<String> =
            keys(&second).into_iter().filter(|name| !keys(&first).contains(name)).collect();
        let state = release.is_begun(&designer);
        let missing: Vec<String> = state["missing"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| key(it.as_str().unwrap().parse().unwrap()))
            .collect();
        assert_eq!(missing, new, "only the bundles, which hold the title");
        let (code, told) = designer.publishes_telling(&release.path());
        assert_eq!((code, told["uploaded"].as_u64()), (0, Some(new.len() as u64)), "{told}");
        let verified = store.operator().runs(&["admin", "objects", "verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        for sticker in &second.stickers {
            let path = format!("/dl/{}.sticker?density=640", sticker.id);
            let _ = Phone::of(store).gets(&path).expect(200);
        }
    });
}
