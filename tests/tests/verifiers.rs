//! Chat servers in five languages, each a process of its own beside a running store.

use serde_json::{Value, json};
use sticker_tests::{Database, Operator, Town, Verifier, until};

/// Keys travel for 1 s only: this is about what verifiers accept, not about when keys may sign.
const FAST: [(&str, &str); 1] = [("STICKER_STORE__TOKEN__PROPAGATION_SECONDS", "1")];

#[test]
fn a_refund_reaches_every_verifier_and_a_second_purchase_is_accepted_again() {
    let town = Town::with_settings(Database::Sqlite, "tier1", &FAST);
    let operator = town.store.operator();
    a_key_of_version_2_signs(&operator);
    let mut verifiers = Verifier::of_every_language(&town.store, &operator.admits_verifier("verifiers"));

    let alice = town.chat.opens_store_for("alice");
    let order = alice.buys(town.pack());
    let (sticker, other) = (town.sticker(0), town.sticker(1));
    let wanted = |version: u8| json!({ "sticker_ids": [sticker], "version": version });
    let token = |version| {
        let answer = alice.posts("/v1/tokens", &wanted(version)).expect(200).json();
        answer["tokens"][0]["token"].as_str().unwrap().to_owned()
    };
    until("the store signs version 2", || alice.posts("/v1/tokens", &wanted(2)).status == 200);
    let tokens = [token(1), token(2)];
    for verifier in &mut verifiers {
        for token in &tokens {
            let language = verifier.language;
            assert_eq!(verifier.checks(token, sticker, "alice"), json!({ "accepted": true }), "{language}");
            assert_eq!(verifier.checks(token, sticker, "mallory"), refused("wrong_user"), "{language}");
            assert_eq!(verifier.checks(token, other, "alice"), refused("wrong_sticker"), "{language}");
            assert_eq!(verifier.checks(&token[1..], sticker, "alice")["accepted"], false, "{language}");
        }
    }

    let id = order["id"].as_str().unwrap();
    let refunded = operator.runs(&["admin", "orders", "refund", id, "--reason", "asked for"]);
    assert_eq!(refunded.code, 0, "{}", refunded.stderr);
    for verifier in &mut verifiers {
        for token in &tokens {
            let what = format!("{} refuses after the refund", verifier.language);
            until(&what, || verifier.checks(token, sticker, "alice") == refused("revoked"));
        }
    }

    alice.buys(town.pack());
    let again = [token(1), token(2)];
    for verifier in &mut verifiers {
        for (token, earlier) in again.iter().zip(&tokens) {
            assert_eq!(
                verifier.checks(token, sticker, "alice"),
                json!({ "accepted": true }),
                "{}",
                verifier.language
            );
            assert_eq!(
                verifier.checks(earlier, sticker, "alice"),
                refused("revoked"),
                "{}",
                verifier.language
            );
        }
    }

    // The store goes away: who paid is still served, and who was refunded still is not.
    assert_eq!(town.store.stop(), 0);
    for verifier in &mut verifiers {
        assert_eq!(
            verifier.checks(&again[0], sticker, "alice"),
            json!({ "accepted": true }),
            "{}",
            verifier.language
        );
        assert_eq!(
            verifier.checks(&tokens[0], sticker, "alice"),
            refused("revoked"),
            "{}",
            verifier.language
        );
    }
}

fn refused(code: &str) -> Value {
    json!({ "accepted": false, "code": code })
}

fn a_key_of_version_2_signs(operator: &Operator<'_>) {
    for step in [
        &["keys", "add", "--algorithm", "ed25519"][..],
        &["keys", "publish", "2"],
        &["keys", "sign-with", "2", "--without-waiting"],
    ] {
        let finished = operator.runs(step);
        assert_eq!(finished.code, 0, "{step:?}: {}", finished.stderr);
    }
}
