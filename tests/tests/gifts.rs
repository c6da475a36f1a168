//! Gifts, promotions and shared packs through the running program: what a user does over HTTP, and an operator on the command line.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use serde_json::{Value, json};
use sticker_tests::{ChatUser, Database, Finished, Town, on_each_database};

fn gives(giver: &ChatUser, pack: u64, gift: &str) -> Value {
    let wish = json!({ "pack_id": pack, "provider": "sandbox", "gift": gift });
    let order = giver.posts("/v1/orders", &wish).expect(201).json();
    let receipt = json!({ "transaction": format!("t-{}", order["id"].as_str().unwrap()) });
    giver.posts(&ChatUser::receipts_of(&order), &receipt).expect(200).json()
}

fn redeems(user: &ChatUser, code: &Value) -> sticker_tests::Answer {
    user.posts("/v1/codes", &json!({ "code": code }))
}

fn owns(user: &ChatUser) -> bool {
    user.gets("/v1/library").expect(200).json()["packs"] != json!([])
}

/// Runs a command that has to succeed, and gives what it says.
fn said(town: &Town, arguments: &[&str]) -> String {
    let Finished { code, stdout, stderr } = town.store.operator().runs(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

/// Runs a command that is refused, and gives its code.
fn refused(town: &Town, arguments: &[&str]) -> String {
    let Finished { code, stderr, .. } = town.store.operator().runs(arguments);
    assert_eq!(code, 1, "{arguments:?}: {stderr}");
    stderr.split(['[', ']']).nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_gift_outlives_a_crash_and_a_refund_takes_it_with_its_tokens() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let (pack, sticker) = (town.pack(), town.sticker(0));
        let alice = town.chat.opens_store_for("alice");
        let given = gives(&alice, pack, "code");
        let (order, code) = (given["id"].as_str().unwrap().to_owned(), given["gift"]["code"].clone());
        let Town { store, chat, .. } = town;
        let store = store.crash_and_restart();
        let (alice, bob) = (alice.at(&store), chat.opens_store_for("bob"));
        let shown = alice.gets(&format!("/v1/orders/{order}")).expect(200).json();
        assert_eq!(shown["gift"]["code"], code, "{shown}");
        assert_eq!(redeems(&bob, &code).expect(200).json()["pack_id"], pack);
        let token = bob.token_for(sticker);
        assert_eq!(chat.checks(&token, sticker, "bob")["accepted"], true);
        let show = store.operator().runs(&["admin", "orders", "show", &order]);
        assert_eq!(show.code, 0, "{}", show.stderr);
        for line in ["user       alice", "recipient  bob", "code       redeemed", "right      bob", "trace "]
        {
            assert!(show.stdout.contains(line), "{line}: {}", show.stdout);
        }
        assert!(!show.stdout.contains(code.as_str().unwrap()), "{}", show.stdout);
        let refund = store.operator().runs(&["admin", "orders", "refund", &order, "--reason", "asked for"]);
        assert_eq!(refund.code, 0, "{}", refund.stderr);
        assert!(!owns(&bob));
        sticker_tests::until("the token is refused", || {
            chat.checks(&token, sticker, "bob")["code"] == "revoked"
        });
    });
}

#[test]
fn an_operator_gives_away_a_number_of_packs_and_ends_it() {
    on_each_database(|database| {
        let town = Town::with_pack(database, "tier1");
        let name = |name: &str| town.chat.opens_store_for(name);
        let add = |more: &[&str]| {
            let fixed = ["admin", "promotions", "add", "--pack", "journey", "--until", "2999-01-01"];
            said(&town, &[&fixed[..], more].concat())
        };
        let codes = add(&["--name", "fair", "--codes", "2"]);
        let codes: Vec<Value> = codes.lines().skip(2).map(|code| json!(code)).collect();
        assert_eq!(codes.len(), 2, "{codes:?}");
        assert_eq!(redeems(&name("alice"), &codes[0]).expect(200).json()["kind"], "promotion");
        assert_eq!(redeems(&name("bob"), &codes[0]).expect(409).error_code(), "code_used");
        add(&["--name", "word", "--code", "Journey-2026", "--at-most", "1"]);
        assert_eq!(redeems(&name("bob"), &json!("journey2026")).expect(200).json()["pack_id"], town.pack());
        assert_eq!(
            redeems(&name("carol"), &json!("journey2026")).expect(409).error_code(),
            "promotion_used_up"
        );
        add(&["--name", "event", "--at-most", "10"]);
        let page = name("carol").gets("/packs/journey").expect(200).text();
        assert!(page.contains("Get it as a present"), "{page}");
        let order = name("carol").orders(town.pack(), "promotion").expect(201).json();
        assert_eq!(order["state"], "granted", "{order}");
        let listed = said(&town, &["admin", "promotions", "list"]);
        for line in ["fair  running", "1 of 2 given", "1 of 1 given", "1 of 10 given", "for everybody"] {
            assert!(listed.contains(line), "{line}: {listed}");
        }
        assert!(said(&town, &["admin", "promotions", "end", "event"]).contains("event  ended"));
        assert_eq!(name("dora").orders(town.pack(), "promotion").expect(409).error_code(), "promotion_over");
        let again = [
            "admin",
            "promotions",
            "add",
            "--pack",
            "journey",
            "--until",
            "2999-01-01",
            "--name",
            "fair",
            "--codes",
            "1",
        ];
        assert_eq!(refused(&town, &again), "promotion_exists");
        assert_eq!(refused(&town, &["admin", "promotions", "end", "none"]), "not_found");
    });
}

#[test]
fn an_operator_gives_takes_and_shares_by_hand_and_sees_what_is_stuck() {
    let town = Town::with_pack(Database::Sqlite, "tier1");
    let alice = town.chat.opens_store_for("alice");
    let by_hand = |verb: &str| {
        said(
            &town,
            &["admin", "grants", verb, "--user", "alice", "--pack", "journey", "--reason", "an apology"],
        )
    };
    assert!(by_hand("give").contains("manual"));
    assert!(owns(&alice));
    let of_alice = said(&town, &["admin", "grants", "list", "--user", "alice"]);
    assert!(of_alice.contains(&format!("pack {}", town.pack())), "{of_alice}");
    assert!(by_hand("revoke").contains("ordered by alice"));
    assert!(!owns(&alice));
    assert_eq!(said(&town, &["admin", "grants", "list", "--user", "alice"]), "");
    assert!(said(&town, &["admin", "packs", "share", "journey", "on"]).contains("couples share it"));
    assert!(said(&town, &["admin", "packs", "list"]).contains("shared"));
    assert_eq!(said(&town, &["admin", "orders", "stuck"]), "");
    // Two orders of one pack, both paid.
    let orders = [(); 2].map(|()| alice.orders(town.pack(), "sandbox").expect(201).json());
    for (at, order) in orders.iter().enumerate() {
        let receipt = json!({ "transaction": format!("t-{at}") });
        alice.posts(&ChatUser::receipts_of(order), &receipt).expect(200).json();
    }
    let stuck = said(&town, &["admin", "orders", "stuck"]);
    assert!(stuck.contains(orders[1]["id"].as_str().unwrap()) && stuck.contains("already_owned"), "{stuck}");
    assert_eq!(refused(&town, &["admin", "orders", "show", "none"]), "not_found");
}

#[test]
fn no_gift_is_sold_where_the_operator_switched_gifts_off() {
    let off = [("STICKER_STORE__PURCHASE__GIFTS__WEB", "false")];
    let town = Town::with_settings(Database::Sqlite, "tier1", &off);
    let alice = town.chat.opens_store_for("alice");
    let wish = json!({ "pack_id": town.pack(), "provider": "sandbox", "gift": "code" });
    assert_eq!(alice.posts("/v1/orders", &wish).expect(422).error_code(), "gifts_disabled");
    assert!(!alice.gets("/packs/journey").expect(200).text().contains("Give as a gift"));
}
