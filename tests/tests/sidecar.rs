//! A sidecar beside a chat server: it says what the store says, also while the store is away.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sticker_protocol::token::{Claims, KeyFile, Keyring, Revocation, RevocationPage, UserId};
use sticker_protocol::{Expiry, StickerId};
use sticker_tests::{Database, Sidecar, Town, left_out, run, until};

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
fn a_sidecar_that_restarts_while_the_store_is_away_refuses_who_was_refunded() {
    let mut town = Town::with_pack(Database::Sqlite, "tier1");
    let (alice, bob) = (town.chat.opens_store_for("alice"), town.chat.opens_store_for("bob"));
    let (order, _) = (alice.buys(town.pack()), bob.buys(town.pack()));
    let sticker = town.sticker(0);
    let (of_alice, of_bob) = (alice.token_for(sticker), bob.token_for(sticker));
    let secret = town.store.operator().admits_verifier("verify");
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let with_state = ["--state", state.to_str().unwrap()];
    let url = town.store.url();
    let begins = || Sidecar::of_store(&url, &secret, &with_state);
    let sidecar = begins();
    until("the sidecar knows keys and feed", || sidecar.is_ready());
    assert_eq!(sidecar.checks(&of_alice, sticker, "alice")["accepted"], true);
    assert_eq!(sidecar.stop(), 0);
    let before = fs::read(&state).unwrap();

    let sidecar = begins();
    let order = order["id"].as_str().unwrap();
    let refunded = town.store.operator().runs(&["admin", "orders", "refund", order, "--reason", "test"]);
    assert_eq!(refunded.code, 0, "{}", refunded.stderr);
    until("the refund is known", || sidecar.checks(&of_alice, sticker, "alice")["code"] == "revoked");
    assert_eq!(sidecar.stop(), 0);
    let after = fs::read(&state).unwrap();
    assert!(after.len() > before.len() && after.starts_with(&before), "the whole state was written anew");

    town.store.is_away_while(|| {
        let knows = |sidecar: &Sidecar| {
            assert!(sidecar.is_ready(), "{}", sidecar.log());
            assert_eq!(sidecar.checks(&of_alice, sticker, "alice")["code"], "revoked");
            assert_eq!(sidecar.checks(&of_bob, sticker, "bob")["accepted"], true);
        };
        // Dropping one ends it as a power cut does, in the middle of whatever it writes.
        for _ in 0..3 {
            knows(&begins());
        }
        let end = after.len() - 20;
        fs::write(&state, &after[..end]).unwrap();
        let cut = begins();
        assert_eq!(cut.checks(&of_bob, sticker, "bob")["accepted"], true, "{}", cut.log());
    });
    let again = begins();
    until("the rest comes from the store", || again.checks(&of_alice, sticker, "alice")["code"] == "revoked");
}

#[test]
fn a_sidecar_stops_though_a_request_never_comes_whole() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let sidecar = Sidecar::of_keys(&town.keys());
    let head = "POST /v1/tokens/verify HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    let (mut without_head, mut without_body) = (sidecar.connects(), sidecar.connects());
    without_head.write_all(&head.as_bytes()[..30]).unwrap();
    without_body.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    without_body.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(sidecar.stop(), 0);
}

#[test]
fn a_ring_without_keys_refuses_nobody() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let operator = town.store.operator();
    let secret = operator.admits_verifier("verify_public");
    let sidecar = Sidecar::of_store(&town.store.url(), &secret, &[]);
    until("the empty ring is told", || sidecar.readiness().json()["keyring"]["problem"] == "no_keys");
    until("the feed is heard", || sidecar.readiness().json()["revocations"]["age_seconds"].is_u64());
    assert_eq!(sidecar.readiness().status, 503);
    assert_eq!(sidecar.posts(&json!({ "checks": [] })).expect(503).error_code(), "not_ready");
    assert!(sidecar.log().contains("verify_public"), "{}", sidecar.log());

    for arguments in [&["keys", "add", "--algorithm", "ed25519"][..], &["keys", "publish", "2"]] {
        let done = operator.runs(arguments);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let sidecar = Sidecar::of_store(&town.store.url(), &secret, &[]);
    until("the sidecar has a key", || sidecar.is_ready());
}

#[test]
fn a_feed_that_begins_again_is_asked_for_at_once_and_who_was_refused_stays_refused() {
    let ring = r#"{"keys":[{"id":1,"secret":"0101010101010101010101010101010101010101010101010101010101010101","state":"signing"}]}"#;
    let keyring = Keyring::new(&KeyFile::parse(ring).unwrap());
    let expires = Expiry(u32::MAX);
    let sticker = StickerId::new(5).unwrap();
    let token = |user: &str| {
        let user = UserId::from_text(user).unwrap();
        keyring.issue(&Claims { sticker, user, expires }).unwrap().as_str().to_owned()
    };
    let page = |cursor: u64, user: &str| {
        let user = Some(UserId::from_text(user).unwrap());
        let entry = Revocation { cursor, user, stickers: vec![sticker], refuse_until: expires };
        RevocationPage { revocations: vec![entry], cursor, more: false }.to_json()
    };
    let nothing = RevocationPage { revocations: Vec::new(), cursor: 2, more: false }.to_json();
    // The first three questions of the feed, and then ever the last: as a store that was restored from a backup answers.
    let ahead = r#"{"error":{"code":"cursor_ahead","message":"","request_id":""}}"#.to_owned();
    let feed = vec![(200, page(7, "alice")), (409, ahead), (200, page(2, "bob")), (200, nothing)];
    let store = PlayedStore::opens(ring.to_owned(), feed);

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let with_state = ["--state", state.to_str().unwrap()];
    let sidecar = Sidecar::of_store(&store.url, "sk_x", &with_state);
    until("the feed is asked for after its new end", || store.asked().len() >= 4);
    assert_eq!(
        store.asked()[..4],
        ["after=0&wait=0", "after=7&wait=25", "after=0&wait=0", "after=2&wait=25"]
    );
    let refused = |sidecar: &Sidecar| {
        ["alice", "bob", "carol"].map(|user| sidecar.checks(&token(user), 5, user)["code"] == "revoked")
    };
    until("both are refused", || refused(&sidecar) == [true, true, false]);
    let readiness = sidecar.readiness().expect(200).json();
    assert_eq!(
        (&readiness["revocations"]["cursor"], &readiness["revocations"]["problem"]),
        (&json!(2), &json!(null))
    );
    assert!(sidecar.log().contains("cursor_ahead"), "{}", sidecar.log());
    assert_eq!(sidecar.stop(), 0);
    let again = Sidecar::of_store(&store.url, "sk_x", &with_state);
    assert_eq!(refused(&again), [true, true, false]);
    assert_eq!(again.readiness().json()["revocations"]["cursor"], 2);
}

/// What a real store does only after its database was restored from a backup: each question of the feed gets the next answer, and the
/// last one for ever.
struct PlayedStore {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl PlayedStore {
    fn opens(ring: String, feed: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
                // A connection that was opened and left has nothing to answer.
                let Some(Ok(question)) = lines.next() else { continue };
                lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
                let (status, body) = match question.split([' ', '?']).nth(2) {
                    Some(query) if question.contains("/v1/revocations?") => {
                        let mut heard = heard.lock().unwrap();
                        heard.push(query.to_owned());
                        &feed[heard.len().min(feed.len()) - 1]
                    }
                    _ => &(200, ring.clone()),
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                // Who was stopped meanwhile hears nothing.
                let _ = connection.write_all(answer.as_bytes());
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[test]
fn keys_come_by_https_from_whom_the_named_authority_vouches_for_and_from_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(why) = certificates(folder.path()) {
        return left_out("a store by https", &why);
    }
    let town = Town::with_pack(Database::Sqlite, "free");
    let alice = town.chat.opens_store_for("alice");
    assert_eq!(alice.orders(town.pack(), "free").status, 201);
    let (sticker, token) = (town.sticker(0), alice.token_for(town.sticker(0)));
    let secret = town.store.operator().admits_verifier("verify");
    let url = encrypts(&town.store.url(), folder.path());
    let with = |authority: &str| {
        let authority = folder.path().join(authority);
        Sidecar::of_store(&url, &secret, &["--store-ca", authority.to_str().unwrap()])
    };
    let trusting = with("authority.pem");
    until("the sidecar knows keys and feed", || trusting.is_ready());
    assert_eq!(trusting.checks(&token, sticker, "alice")["accepted"], true);
    for other in [with("other.pem"), Sidecar::of_store(&url, &secret, &[])] {
        until("the certificate is refused", || {
            other.readiness().json()["keyring"]["problem"] == "unreachable"
        });
        assert!(!other.is_ready());
        assert!(other.log().contains("certificate"), "{}", other.log());
    }
    let key = folder.path().join("key.pem");
    let no_authority = ["--store", &url, "--store-ca", key.to_str().unwrap()];
    let refused = run(&mut Sidecar::command(&no_authority, Some(&secret)));
    assert_eq!((refused.code, refused.stderr.contains("no certificate")), (1, true), "{}", refused.stderr);
}

/// Two authorities, and a certificate of the first for 127.0.0.1.
fn certificates(folder: &Path) -> Result<(), String> {
    let make = |more: &[&str]| {
        let kind =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let made = Command::new("openssl").args(kind).args(more).current_dir(folder).output();
        let made = made.map_err(|error| format!("openssl: {error}"))?;
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        if made.status.success() { Ok(()) } else { Err(format!("openssl: {said}")) }
    };
    for name in ["authority", "other"] {
        let (key, out, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
        make(&["-keyout", &key, "-out", &out, "-subj", &subject, "-addext", "keyUsage=keyCertSign"])?;
    }
    let of = ["-CA", "authority.pem", "-CAkey", "authority.key", "-subj", "/CN=store"];
    let names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
    make(&[&of[..], &names, &["-keyout", "key.pem", "-out", "store.pem"]].concat())
}

/// The https address of what stands before a store, as in a deployment, and passes on what it hears.
fn encrypts(store: &str, folder: &Path) -> String {
    let certificate = CertificateDer::from_pem_file(folder.join("store.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let store = store.strip_prefix("http://").unwrap().to_owned();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let (connection, store) = (connection.unwrap(), store.clone());
            // One that ends early, as where the certificate is refused, ends alone.
            thread::spawn(move || passes_on(StreamOwned::new(tls, connection), &store));
        }
    });
    url
}

/// One question and its answer: the connection ends with it.
fn passes_on(mut asking: StreamOwned<ServerConnection, TcpStream>, store: &str) -> io::Result<()> {
    let (mut question, mut byte) = (Vec::new(), [0]);
    while !question.ends_with(b"\r\n\r\n") {
        asking.read_exact(&mut byte)?;
        question.extend(byte);
    }
    question.truncate(question.len() - 2);
    question.extend(b"connection: close\r\n\r\n");
    let mut answering = TcpStream::connect(store)?;
    answering.write_all(&question)?;
    let mut answer = Vec::new();
    answering.read_to_end(&mut answer)?;
    asking.write_all(&answer)?;
    asking.conn.send_close_notify();
    asking.flush()
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
    until("the empty ring is taken", || !sidecar.is_ready());
    assert_eq!(sidecar.readiness().json()["keyring"]["problem"], "no_keys");
    let check = json!({ "checks": [{ "token": token, "sticker_id": sticker, "user": "alice" }] });
    assert_eq!(sidecar.posts(&check).expect(503).error_code(), "not_ready", "who paid is refused");
    fs::write(&keys, &good).unwrap();
    until("the good file is taken again", || sidecar.is_ready());
    assert!(accepts());
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
