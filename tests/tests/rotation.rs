//! Token keys change under load, and nobody who paid notices.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use sticker_protocol::token::UntrustedToken;
use sticker_tests::{ChatServer, ChatUser, Database, Town, on_each_database, until};

/// Tokens live for 8 s and keys travel for 2 s, so that a whole rotation fits into a test.
const FAST: [(&str, &str); 2] =
    [("STICKER_STORE__TOKEN__LIFETIME_SECONDS", "8"), ("STICKER_STORE__TOKEN__PROPAGATION_SECONDS", "2")];

#[test]
fn a_whole_rotation_under_load_refuses_no_valid_token() {
    on_each_database(|database| {
        let town = Town::with_settings(database, "free", &FAST);
        let second = town.store.one_more();
        let chats = [town.chat.clone(), town.chat.at(&second)];
        let buyers = ["alice", "bob"].map(|name| (name, town.chat.opens_store_for(name)));
        for (_, buyer) in &buyers {
            assert_eq!(buyer.orders(town.pack(), "free").status, 201);
        }
        // Each buyer asks both processes.
        let buyers = buyers.map(|(name, buyer)| (name, [buyer.at(&town.store), buyer.at(&second)]));

        let (stop, checked) = (AtomicBool::new(false), Mutex::new(BTreeMap::<u16, u32>::new()));
        std::thread::scope(|threads| {
            let _end = Raise(&stop);
            for (name, buyer) in &buyers {
                let (chats, stop, checked, town) = (&chats, &stop, &checked, &town);
                threads.spawn(move || {
                    let mut round = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let sticker = town.sticker(round % 3);
                        check_one(&buyer[round % 2], chats, name, sticker, checked);
                        round += 1;
                    }
                });
            }
            rotate(&town, &checked);
        });
        let checked = checked.into_inner().unwrap();
        assert!(checked[&1] > 0 && checked[&2] > 0, "{checked:?}");
        assert!(!checked.contains_key(&0), "{checked:?}");
    });
}

/// Ends the load even where the rotation fails.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn check_one(
    buyer: &ChatUser,
    chats: &[ChatServer; 2],
    name: &str,
    sticker: u64,
    checked: &Mutex<BTreeMap<u16, u32>>,
) {
    let token = buyer.token_for(sticker);
    let key = UntrustedToken::parse(&token).unwrap().key_id().0;
    for chat in chats {
        let answer = chat.checks(&token, sticker, name);
        assert_eq!(answer["accepted"], true, "key {key}: {answer}");
    }
    *checked.lock().unwrap().entry(key).or_default() += 1;
}

fn rotate(town: &Town, checked: &Mutex<BTreeMap<u16, u32>>) {
    let operator = town.store.operator();
    let keys = |arguments: &[&str]| operator.runs(&[&["keys"], arguments].concat());
    let done = |arguments: &[&str]| {
        let finished = keys(arguments);
        assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
    };
    let refused = |arguments: &[&str], code: &str| {
        let finished = keys(arguments);
        assert_eq!(finished.code, 1, "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.starts_with(&format!("error[{code}]: ")), "{}", finished.stderr);
        assert!(finished.stderr.contains("hint: "), "{}", finished.stderr);
    };
    until("the first key signs", || checked.lock().unwrap().contains_key(&1));
    done(&["add"]);
    refused(&["sign-with", "2"], "wrong_state");
    refused(&["add", "--id", "1"], "id_taken");
    done(&["publish", "2"]);
    refused(&["sign-with", "2"], "not_everywhere");
    refused(&["destroy", "1"], "key_signs");
    until("the second key is everywhere", || keys(&["sign-with", "2"]).code == 0);
    until("the second key signs", || checked.lock().unwrap().contains_key(&2));
    done(&["retire", "1"]);
    refused(&["retire", "2"], "key_signs");
    refused(&["destroy", "1"], "tokens_live");
    refused(&["destroy", "9"], "no_such_key");
    until("the last token of the first key has expired", || keys(&["destroy", "1"]).code == 0);
    refused(&["add", "--id", "1"], "id_taken");

    let listed = serde_json::from_str::<serde_json::Value>(&keys(&["list", "--json"]).stdout).unwrap();
    let states: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
    assert_eq!(json!(states), json!(["destroyed", "signing"]));
}

#[test]
fn a_client_that_must_not_mint_gets_public_keys_alone_and_checks_version_2() {
    let town = Town::with_settings(Database::Sqlite, "free", &FAST);
    let alice = town.chat.opens_store_for("alice");
    assert_eq!(alice.orders(town.pack(), "free").status, 201);
    let wanted = json!({ "sticker_ids": [town.sticker(0)], "version": 2 });
    assert_eq!(alice.posts("/v1/tokens", &wanted).expect(422).error_code(), "version_unavailable");

    let operator = town.store.operator();
    for step in [
        &["keys", "add", "--algorithm", "ed25519"][..],
        &["keys", "publish", "2"],
        &["keys", "sign-with", "2", "--without-waiting"],
    ] {
        assert_eq!(operator.runs(step).code, 0, "{step:?}");
    }
    let stranger = operator.admits_chat_server_of_others("stranger");
    until("the store signs version 2", || alice.posts("/v1/tokens", &wanted).status == 200);
    let token = alice.posts("/v1/tokens", &wanted).expect(200).json()["tokens"][0]["token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(stranger.checks(token, town.sticker(0), "alice")["accepted"], true);
    assert_eq!(stranger.checks(token, town.sticker(0), "mallory")["code"], "wrong_user");

    let ring = stranger.gets("/v1/keyring").expect(200);
    let keys = ring.json()["keys"].clone();
    assert_eq!((keys.as_array().unwrap().len(), &keys[0]["id"]), (1, &json!(2)), "{keys}");
    assert!(!ring.text().contains("secret"), "{}", ring.text());
    let trusted = town.chat.gets("/v1/keyring").expect(200).json()["keys"].clone();
    assert_eq!(trusted.as_array().unwrap().len(), 2);
    assert!(trusted[0]["secret"].is_string() && trusted[1].get("secret").is_none(), "{trusted}");
}
