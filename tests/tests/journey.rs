//! The whole way: artwork, release, store, order, token, chat server, phone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use std::collections::BTreeMap;

use serde_json::json;
use sticker_protocol::bundle::Bundle;
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{ImageFormat, Sha256};
use sticker_tests::{ChatUser, Database, Phone, Town, on_each_database, run, store_program};

#[test]
fn from_artwork_to_a_token_that_counts_for_its_owner_alone_and_a_sticker_on_a_phone() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "free");
        let alice = town.chat.opens_store_for("alice");
        assert!(alice.gets("/").expect(200).text().contains("/packs/journey"));
        assert!(alice.gets("/packs/journey").expect(200).text().contains("The journey pack"));
        assert_eq!(alice.gets("/v1/library").expect(200).json()["packs"], json!([]));

        let order = alice.orders(town.pack(), "free").expect(201).json();
        assert_eq!(order["state"], "granted", "{order}");
        let library = alice.gets("/v1/library").expect(200).json();
        assert_eq!(library["packs"][0]["pack_id"], town.pack(), "{library}");

        let (sticker, other) = (town.sticker(0), town.sticker(1));
        let token = alice.token_for(sticker);
        assert_eq!(town.chat.checks(&token, sticker, "alice")["accepted"], true);
        assert_eq!(town.chat.checks(&token, sticker, "mallory")["code"], "wrong_user");
        assert_eq!(town.chat.checks(&token, other, "alice")["code"], "wrong_sticker");
        for changed in one_character_changed(&token) {
            assert_eq!(town.chat.checks(&changed, sticker, "alice")["accepted"], false, "{changed}");
        }
        a_chat_server_with_the_keys_agrees_and_refuses_after_expiry(&town, &token, sticker);
        a_phone_gets_the_density_of_its_screen(&town);
    });
}

fn a_chat_server_with_the_keys_agrees_and_refuses_after_expiry(town: &Town, token: &str, sticker: u64) {
    let outcome = |user: &str, at: u64| {
        let mut command = store_program();
        command
            .args(["token", "verify", "--keys"])
            .arg(town.keys())
            .args(["--sticker", &sticker.to_string()]);
        let finished = run(command.args(["--user", user, "--at", &at.to_string(), token]));
        (finished.code, finished.stdout.trim().to_owned())
    };
    let expiry = u64::from(u32::from_be_bytes(decoded(token)[3..7].try_into().unwrap()));
    assert_eq!(outcome("alice", expiry - 1), (0, "ok".to_owned()));
    assert_eq!(outcome("mallory", expiry - 1), (1, "wrong_user".to_owned()));
    assert_eq!(outcome("alice", expiry), (1, "expired".to_owned()));
}

/// The bytes of a token, by the alphabet of base64url.
fn decoded(token: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let values: Vec<u32> =
        token.chars().map(|letter| u32::try_from(ALPHABET.find(letter).unwrap()).unwrap()).collect();
    let groups = values.chunks_exact(4).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, value| bits << 6 | value);
        bits.to_be_bytes()[1..].to_vec()
    });
    groups.collect()
}

fn one_character_changed(token: &str) -> impl Iterator<Item = String> {
    (0..token.len()).step_by(5).map(|at| {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    })
}

fn a_phone_gets_the_density_of_its_screen(town: &Town) {
    let phone = Phone::of(&town.store);
    let hashes: BTreeMap<&str, Sha256> =
        town.release.files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
    let (png, webp) = (ImageFormat::Png, ImageFormat::WebP);
    for (wanted, built, format) in
        [(100, 120, png), (160, 160, png), (200, 240, webp), (320, 320, webp), (1000, 640, webp)]
    {
        for at in 0..3 {
            let sticker = town.sticker(at);
            let answer = phone.gets(&format!("/dl/{sticker}.sticker?density={wanted}")).expect(200);
            let file = StickerFile::read(&answer.body).unwrap();
            let metadata = file.metadata();
            assert_eq!((metadata.density.get(), metadata.format), (built, format), "density {wanted}");
            assert_eq!(metadata.width, metadata.density.px(128));
            assert_eq!(Sha256::of(&answer.body), hashes[format!("{built}/{sticker}.sticker").as_str()]);
        }
        let bundle = phone.gets(&format!("/dl/{}.zip?density={wanted}", town.pack())).expect(200);
        assert_eq!(Sha256::of(&bundle.body), hashes[format!("{built}/{}.zip", town.pack()).as_str()]);
        assert_eq!(Bundle::read(&bundle.body).unwrap().stickers().len(), 3);
    }
}

#[test]
fn a_paid_pack_is_granted_by_a_sandbox_purchase_exactly_once() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let (alice, mallory) = (town.chat.opens_store_for("alice"), town.chat.opens_store_for("mallory"));
        assert_eq!(alice.orders(town.pack(), "free").expect(422).error_code(), "not_free");

        let receipts = ChatUser::receipts_of(&alice.orders(town.pack(), "sandbox").expect(201).json());
        let wanted = json!({ "sticker_ids": [town.sticker(0)] });
        assert_eq!(alice.posts("/v1/tokens", &wanted).expect(403).error_code(), "not_owned");

        let receipt = json!({ "transaction": "t-1" });
        let first = alice.posts(&receipts, &receipt).expect(200).json();
        assert_eq!(first["state"], "granted", "{first}");
        assert_eq!(alice.posts(&receipts, &receipt).expect(200).json(), first);
        let token = alice.token_for(town.sticker(0));
        assert_eq!(town.chat.checks(&token, town.sticker(0), "alice")["accepted"], true);

        let stolen = ChatUser::receipts_of(&mallory.orders(town.pack(), "sandbox").expect(201).json());
        assert_eq!(mallory.posts(&stolen, &receipt).expect(409).error_code(), "transaction_taken");
        assert_eq!(mallory.posts(&receipts, &receipt).expect(404).error_code(), "not_found");
        assert_eq!(mallory.posts("/v1/tokens", &wanted).expect(403).error_code(), "not_owned");
    });
}

#[test]
fn publishing_the_same_release_twice_is_one_release() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "free");
        let again = town.designer.publishes(&town.release_folder());
        assert_eq!(again.code, 0, "{}", again.stderr);
        let known =
            town.designer.sends("POST", "/v1/releases", town.release.write().unwrap()).expect(200).json();
        assert_eq!((&known["release"]["state"], &known["missing"]), (&json!("published"), &json!([])));
        let home: ChatUser = town.chat.opens_store_for("alice");
        assert_eq!(home.gets("/").expect(200).text().matches("href=\"/packs/journey\"").count(), 1);
    });
}

#[test]
fn another_studio_cannot_take_over_a_pack() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let other = town.store.operator().admits_designer("another studio");
    let mut changed = town.release.clone();
    changed.titles.insert("en".to_owned(), "Taken over".to_owned());
    let answer = other.sends("POST", "/v1/releases", changed.write().unwrap());
    assert!(matches!(answer.status.as_u16(), 403 | 409 | 422), "{} {}", answer.status, answer.text());
    let page = town.chat.opens_store_for("alice").gets("/packs/journey").expect(200).text();
    assert!(page.contains("The journey pack") && !page.contains("Taken over"));
}

#[test]
fn what_was_acknowledged_is_still_there_after_a_crash() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let (pack, sticker) = (town.pack(), town.sticker(0));
    let Town { store, chat, .. } = town;
    let alice = chat.opens_store_for("alice");
    assert_eq!(alice.orders(pack, "free").expect(201).json()["state"], "granted");
    let token = alice.token_for(sticker);

    let store = store.crash_and_restart();
    assert_eq!(chat.checks(&token, sticker, "alice")["accepted"], true);
    assert_eq!(alice.gets("/v1/library").expect(200).json()["packs"][0]["pack_id"], pack);
    let sent = Phone::of(&store).gets(&format!("/dl/{sticker}.sticker")).expect(200);
    assert!(StickerFile::read(&sent.body).is_ok());
    assert_eq!(store.stop(), 0);
}
