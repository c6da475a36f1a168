//! `POST /v1/tokens/verify` beside an empty axum handler that reads a body and gives an answer of the same sizes. Both are served by
//! `axum::serve` in this process, the store with its whole router as `sticker-store serve` has it: authentication, rate limit (set out
//! of reach), metrics, and the log at its default, `info` to the standard error. Connections are kept alive, the requests are
//! prepared, rounds are interleaved, and the medians count; shared machines are noisy, so what counts is the ratios.
//!
//!     cargo bench -p sticker-store --bench check_tokens [-- CONNECTIONS ROUNDS MILLISECONDS CHECKS...]

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::post;
use sticker_protocol::token::{Claims, UserId};
use sticker_protocol::{Expiry, StickerId};
use sticker_store::account::client::{self, Scope};
use sticker_store::app::{self, App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::telemetry;
use sticker_store::token::check::{Checks, Known};

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let setting = |at: usize, usual| numbers.get(at).copied().unwrap_or(usual);
    let connections = usize::try_from(setting(0, 8)).expect("a number of connections");
    let (rounds, time) = (setting(1, 15), Duration::from_millis(setting(2, 400)));

    telemetry::start("info,sea_orm_migration=warn", false).expect("a filter");
    let data = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(open(data.path()));
    let secret = runtime.block_on(client::add(&store, "bench", &[Scope::Verify])).expect("a client").secret;
    let store_address = runtime.block_on(serve(app::router(App::clone(&store))));

    println!("{connections} connections, {rounds} rounds of {} ms each, medians", time.as_millis());
    let asked: Vec<_> = numbers.iter().skip(3).filter_map(|&it| usize::try_from(it).ok()).collect();
    for checks in if asked.is_empty() { vec![1, 1_000] } else { asked } {
        let body = body(&store, checks);
        let request = request(&secret, &body);
        let answer = exchange(&mut connect(store_address), &request, &mut Vec::new());
        assert_eq!(accepted(&answer.body), checks, "not every check is accepted");
        let size = answer.body.len();
        let empty_address = runtime.block_on(serve(empty(answer.body)));
        let [mut of_store, mut of_empty] = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            of_store.push(load(store_address, &request, connections, time));
            of_empty.push(load(empty_address, &request, connections, time));
        }
        let (of_store, of_empty) = (median(of_store), median(of_empty));
        let (read, made) = in_process(&store, &body);
        println!(
            "{checks:>5} checks ({} bytes asked, {size} answered): {of_store:>9.0} requests/s, empty handler {of_empty:>9.0}, ratio {:.2}",
            body.len(),
            of_store / of_empty
        );
        println!(
            "      in process, one thread: {read:.0} ns a check to read the body, {made:.0} ns to check and answer"
        );
    }
}

/// Nanoseconds that a check takes within the request: reading, and checking with the answer. Medians.
fn in_process(store: &App, body: &str) -> (f64, f64) {
    let (ring, denied) = (store.tokens.ring(), store.tokens.denied());
    let known = Known { now: store.clock.now(), ring: &ring.keyring, denied: &denied };
    let [mut read, mut made] = [Vec::new(), Vec::new()];
    for _ in 0..200 {
        let started = Instant::now();
        let checks = Checks::read(body.as_bytes()).expect("checks");
        let each = 1e9 / f64::from(checks.len());
        read.push(started.elapsed().as_secs_f64() * each);
        let started = Instant::now();
        assert!(!black_box(checks.answer(known)).is_empty());
        made.push(started.elapsed().as_secs_f64() * each);
    }
    (median(read), median(made))
}

async fn open(data: &std::path::Path) -> App {
    let set = |name: &str, value: String| (format!("STICKER_STORE__{name}"), value);
    let settings =
        [set("DATA_DIR", data.display().to_string()), set("TOKEN__CHECKS_PER_SECOND", u32::MAX.to_string())];
    let config = Config::load(None, settings.into_iter()).expect("a configuration");
    Parts::open(config, Clock::System, Random::system()).await.expect("a store")
}

fn empty(answer: Vec<u8>) -> Router {
    let answer = Bytes::from(answer);
    let handler = async move |_: Bytes| ([(header::CONTENT_TYPE, "application/json")], answer.clone());
    Router::new().route("/v1/tokens/verify", post(handler))
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Tokens of as many users, as a chat server asks for.
fn body(store: &App, checks: usize) -> String {
    let ring = store.tokens.ring();
    let check = |at: usize| {
        let mut user = [0x5a; 16];
        if let Some(bytes) = user.first_chunk_mut() {
            *bytes = (at as u64).to_be_bytes();
        }
        let user = UserId::new(&user).expect("a user");
        let sticker = StickerId::new(8_675_309 + at as u64).expect("a sticker");
        let claims = Claims { sticker, user, expires: Expiry(4_000_000_000) };
        let token = ring.keyring.issue(&claims).expect("a signing key");
        format!("{{\"token\":\"{token}\",\"sticker_id\":{sticker},\"user_hex\":\"{}\"}}", user.to_hex())
    };
    format!("{{\"checks\":[{}]}}", (0..checks).map(check).collect::<Vec<_>>().join(","))
}

fn request(secret: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /v1/tokens/verify HTTP/1.1\r\nhost: store\r\nauthorization: Bearer {secret}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream
}

struct Answer {
    body: Vec<u8>,
}

/// Sends a request and reads its answer to the end.
fn exchange(stream: &mut TcpStream, request: &[u8], read: &mut Vec<u8>) -> Answer {
    let (head, length) = head_of(stream, request, read);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Answer { body: read.split_off(read.len() - length) }
}

/// The head, and the length of the body, which is the end of `read`.
fn head_of(stream: &mut TcpStream, request: &[u8], read: &mut Vec<u8>) -> (String, usize) {
    stream.write_all(request).expect("the request is taken");
    read.clear();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut buffer).expect("an answer");
        assert!(count > 0, "the connection ended");
        read.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(read.get(..end).unwrap_or_default()).expect("a head of text");
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")).expect("a length");
        let length: usize = length.parse().expect("a number");
        if read.len() == end + 4 + length {
            return (head.to_owned(), length);
        }
    }
}

/// Answers a second over so many connections, each sending one request after the other.
fn load(address: SocketAddr, request: &[u8], connections: usize, time: Duration) -> f64 {
    let stop = AtomicBool::new(false);
    let mut streams: Vec<_> = (0..connections).map(|_| connect(address)).collect();
    let started = Instant::now();
    let answered: u64 = std::thread::scope(|scope| {
        let work = |stream: &mut TcpStream| {
            let (mut answered, mut read) = (0, Vec::new());
            let answer = exchange(stream, request, &mut read);
            // Every answer has the size of the first: its head differs in no length.
            let whole = read.len() + answer.body.len();
            let mut buffer = vec![0; whole];
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(request).expect("the request is taken");
                stream.read_exact(&mut buffer).expect("a whole answer");
                assert!(buffer.starts_with(b"HTTP/1.1 200 "), "another answer");
                answered += 1;
            }
            answered
        };
        let working: Vec<_> = streams.iter_mut().map(|stream| scope.spawn(move || work(stream))).collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        working.into_iter().map(|it| it.join().unwrap_or_else(|_| panic!("a connection failed"))).sum()
    });
    answered as f64 / started.elapsed().as_secs_f64()
}

fn accepted(answer: &[u8]) -> usize {
    let answer: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
    let results = answer.get("results").and_then(serde_json::Value::as_array).expect("results");
    results.iter().filter(|it| it.get("accepted") == Some(&true.into())).count()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
