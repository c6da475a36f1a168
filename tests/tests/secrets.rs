//! No secret ever shows: not in a log at its most talkative, not in an answer, not in what a command prints, not in a core of the configuration.

use std::fmt::Write as _;

use serde_json::json;
use sticker_protocol::token::KeyFile;
use sticker_tests::{Database, Town, run, store_program, until};

const MASTER: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f91";

#[test]
fn no_secret_shows_in_a_log_an_error_or_the_configuration() {
    let settings = [("STICKER_STORE__TOKEN__MASTER_KEY", MASTER), ("STICKER_LOG", "trace")];
    let town = Town::with_settings(Database::Sqlite, "tier1", &settings);
    let operator = town.store.operator();
    let alice = town.chat.opens_store_for("alice");
    alice.buys(town.pack());
    let token = alice.token_for(town.sticker(0));
    let mut shown = String::new();
    let mut show = |text: String| writeln!(shown, "{text}").unwrap();

    // What a store does in its life, and what goes wrong in it.
    for arguments in [
        &["keys", "add", "--algorithm", "ed25519"][..],
        &["keys", "publish", "2"],
        &["keys", "sign-with", "2", "--without-waiting"],
        &["keys", "add"],
        &["keys", "publish", "3"],
        &["keys", "sign-with", "3", "--without-waiting"],
        &["keys", "list"],
        &["keys", "list", "--json"],
        &["keys", "destroy", "3"],
        &["keys", "add", "--id", "3"],
        &["check"],
        &["check", "--show"],
        &["admin", "clients", "list"],
        &["admin", "orders", "list", "--user", "alice"],
    ] {
        let finished = operator.runs(arguments);
        show(finished.stdout + &finished.stderr);
    }
    until("the store signs with the third key", || alice.token_for(town.sticker(0)) != token);
    let checks = json!({ "checks": [{ "token": token, "sticker_id": town.sticker(0), "user": "mallory" }] });
    show(town.chat.posts("/v1/tokens/verify", &checks).expect(200).text());
    show(town.chat.gets("/metrics").text());
    show(town.chat.gets("/v1/revocations?after=99").text());
    let ring = town.chat.gets("/v1/keyring").expect(200).text();
    let secrets: Vec<_> = ring.split('"').filter(|text| text.len() == 64).map(str::to_owned).collect();
    assert_eq!(KeyFile::parse(&ring).unwrap().keys().len(), 3);
    // A ring that is refused, read by a command.
    let broken = town.release_folder().with_file_name("broken.json");
    std::fs::write(&broken, ring.replacen("\"state\"", "\"stat\"", 1)).unwrap();
    let mut command = store_program();
    command.args(["token", "verify", "--sticker", "7", "--user", "alice", "--keys"]).arg(&broken).arg(&token);
    let finished = run(&mut command);
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("line 2"), "{}", finished.stderr);
    show(finished.stdout + &finished.stderr);
    // A database URL and a master key that make no sense.
    for (name, value) in [
        ("STICKER_STORE__DATABASE__URL", "postgres://store:hunter2@127.0.0.1:1/none"),
        ("STICKER_STORE__TOKEN__MASTER_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ] {
        for arguments in [&["check"][..], &["check", "--show"], &["keys", "list"]] {
            let mut command = store_program();
            command
                .env("STICKER_STORE__DATA_DIR", town.release_folder())
                .env(name, value)
                .env("STICKER_LOG", "trace");
            let finished = run(command.args(arguments));
            show(finished.stdout + &finished.stderr);
        }
    }
    show(town.store.log());

    // The public key of the second is no secret.
    let public = KeyFile::parse(&ring).unwrap().public_only().to_json();
    let secrets = secrets.iter().filter(|secret| !public.contains(secret.as_str()));
    let others = [MASTER, "0f1e2d3c4b5a6978", "hunter2", &token, "sk_"].map(str::to_owned);
    let mut looked_for = 0;
    for secret in secrets.cloned().chain(others) {
        looked_for += 1;
        let at = shown.find(&secret).map(|at| shown.get(at.saturating_sub(200)..at).unwrap_or_default());
        assert_eq!(at, None, "a secret of {} characters shows after this", secret.len());
    }
    assert_eq!(looked_for, 2 + 5);
    // There was something to look through.
    assert!(shown.matches(" answered ").count() > 10 && shown.contains("(set)"), "{shown}");
}
