//! Chat servers in five languages, each a process of its own beside a running store.

use serde_json::{Value, json};
use sticker_tests::{Database, Operator, Town, Verifier, until};

#[test]
fn refunds_and_new_keys_reach_every_verifier_and_none_needs_the_store() {
    let town = Town::with_pack(Database::Sqlite, "tier1");
    let operator = town.store.operator();
    a_key_of_version_2_signs(&operator);
    let alice = town.chat.opens_store_for("alice");
    let order = alice.buys(town.pack());
    let (sticker, other) = (town.sticker(0), town.sticker(1));
    let wanted = |version: u8| json!({ "sticker_ids": [sticker], "version": version });
    let token = |version| {
        let answer = alice.posts("/v1/tokens", &wanted(version)).expect(200).json();
        answer["tokens"][0]["token"].as_str().unwrap().to_owned()
    };
    until("the store signs version 2", || alice.posts("/v1/tokens", &wanted(2)).status == 200);
    // Who asked for the ring before would learn of the key only when it asks again.
    let mut verifiers = Verifier::of_every_language(&town.store, &operator.admits_verifier("verify"));
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

    runs(&operator, &["admin", "orders", "refund", order["id"].as_str().unwrap(), "--reason", "asked for"]);
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

    // The keys change, and nobody restarts anything.
    for step in
        [&["keys", "add"][..], &["keys", "publish", "3"], &["keys", "sign-with", "3", "--without-waiting"]]
    {
        runs(&operator, step);
    }
    until("the store signs with the third key", || token(1) != again[0]);
    let rotated = token(1);
    for verifier in &mut verifiers {
        let what = format!("{} takes the new ring", verifier.language);
        until(&what, || verifier.checks(&rotated, sticker, "alice")["accepted"] == true);
        assert_eq!(verifier.checks(&again[0], sticker, "alice")["accepted"], true, "{}", verifier.language);
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
        runs(operator, step);
    }
}

fn runs(operator: &Operator<'_>, arguments: &[&str]) {
    let finished = operator.runs(arguments);
    assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
}
