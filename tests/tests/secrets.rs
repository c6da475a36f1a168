//! No secret ever shows: not in a log at its most talkative, not in an answer, not in what a command prints, not in a core of the configuration.

use std::fmt::Write as _;
use std::process::Command;

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

#[test]
fn a_setting_in_the_wrong_place_is_refused_by_its_name_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |set: &dyn Fn(&mut Command), name: &str, what: &str| {
        for arguments in [&["check"][..], &["check", "--show"], &["keys", "list"], &["serve"]] {
            let mut command = store_program();
            command.env("STICKER_STORE__DATA_DIR", folder.path()).env("STICKER_LOG", "trace").args(arguments);
            set(&mut command);
            let finished = run(&mut command);
            let shown = finished.stdout + &finished.stderr;
            assert_eq!(finished.code, 1, "{what}, {arguments:?}: {shown}");
            assert!(shown.contains(name) && shown.contains("hint: "), "{what}, {arguments:?}: {shown}");
            for secret in ["hunter2", MASTER] {
                assert!(!shown.contains(secret), "{what}, {arguments:?}: {shown}");
            }
        }
    };
    for (variable, value, name) in [
        // A part of the name is forgotten.
        ("DATABASE", "postgres://store:hunter2@db/x", "`database`"),
        ("TOKEN", MASTER, "`token`"),
        ("TIERS", "hunter2", "`tiers`"),
        ("TIERS__TIER1", "hunter2", "`tiers.tier1`"),
        ("DATABASE__URL__PASSWORD", "hunter2", "`database.url`"),
        // Another setting's value.
        ("ENVIRONMENT", "hunter2", "`environment`"),
        ("SERVER__LISTEN", "hunter2", "`server.listen`"),
        ("TOKEN__LIFETIME_SECONDS", MASTER, "`token.lifetime_seconds`"),
        ("OBJECTS__KIND", "hunter2", "`objects.kind`"),
        ("PURCHASE__CURRENCY", "hunter2", "`purchase.currency`"),
        // Slips in a URL.
        ("DATABASE__URL", "postgress://store:hunter2@db/x", "`database.url`"),
        ("DATABASE__URL", "postgres://store:hunter2@db:99999/x", "`database.url`"),
        ("DATABASE__URL", "mysql://store:hunter2@db:99999/x", "`database.url`"),
        ("DATABASE__URL", "postgres:/store:hunter2@db/x", "`database.url`"),
        ("DATABASE__URL", "sqlite://x?password=hunter2", "`database.url`"),
        ("DATABASE__URL", "store:hunter2", "`database.url`"),
        ("DATABASE__URL", "hunter2", "`database.url`"),
        // Whoever is told of these would be told the password.
        ("SERVER__PUBLIC_URL", "https://store:hunter2@shop.example", "`server.public_url`"),
        ("OBJECTS__ENDPOINT", "https://store:hunter2@s3.example", "`objects.endpoint`"),
    ] {
        let variable = format!("STICKER_STORE__{variable}");
        let set = |command: &mut Command| {
            command.env(&variable, value);
        };
        refused(&set, name, &format!("{variable}={value}"));
    }
    let file = folder.path().join("store.toml");
    for (text, name) in [
        ("database = \"postgres://store:hunter2@db/x\"", "`database`"),
        ("[database]\nurl = [\"hunter2\"]", "`database.url`"),
        ("[server]\nlisten = { hunter2 = 1 }", "`server.listen`"),
        // No TOML.
        ("[database]\nurl = postgres://store:hunter2@db/x", "line 2"),
        ("[database]\nurl = hunter2", "line 2"),
        ("[database]\nurl = 'hunter2", "line 2"),
        ("environment = 'production'\nenvironment = 'hunter2'", "line 2"),
    ] {
        std::fs::write(&file, text).unwrap();
        let set = |command: &mut Command| {
            command.arg("--config").arg(&file);
        };
        refused(&set, name, text);
    }
}

#[test]
fn what_a_database_driver_says_of_its_url_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = store_program();
    command
        .env("STICKER_STORE__DATA_DIR", folder.path())
        .env("STICKER_STORE__DATABASE__URL", "postgres://store@127.0.0.1:1/none?passwort=hunter2")
        .env("STICKER_LOG", "trace");
    let finished = run(command.arg("check"));
    assert_eq!(finished.code, 3, "{}", finished.stderr);
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}
