//! The real program sells for a stand-in of Google Play: bought, pushed, refunded, swept, with no secret in the log.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use sticker_tests::google::{Call, Fault, PlayStore};
use sticker_tests::{ChatUser, Town, on_each_database, until};

const TOKEN: &str = "purchase-token-that-nobody-else-may-see";

#[test]
fn what_is_bought_on_google_is_owned_until_google_takes_it_back() {
    on_each_database(|database| {
        let play = PlayStore::open();
        let town = town(&play, database);
        let alice = town.chat.opens_store_for("alice");

        let order = alice.orders(town.pack(), "google").expect(201).json();
        play.sells(TOKEN, order["product_id"].as_str().unwrap(), order["id"].as_str().unwrap(), "PURCHASED");
        let receipt = json!({ "purchase_token": TOKEN });
        play.fails_next(Call::Lookup, Fault::Status(500, None));
        let away = alice.posts(&ChatUser::receipts_of(&order), &receipt).expect(503);
        assert_eq!((away.error_code().as_str(), away.header("retry-after")), ("provider_away", "5"));
        // The push comes to one process and the app to another, both twice.
        let other = town.store.one_more();
        for store in [&town.store, &other, &town.store] {
            let pushed = play.pushes(&store.url(), &PlayStore::purchased("m-1", TOKEN)).expect(200);
            assert!(["settled", "repeated"].contains(&outcome(&pushed.json())), "{pushed:?}");
            let settled = alice.at(store).posts(&ChatUser::receipts_of(&order), &receipt).expect(200).json();
            assert!(["granted", "acknowledged"].contains(&settled["state"].as_str().unwrap()), "{settled}");
        }
        assert_eq!(alice.gets("/v1/library").expect(200).json()["packs"].as_array().unwrap().len(), 1);
        alice.token_for(town.sticker(0));

        // A refund of which no push tells is found by the sweep.
        let now = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
        play.sets_time(now - 120);
        play.voids(TOKEN);
        play.sets_time(now);
        town.store.has_rows_altered("UPDATE rounds SET next_at = 0 WHERE name = 'google_sweep'");
        until("the sweep finds the refund", || {
            alice.gets("/v1/library").expect(200).json()["packs"].as_array().unwrap().is_empty()
        });
        let pushed = play.pushes(&town.store.url(), &PlayStore::voided("m-2", TOKEN)).expect(200);
        assert_eq!(outcome(&pushed.json()), "stale");

        // What goes wrong, to have it in the log.
        play.fails(Call::Token, Fault::Refusal(400, "invalid_grant"));
        play.revokes_access();
        let unheard = json!({ "purchase_token": format!("{TOKEN}.unheard") });
        let refused = alice.posts(&ChatUser::receipts_of(&order), &unheard).expect(503);
        assert_eq!(refused.error_code(), "provider_refuses");
        let forged = Some("Bearer a.forged.token-of-a-push");
        let forged = play.pushes_as(&town.store.url(), forged, Vec::new()).expect(401);
        assert_eq!(forged.error_code(), "push_token_malformed");
        let checked = town.store.operator().runs(&["check"]);
        assert!(checked.stdout.contains("google: ok"), "{checked:?}");
        let log = format!("{}{}{}{}", town.store.log(), other.log(), checked.stdout, checked.stderr);
        let push_token = play.authorization();
        for secret in [TOKEN, "ya29.", "PRIVATE KEY", "forged.token", &push_token["Bearer ".len()..]] {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
        assert!(log.contains("Google refuses the service account"), "{log}");
    });
}

fn outcome(answer: &Value) -> &str {
    answer["outcome"].as_str().unwrap_or_default()
}

fn town(play: &PlayStore, database: sticker_tests::Database) -> Town {
    let settings = play.settings();
    let mut settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    settings.push(("STICKER_LOG", "trace"));
    Town::with_settings(database, "tier1", &settings)
}
