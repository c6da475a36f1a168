//! What a connection may do: many requests, strange ones, slow ones, and the end of the store in the middle of one.

use std::time::Duration;

use sticker_protocol::Sha256;
use sticker_protocol::release::FileKind;
use sticker_store::app::Role;
use sticker_store::telemetry::metrics;

use crate::depot::{Depot, Listening};

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_ahead_are_answered_in_their_order() {
    let depot = Depot::new(&[]).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let files = depot.variants();
    let mut line = listening.connects();
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: store\r\n\r\n");
    let asked: String =
        files.iter().map(|file| ask(&depot.canonical_path(file)) + &ask("/dl/1.sticker")).collect();
    line.says(asked.as_bytes());
    for file in files {
        assert_eq!(Sha256::of(&line.hears("GET").body), file.sha256);
        assert_eq!(line.hears("GET").status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_system_sends_by_itself_are_their_bytes_among_whatever_else_is_asked() {
    let depot = Depot::new(&[("DELIVERY__MEMORY_OBJECT_BYTES", "1"), ("DELIVERY__CACHE_BYTES", "0")]).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let files: Vec<_> =
        depot.variants().into_iter().chain(depot.release.files_of(FileKind::Bundle)).collect();
    let mut line = listening.connects();
    let before = sent_by_system();
    // Hashed first, then sent from the open file.
    for round in 0..3 {
        for file in &files {
            let (path, bytes) = (depot.canonical_path(file), std::fs::read(depot.object(file)).unwrap());
            let ask = |method, more| format!("{method} {path} HTTP/1.1\r\nhost: store\r\n{more}\r\n");
            let half = bytes.len() / 2;
            let asked = [
                ask("GET", String::new()),
                ask("HEAD", String::new()),
                ask("GET", format!("range: bytes=7-{half}\r\n")),
                ask("GET", format!("if-none-match: \"{}\"\r\n", file.sha256)),
                ask("GET", "range: bytes=-3\r\n".to_owned()),
                "GET /dl/1.sticker HTTP/1.1\r\nhost: store\r\n\r\n".to_owned(),
            ];
            line.says(asked.concat().as_bytes());
            assert!(line.hears("GET").body == bytes, "{path} in round {round}");
            assert_eq!(line.hears("HEAD").header("content-length"), bytes.len().to_string());
            assert!(line.hears("GET").body == bytes[7..=half], "a part of {path} in round {round}");
            assert_eq!(line.hears("GET").status, 304);
            assert!(line.hears("GET").body == bytes[bytes.len() - 3..], "the end of {path} in round {round}");
            assert_eq!(line.hears("GET").status, 404);
        }
    }
    assert_eq!(sent_by_system() > before, cfg!(target_os = "linux"));
}

/// Bytes, by the store's own count.
fn sent_by_system() -> u64 {
    let (_, text) = metrics::render();
    let count = text.lines().find_map(|line| line.strip_prefix("sticker_store_sent_by_system_bytes_total "));
    count.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_a_body_is_answered_and_the_body_is_no_request() {
    let depot = Depot::new(&[]).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let path = depot.canonical_path(depot.variants()[0]);
    for round in 0..2 {
        let mut line = listening.connects();
        let body = "GET /health/live HTTP/1.1\r\n\r\n";
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: store\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        line.says(head.as_bytes());
        assert_eq!(line.hears("GET").status, 200, "round {round}");
        line.says(format!("GET {path} HTTP/1.1\r\nhost: store\r\nconnection: close\r\n\r\n").as_bytes());
        assert_eq!(line.hears("GET").header("etag").len(), 66, "round {round}");
        assert!(line.has_ended());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_headers_too_large_ones_and_too_long_addresses_are_refused_and_the_connection_ends() {
    let depot = Depot::new(&[]).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let path = depot.sticker_path();
    let many = "x: 1\r\n".repeat(101);
    let large = format!("x: {}\r\n", "y".repeat(17 << 10));
    for (target, headers, status) in [
        (path.clone(), many, 431),
        (path.clone(), large, 431),
        (format!("{path}?{}", "x".repeat(17 << 10)), String::new(), 431),
    ] {
        let mut line = listening.connects();
        line.says(format!("GET {target} HTTP/1.1\r\nhost: store\r\n{headers}\r\n").as_bytes());
        assert_eq!(line.hears("GET").status, status);
        assert!(line.has_ended());
    }
    for nonsense in
        ["GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n"]
    {
        let mut line = listening.connects();
        line.says(nonsense.as_bytes());
        assert_eq!(line.hears("GET").status, 400, "{nonsense:?}");
        assert!(line.has_ended());
    }
    assert_eq!(listening.connects().asks("GET", &path, &[]).status, 200, "others are unharmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_no_whole_request_or_takes_nothing_is_let_go_and_whoever_waits_longer_gets_a_place() {
    let settings = [("SERVER__PATIENCE_SECONDS", "1"), ("SERVER__MAX_CONNECTIONS", "3")];
    let depot = Depot::new(&settings).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let bundle = depot.release.files_of(FileKind::Bundle).max_by_key(|file| file.size).unwrap();
    let path = depot.canonical_path(bundle);
    let mut idle = listening.connects();
    let mut slow = listening.connects();
    slow.says(b"GET /health/live HTTP/1.1\r\nhost: st");
    // More answers than any buffer between holds, and nobody who takes them.
    let mut deaf = listening.connects();
    deaf.stream.set_write_timeout(Some(Duration::from_mins(1))).unwrap();
    let asks = format!("GET {path} HTTP/1.1\r\nhost: store\r\n\r\n");
    deaf.says(asks.repeat(200).as_bytes());
    // All three places are taken: this one waits until the others are let go.
    let mut patient = listening.connects();
    assert_eq!(patient.asks("GET", &depot.sticker_path(), &[]).status, 200);
    assert!(idle.has_ended() && slow.has_ended());
    let mut taken = 0;
    while !deaf.has_ended() {
        taken += 1;
        assert!(taken < 1_000_000, "it is sent without end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stops_finishes_what_is_under_way_and_takes_nothing_new() {
    let depot = Depot::new(&[("DELIVERY__MEMORY_OBJECT_BYTES", "16")]).await;
    let mut listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let (file, path) = (depot.variants()[5], depot.canonical_path(depot.variants()[5]));
    let mut idle = listening.connects();
    assert_eq!(idle.asks("GET", &path, &[]).status, 200);
    let mut busy = listening.connects();
    busy.says(format!("GET {path} HTTP/1.1\r\nhost: store\r\n").as_bytes());
    // The head is whole once the store has been told to stop, or before: either way it was begun.
    busy.says(b"\r\n");
    let answer = busy.hears("GET");
    listening.is_told_to_stop();
    assert_eq!(Sha256::of(&answer.body), file.sha256);
    assert!(idle.has_ended() && busy.has_ended());
    (&mut listening.served).await.unwrap().unwrap();
    assert!(std::net::TcpStream::connect(listening.address).is_err());
}
