//! A sidecar beside a chat server: it says what the store says, also while the store is away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use sticker_tests::{Database, Sidecar, Town, run, until};

const FAILED_RELOADS: &str = "sticker_store_keyring_reload_failures_total";

/// A check for each result that does not depend on time.
fn checks(town: &Town, token: &str) -> Value {
    let sticker = town.sticker(0);
    // Somewhere in the signature, which is the second half.
    let altered =
        format!("{}{}{}", &token[..50], if &token[50..=50] == "A" { "B" } else { "A" }, &token[51..]);
    let check = |token: &str, sticker: u64, user: &str| json!({ "token": token, "sticker_id": sticker, "user": user });
    json!({ "checks": [
        check(token, sticker, "alice"),
        check(token, sticker, "bob"),
        check(token, sticker + 1, "alice"),
        check(&token.replacen("AQAB", "AQAC", 1), sticker, "alice"),
        check(&altered, sticker, "alice"),
        check("x", sticker, "alice"),
        check(token, 0, "alice"),
        { "token": 7 },
    ] })
}

#[test]
fn a_sidecar_says_what_the_store_says_also_while_the_store_is_away() {
    let mut town = Town::with_pack(Database::Sqlite, "tier1");
    let alice = town.chat.opens_store_for("alice");
    let order = alice.buys(town.pack());
    let (sticker, token) = (town.sticker(0), alice.token_for(town.sticker(0)));
    let secret = town.store.operator().admits_verifier("verify");
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let with_state = ["--state", state.to_str().unwrap()];
    let sidecar = Sidecar::of_store(&town.store.url(), &secret, &with_state);
    until("the sidecar knows keys and feed", || sidecar.is_ready());

    let checks = checks(&town, &token);
    let of_store = town.chat.posts("/v1/tokens/verify", &checks).expect(200);
    let codes: Vec<_> =
        of_store.json()["results"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes[..4], [json!(null), json!("wrong_user"), json!("wrong_sticker"), json!("unknown_key")]);
    assert_eq!(
        codes[4..],
        [json!("bad_signature"), json!("malformed"), json!("invalid_check"), json!("invalid_check")]
    );
    assert_eq!(sidecar.posts(&checks).expect(200).text(), of_store.text());
    let broken = json!({ "cheques": [] });
    let refused = town.chat.posts("/v1/tokens/verify", &broken).expect(422);
    assert_eq!(sidecar.posts(&broken).expect(422).error_code(), refused.error_code());

    let secret_of_state = fs::metadata(&state).unwrap().permissions().mode() & 0o777;
    assert_eq!(secret_of_state, 0o600);
    let url = town.store.url();
    town.store.is_away_while(|| {
        until("the sidecar notices", || {
            sidecar.readiness().json()["revocations"]["problem"] == "unreachable"
        });
        assert_eq!(sidecar.posts(&checks).expect(200).text(), of_store.text());
        assert!(sidecar.is_ready());
        let restarted = Sidecar::of_store(&url, &secret, &with_state);
        assert_eq!(restarted.posts(&checks).expect(200).text(), of_store.text());
        let forgetful = Sidecar::of_store(&url, &secret, &[]);
        assert_eq!(forgetful.posts(&checks).expect(503).error_code(), "not_ready");
        assert_eq!(forgetful.readiness().status, 503);
    });
    until("the sidecar goes on with the feed", || {
        sidecar.readiness().json()["revocations"]["problem"].is_null()
    });
    let refunded = town.store.operator().runs(&[
        "admin",
        "orders",
        "refund",
        order["id"].as_str().unwrap(),
        "--reason",
        "test",
    ]);
    assert_eq!(refunded.code, 0, "{}", refunded.stderr);
    until("the refund reaches the sidecar", || sidecar.checks(&token, sticker, "alice")["code"] == "revoked");
    assert!(sidecar.metric("sticker_store_deny_entries") >= 1.0);
    let readiness = sidecar.readiness().expect(200).json();
    assert!(readiness["keyring"]["age_seconds"].is_u64() && readiness["revocations"]["age_seconds"].is_u64());
    assert_eq!(readiness["keyring"]["key_ids"], json!([1]), "{readiness}");
}

#[test]
fn a_secret_that_the_store_refuses_is_told_and_nobody_is_refused_for_it() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let designer = town.store.operator().admits_verifier("publish");
    for secret in ["sk_of_nobody", designer.as_str()] {
        let sidecar = Sidecar::of_store(&town.store.url(), secret, &[]);
        until("the sidecar is refused", || {
            sidecar.readiness().json()["keyring"]["problem"] == "secret_refused"
        });
        assert_eq!(sidecar.readiness().status, 503);
        assert_eq!(sidecar.posts(&json!({ "checks": [] })).expect(503).error_code(), "not_ready");
        assert!(sidecar.log().contains("STICKER_STORE_SECRET"), "{}", sidecar.log());
        assert!(!sidecar.log().contains(secret), "the secret is in the log");
    }
    let without = run(&mut Sidecar::command(&["--store", &town.store.url()], None));
    assert_eq!((without.code, without.stderr.contains("secret_missing")), (1, true), "{}", without.stderr);
}

#[test]
fn a_changed_key_file_is_taken_and_a_bad_one_leaves_the_keys_of_before() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let alice = town.chat.opens_store_for("alice");
    assert_eq!(alice.orders(town.pack(), "free").status, 201);
    let (sticker, token) = (town.sticker(0), alice.token_for(town.sticker(0)));
    let keys = town.keys();
    let good = fs::read_to_string(&keys).unwrap();
    let sidecar = Sidecar::of_keys(&keys);
    assert!(sidecar.is_ready());
    let accepts = || sidecar.checks(&token, sticker, "alice")["accepted"] == true;
    assert!(accepts());

    let failed = sidecar.metric(FAILED_RELOADS);
    fs::write(&keys, good.replacen("secret", "secrets", 1)).unwrap();
    until("the bad file is noticed", || sidecar.metric(FAILED_RELOADS) > failed);
    assert!(accepts() && sidecar.is_ready());
    assert_eq!(sidecar.readiness().json()["keyring"]["problem"], "key_file_refused");
    assert!(sidecar.log().contains("line "), "the log does not say where: {}", sidecar.log());

    fs::write(&keys, r#"{"keys":[]}"#).unwrap();
    until("the empty ring is taken", || sidecar.checks(&token, sticker, "alice")["code"] == "unknown_key");
    fs::write(&keys, &good).unwrap();
    until("the good file is taken again", accepts);
    assert!(sidecar.readiness().json()["keyring"]["problem"].is_null());
}

#[test]
fn what_a_sidecar_cannot_start_with_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let path = keys.to_str().unwrap();
    let started = |arguments: &[&str]| run(&mut Sidecar::command(arguments, Some("sk_x")));

    fs::write(&keys, "{\"keys\":[\n{\"id\":1,\"secret\":\"00\",\"state\":\"signing\"}]}").unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o600)).unwrap();
    let bad = started(&["--keys", path]);
    assert_eq!(bad.code, 1, "{}", bad.stderr);
    assert!(bad.stderr.contains("line 2"), "{}", bad.stderr);

    fs::write(&keys, "{\"keys\":[]}").unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o644)).unwrap();
    let open = started(&["--keys", path]);
    assert_eq!((open.code, open.stderr.contains("others may read")), (1, true), "{}", open.stderr);

    let missing = started(&["--keys", "/nowhere/keys.json"]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    let reachable = started(&["--keys", path, "--listen", "0.0.0.0:0"]);
    assert_eq!(
        (reachable.code, reachable.stderr.contains("--listen-anywhere")),
        (2, true),
        "{}",
        reachable.stderr
    );
    let in_the_clear = started(&["--store", "http://stickers.example.com"]);
    assert_eq!(
        (in_the_clear.code, in_the_clear.stderr.contains("https")),
        (1, true),
        "{}",
        in_the_clear.stderr
    );
    assert_eq!(started(&[]).code, 2);
    assert_eq!(started(&["--keys", path, "--store", "https://a"]).code, 2);
}
