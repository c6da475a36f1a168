//! What comes from outside and is wrong: a clear code, and nothing changed.

use serde_json::json;
use sticker_protocol::release::Manifest;
use sticker_tests::{Artwork, Database, Designer, Phone, Store, run, store_program};

const GOLDEN: &str = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC";

#[test]
fn requests_that_make_no_sense_get_a_status_and_a_stable_code() {
    let store = Store::start(Database::Sqlite);
    let (chat, phone) = (store.operator().admits_chat_server("chat"), Phone::of(&store));
    let alice = chat.opens_store_for("alice");
    let code = |answer: sticker_tests::Answer| (answer.status.as_u16(), answer.error_code());

    for density in ["0", "-1", "1000000000", "abc", "", "320&density=320"] {
        let answer = phone.gets(&format!("/dl/1.sticker?density={density}"));
        assert_eq!(answer.status, 400, "{density}");
    }
    for path in [
        "/dl/1.sticker",
        "/dl/0.sticker",
        "/dl/01.sticker",
        "/dl/1.exe",
        "/dl/9007199254740992.zip",
        "/dl/..%2f1.sticker",
    ] {
        assert_eq!(code(phone.gets(path)), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(code(phone.gets("/v1/library")), (401, "no_session".to_owned()));
    assert_eq!(
        code(alice.posts("/v1/launch-codes", &json!({ "user": "x" }))),
        (401, "unauthorized".to_owned())
    );
    assert_eq!(
        code(chat.posts("/v1/launch-codes", &json!({ "user": "" }))),
        (422, "invalid_user".to_owned())
    );
    assert_eq!(
        code(chat.posts("/v1/launch-codes", &json!({ "user": "x".repeat(129) }))),
        (422, "invalid_user".to_owned())
    );
    assert_eq!(
        code(chat.posts("/v1/tokens/verify", &json!({ "checks": {} }))),
        (422, "invalid_body".to_owned())
    );
    assert_eq!(
        code(alice.posts("/v1/orders", &json!({ "pack_id": 0, "provider": "free" }))),
        (422, "invalid_body".to_owned())
    );
    assert_eq!(
        code(alice.posts("/v1/orders", &json!({ "pack_id": 7, "provider": "free" }))),
        (404, "not_found".to_owned())
    );
    assert_eq!(
        code(alice.posts("/v1/orders", &json!({ "pack_id": 7, "provider": "gold" }))),
        (422, "unknown_provider".to_owned())
    );
    let checks: Vec<_> = (0..1001).map(|_| json!({ "token": "x", "sticker_id": 1, "user": "x" })).collect();
    assert_eq!(
        code(chat.posts("/v1/tokens/verify", &json!({ "checks": checks }))),
        (422, "too_many".to_owned())
    );
    assert_eq!(chat.checks("not a token", 1, "alice"), json!({ "accepted": false, "code": "malformed" }));
    assert_eq!(chat.checks(GOLDEN, 8_675_309, "alice"), json!({ "accepted": false, "code": "unknown_key" }));

    let answer = phone.gets("/v1/library");
    assert_eq!(answer.json()["error"]["request_id"], answer.header("x-request-id"));
    let page = alice.gets("/packs/nothing-here").expect(404);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[test]
fn a_launch_code_opens_the_store_once_and_other_sites_change_nothing() {
    let store = Store::start(Database::Sqlite);
    let chat = store.operator().admits_chat_server("chat");
    let used = chat.launch_code("alice");
    let alice = chat.opens_store_for("alice");
    assert_eq!(alice.submits("/launch", &format!("code={used}"), &[]).status, 303);
    assert_eq!(alice.submits("/launch", &format!("code={used}"), &[]).status, 410);
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let forged = alice.submits("/orders", "pack=x&idempotency_key=k", &[(name, value)]);
        assert_eq!(forged.status, 403, "{name}");
    }
}

#[test]
fn a_release_with_a_changed_file_is_told_apart_and_nothing_of_it_is_shown() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let (artwork, out) = (Artwork::project("altered", "free", 1, 0), tempfile::tempdir().unwrap());
    let release = out.path().join("release");
    assert_eq!(Designer::builds(artwork.path(), &release).code, 0);
    let bytes = std::fs::read(release.join("release.thrift")).unwrap();
    let manifest = Manifest::read(&bytes).unwrap();

    // Cut, extended, altered: no manifest.
    for wrong in [
        bytes.split_at(bytes.len() / 2).0.to_vec(),
        [&bytes[..], b"x"].concat(),
        b"GIF89a".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(
            designer.sends("POST", "/v1/releases", wrong).expect(422).error_code(),
            "invalid_manifest"
        );
    }
    let begun = designer.sends("POST", "/v1/releases", bytes).expect(201).json();
    let id = begun["release"]["id"].as_str().unwrap().to_owned();
    let publish = format!("/v1/releases/{id}/publish");
    assert_eq!(designer.sends("POST", &publish, Vec::new()).expect(409).error_code(), "files_missing");
    let file = manifest.files.first().unwrap();
    let object = format!("/v1/releases/{id}/objects/{}", file.sha256);
    let whole = std::fs::read(release.join(file.path.as_str())).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(designer.sends("PUT", &object, flipped).expect(422).error_code(), "hash_mismatch");
    assert_eq!(designer.sends("PUT", &object, whole[1..].to_vec()).expect(422).error_code(), "size_mismatch");
    assert_eq!(Phone::of(&store).gets("/packs/altered").status, 404);

    // A packer that lies in the manifest: the hash is right, the content is not what it says.
    let mut lying = manifest.clone();
    let poster = lying.files.iter_mut().find(|file| file.path.as_str().ends_with("poster.webp")).unwrap();
    poster.width = Some(7);
    let lying = lying.write().unwrap();
    std::fs::write(release.join("release.thrift"), &lying).unwrap();
    let refused = designer.publishes(&release);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("manifest_disagrees") && refused.stderr.contains("poster.webp"),
        "{}",
        refused.stderr
    );
    assert_eq!(Phone::of(&store).gets("/packs/altered").status, 404);
    let sticker = manifest.stickers.first().unwrap().id;
    assert_eq!(Phone::of(&store).gets(&format!("/dl/{sticker}.sticker")).status, 404);
}

#[test]
fn downloads_are_conditional_partial_and_immutable_under_their_hash() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let (artwork, out) = (Artwork::project("parts", "free", 1, 0), tempfile::tempdir().unwrap());
    let release = out.path().join("release");
    assert_eq!(Designer::builds(artwork.path(), &release).code, 0);
    assert_eq!(designer.publishes(&release).code, 0);
    let manifest = Manifest::read(&std::fs::read(release.join("release.thrift")).unwrap()).unwrap();
    let sticker = manifest.stickers.first().unwrap().id;
    let file =
        manifest.files.iter().find(|file| file.path.as_str() == format!("320/{sticker}.sticker")).unwrap();

    let phone = Phone::of(&store);
    let path = format!("/dl/{sticker}.sticker");
    let whole = phone.gets(&path).expect(200);
    let etag = format!("\"{}\"", file.sha256);
    assert_eq!(
        (whole.header("etag"), whole.header("cache-control")),
        (etag.as_str(), "public, max-age=86400")
    );
    assert!(phone.gets_with(&path, &[("if-none-match", &etag)]).expect(304).body.is_empty());
    let part = phone.gets_with(&path, &[("range", "bytes=8-15")]).expect(206);
    assert_eq!(part.body, whole.body[8..16]);
    assert_eq!(phone.gets_with(&path, &[("range", "bytes=99999999-")]).status, 416);
    let head = phone.heads(&path).expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (whole.body.len().to_string().as_str(), 0));

    let canonical = phone.gets(&format!("/dl/320/{sticker}.{}.sticker", file.sha256)).expect(200);
    assert_eq!(
        (canonical.body, canonical.headers["cache-control"].to_str().unwrap()),
        (whole.body, "public, max-age=31536000, immutable")
    );
    assert_eq!(phone.gets(&format!("/dl/240/{sticker}.{}.sticker", file.sha256)).status, 404);
}

#[test]
fn the_token_command_answers_with_codes_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, format!(r#"{{"keys":[{{"id":3,"secret":"{secret}","state":"signing"}}]}}"#))
        .unwrap();
    let says = |arguments: &[&str]| {
        let finished = run(store_program().args(arguments));
        (finished.code, finished.stdout.trim().to_owned())
    };
    let keys = keys.to_str().unwrap();
    let user = ["--user-hex", "018f3c9a1122733384445566778899aa"];
    let issue = ["token", "issue", "--keys", keys, "--sticker", "8675309", "--expires", "1800086400"];
    assert_eq!(says(&[&issue[..], &user].concat()), (0, GOLDEN.to_owned()));
    let verify = |at: &str, token: &str, sticker: &str| {
        let before = ["token", "verify", "--keys", keys, "--sticker", sticker, "--at", at];
        says(&[&before[..], &user, &[token]].concat())
    };
    assert_eq!(verify("1800086399", GOLDEN, "8675309"), (0, "ok".to_owned()));
    assert_eq!(verify("1800086400", GOLDEN, "8675309"), (1, "expired".to_owned()));
    assert_eq!(verify("0", GOLDEN, "1"), (1, "wrong_sticker".to_owned()));
    assert_eq!(verify("0", "AAAA", "1"), (1, "malformed".to_owned()));
    assert_eq!(says(&["token", "verify", "--keys", keys, "--sticker", "1", GOLDEN]).0, 2);
    assert_eq!(
        says(&["token", "verify", "--keys", "/nowhere", "--sticker", "1", "--user", "a", GOLDEN]).0,
        3
    );
    assert_eq!(
        says(&["token", "issue", "--keys", keys, "--sticker", "0", "--expires", "1", "--user", "a"]).0,
        2
    );
}

#[test]
fn numbers_and_names_that_make_no_sense_are_wrong_usage_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let inspect = [
        "receipt",
        "inspect",
        "--provider",
        "apple",
        "--kind",
        "renewal",
        "--environment",
        "Sandbox",
        "file",
    ];
    let with = |more: &[&'static str]| [&inspect[..], more].concat();
    let promotion = ["admin", "promotions", "add", "--name", "x", "--until", "2026-12-01"];
    let promotes = |more: &[&'static str]| [&promotion[..], more].concat();
    for (arguments, told) in [
        (vec!["admin", "audit", "list", "--limit", "18446744073709551615"], "--limit"),
        (vec!["admin", "audit", "list", "--limit", "0"], "--limit"),
        (vec!["admin", "audit", "list", "--limit", "-1"], "--limit"),
        (vec!["admin", "outbox", "list", "--limit", "9223372036854775808"], "--limit"),
        (vec!["admin", "audit", "verify", "--head", "-1"], "--head"),
        (vec!["admin", "clients", "add", "--name", "", "--scope", "verify"], "--name"),
        (vec!["receipt", "recover", "--provider", "apple", "--since", "-1"], "--since"),
        (promotes(&["--pack", "1", "--at-most", "-1"]), "--at-most"),
        (promotes(&["--pack", "1", "--at-most", "1", "--from", "-1"]), "--from"),
        (with(&["--bundle-id", "com.example.app", "--at", "-1"]), "--at"),
        (with(&["--bundle-id", ""]), "--bundle-id"),
    ] {
        let mut program = store_program();
        let finished =
            run(program.args(&arguments).env("STICKER_STORE__DATA_DIR", folder.path().join("data")));
        assert_eq!((finished.code, finished.stdout.as_str()), (2, ""), "{arguments:?}: {}", finished.stderr);
        let expected = format!("for '{told}");
        assert!(finished.stderr.contains(&expected), "{arguments:?}: {}", finished.stderr);
    }
    assert!(!folder.path().join("data").exists());
}
