//! Refunds and takedowns, from the operator's command to the chat server that refuses.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use std::path::Path;

use serde_json::{Value, json};
use sticker_protocol::token::{DenyList, RevocationPage, UntrustedToken};
use sticker_tests::{ChatUser, Database, Finished, Phone, Town, on_each_database, until};

/// Pays with test money and gives the order's id.
fn buys(town: &Town, user: &ChatUser) -> String {
    user.buys(town.pack())["id"].as_str().unwrap().to_owned()
}

fn runs(town: &Town, arguments: &[&str]) -> Finished {
    town.store.operator().runs(arguments)
}

fn verdict(town: &Town, token: &str, user: &str) -> Value {
    town.chat.checks(token, town.sticker(0), user)
}

/// Whether a chat server that knows this page alone refuses the token.
fn refused_by(page: &RevocationPage, token: &str) -> bool {
    let mut denied = DenyList::new();
    page.revocations.iter().for_each(|entry| denied.apply(entry));
    let claims = UntrustedToken::parse(token).unwrap().untrusted_claims().unwrap();
    denied.refuses(claims.user.as_bytes(), claims.sticker, claims.expires)
}

fn page(answer: &sticker_tests::Answer) -> RevocationPage {
    RevocationPage::parse(&answer.body).unwrap()
}

#[test]
fn a_refunded_pack_is_refused_by_whoever_waits_for_the_feed_and_by_the_store_and_counts_again_once_bought_again()
 {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let (alice, bob) = (town.chat.opens_store_for("alice"), town.chat.opens_store_for("bob"));
        let order = buys(&town, &alice);
        let others = buys(&town, &bob);
        let (token, of_bob) = (alice.token_for(town.sticker(0)), bob.token_for(town.sticker(0)));
        assert_eq!(verdict(&town, &token, "alice")["accepted"], true);

        let listed = runs(&town, &["admin", "orders", "list", "--user", "alice"]);
        assert!(listed.stdout.contains(&order) && listed.stdout.contains("granted"), "{listed:?}");
        assert!(!listed.stdout.contains(&others), "{listed:?}");

        let refund = ["admin", "orders", "refund", &order, "--reason", "asked for it"];
        let (heard, refunded) = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| town.chat.gets("/v1/revocations?after=0&wait=30").expect(200));
            let refunded = runs(&town, &refund);
            (page(&waiting.join().unwrap()), refunded)
        });
        assert_eq!(refunded.code, 0, "{refunded:?}");
        assert!(refunded.stdout.contains("revoked"), "{refunded:?}");
        assert!(refused_by(&heard, &token) && !refused_by(&heard, &of_bob), "{heard:?}");
        until("the store refuses", || verdict(&town, &token, "alice")["code"] == "revoked");
        assert_eq!(verdict(&town, &of_bob, "bob")["accepted"], true);
        let wanted = json!({ "sticker_ids": [town.sticker(0)] });
        assert_eq!(alice.posts("/v1/tokens", &wanted).expect(403).error_code(), "not_owned");
        assert_eq!(alice.gets("/v1/library").expect(200).json()["packs"], json!([]));
        assert_eq!(runs(&town, &refund).stdout, refunded.stdout, "the second time gives the first answer");

        buys(&town, &alice);
        let again = alice.token_for(town.sticker(0));
        assert_eq!(verdict(&town, &again, "alice")["accepted"], true);
        assert_eq!(verdict(&town, &token, "alice")["code"], "revoked");
        let all = town.chat.gets("/v1/revocations").expect(200);
        assert!(refused_by(&page(&all), &token) && !refused_by(&page(&all), &again));
        let known = [("if-none-match", all.header("etag"))];
        assert_eq!(town.chat.gets_with("/v1/revocations", &known).status, 304);
    });
}

#[test]
fn what_was_taken_back_is_refused_from_the_first_check_after_a_crash() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let alice = town.chat.opens_store_for("alice");
        let order = buys(&town, &alice);
        let token = alice.token_for(town.sticker(0));
        let refunded = runs(&town, &["admin", "orders", "refund", &order, "--reason", "asked for it"]);
        assert_eq!(refunded.code, 0, "{refunded:?}");
        let sticker = town.sticker(0);
        let Town { store, chat, .. } = town;
        let _store = store.crash_and_restart();
        assert_eq!(chat.checks(&token, sticker, "alice")["code"], "revoked");
    });
}

#[test]
fn a_store_that_was_restored_from_a_backup_has_what_was_issued_since_refused_by_a_chat_server_that_was_ahead()
{
    let mut town = Town::with_pack(Database::Sqlite, "tier1");
    let (data, backup) = (town.store.data().to_owned(), tempfile::tempdir().unwrap());
    let (alice, bob) = (town.chat.opens_store_for("alice"), town.chat.opens_store_for("bob"));
    let (order, others) = (buys(&town, &alice), buys(&town, &bob));
    town.store.is_away_while(|| copies_database(&data, backup.path()));
    let issued = alice.token_for(town.sticker(0));
    bob.token_for(town.sticker(0));
    let refund = ["admin", "orders", "refund", &others, "--reason", "asked for it"];
    assert_eq!(runs(&town, &refund).code, 0);
    let ahead = page(&town.chat.gets("/v1/revocations").expect(200)).cursor;
    assert_eq!(ahead, 1);

    town.store.is_away_while(|| copies_database(backup.path(), &data));
    let restored = runs(&town, &["admin", "restored", "--reason", "the disk broke"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(restored.stdout.contains("the deny feed from cursor 1000000000\n"), "{restored:?}");
    let refund = ["admin", "orders", "refund", &order, "--reason", "asked for it"];
    assert_eq!(runs(&town, &refund).code, 0);
    let news = page(&town.chat.gets(&format!("/v1/revocations?after={ahead}&wait=5")).expect(200));
    assert!(refused_by(&news, &issued), "{news:?}");
    until("the store refuses", || verdict(&town, &issued, "alice")["code"] == "revoked");
    assert_eq!(runs(&town, &["admin", "restored", "--reason", " "]).code, 1);
    assert_eq!(runs(&town, &["admin", "restored"]).code, 2);
}

/// Puts the database of one folder in the place of the other's: its file, and the log in which the latest changes are.
fn copies_database(from: &Path, to: &Path) {
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _there_or_not = std::fs::remove_file(to.join(name));
    }
    for name in ["store.sqlite", "store.sqlite-wal"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_refund_that_makes_no_sense_says_so_and_changes_nothing() {
    let town = Town::with_pack(Database::Sqlite, "tier1");
    let alice = town.chat.opens_store_for("alice");
    let unpaid = alice.orders(town.pack(), "sandbox").expect(201).json()["id"].as_str().unwrap().to_owned();
    let paid = buys(&town, &alice);
    for (order, reason, code) in [
        (unpaid.as_str(), "x", "not_granted"),
        ("nothing", "x", "not_found"),
        (paid.as_str(), " ", "invalid_reason"),
    ] {
        let refused = runs(&town, &["admin", "orders", "refund", order, "--reason", reason]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(&format!("error[{code}]")), "{refused:?}");
        assert!(refused.stderr.contains("hint: "), "{refused:?}");
    }
    assert_eq!(runs(&town, &["admin", "orders", "refund", &paid]).code, 2);
    assert_eq!(runs(&town, &["admin", "orders", "list"]).code, 2);
    assert_eq!(runs(&town, &["admin", "orders", "list", "--user-hex", "xyz"]).code, 2);
    assert_eq!(alice.gets("/v1/library").expect(200).json()["packs"][0]["pack_id"], town.pack());
}

#[test]
fn a_pack_that_is_taken_down_is_gone_for_everybody_but_stays_its_owners() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let alice = town.chat.opens_store_for("alice");
        buys(&town, &alice);
        let token = alice.token_for(town.sticker(0));
        let bob = town.chat.opens_store_for("bob");
        let unpaid = bob.orders(town.pack(), "sandbox").expect(201).json()["id"].as_str().unwrap().to_owned();

        let down = runs(&town, &["admin", "packs", "takedown", "journey", "--reason", "a claim"]);
        assert_eq!(down.code, 0, "{down:?}");
        assert!(runs(&town, &["admin", "packs", "list"]).stdout.contains("taken down"));
        until("the store refuses", || verdict(&town, &token, "alice")["code"] == "revoked");
        let wanted = json!({ "pack_id": town.pack() });
        assert_eq!(alice.posts("/v1/tokens", &wanted).expect(403).error_code(), "taken_down");
        for path in ["/", "/search?q=journey", "/library"] {
            assert!(!alice.gets(path).expect(200).text().contains("/packs/journey"), "{path}");
        }
        assert!(alice.gets("/library").expect(200).text().contains("The journey pack"));
        let _gone = (alice.gets("/packs/journey").expect(404), alice.gets("/artists/tester").expect(404));
        let order = bob.orders(town.pack(), "sandbox").expect(422);
        assert_eq!(order.error_code(), "taken_down");
        // Back to the order, which has no till any more.
        let order = bob.submits(&format!("/orders/{unpaid}/pay"), "", &[]).expect(303);
        assert!(!bob.gets(order.header("location")).expect(200).text().contains("/pay"));
        let library = alice.gets("/v1/library").expect(200).json();
        assert_eq!(library["packs"][0]["taken_down"], true, "{library}");
        let _sent = Phone::of(&town.store).gets(&format!("/dl/{}.sticker", town.sticker(0))).expect(200);

        let pack = town.pack().to_string();
        let back = runs(&town, &["admin", "packs", "reinstate", &pack, "--reason", "withdrawn"]);
        assert_eq!(back.code, 0, "{back:?}");
        let again = alice.token_for(town.sticker(0));
        assert_eq!(verdict(&town, &again, "alice")["accepted"], true);
        assert_eq!(verdict(&town, &token, "alice")["code"], "revoked");
        let _page = alice.gets("/packs/journey").expect(200);
        let unknown = runs(&town, &["admin", "packs", "takedown", "nothing", "--reason", "x"]);
        assert_eq!((unknown.code, unknown.stderr.contains("error[not_found]")), (1, true), "{unknown:?}");
    });
}
