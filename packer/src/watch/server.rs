//! Serves the page and its news to this machine alone.

use std::io::{self, Cursor};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, Server};

use super::board::Board;

/// How long a question for news is held; shorter than what browsers and proxies wait.
const HELD: Duration = Duration::from_secs(25);
/// Answers at the same time; a browser asks for six at most.
const MAX_ANSWERS: usize = 64;
/// Between two tries to accept connections, where the system has no more of something.
const NEXT_TRY: Duration = Duration::from_millis(200);

/// Begins to serve what the board shows, for as long as the process lives.
pub(super) fn start(port: u16, board: &Arc<Board>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    let board = Arc::clone(board);
    thread::Builder::new().name("preview".to_owned()).spawn(move || serve(&listener, &board))?;
    Ok(address)
}

/// The library's server ends with the first connection that cannot be accepted: then there is another.
fn serve(listener: &TcpListener, board: &Arc<Board>) {
    let answers = Arc::new(AtomicUsize::new(0));
    loop {
        if let Some(server) = listener.try_clone().ok().and_then(|it| Server::from_listener(it, None).ok()) {
            for request in server.incoming_requests() {
                let turn = Turn::begins(&answers);
                let board = Arc::clone(board);
                // One that cannot be answered is dropped, which the library answers.
                let _ = thread::Builder::new().spawn(move || answer(request, &board, &turn));
            }
        }
        thread::sleep(NEXT_TRY);
    }
}

fn answer(request: Request, board: &Board, turn: &Turn) {
    let url = request.url().to_owned();
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    if !is_for_this_machine(&request) {
        return say(request, 403, "this page is for the machine that builds it");
    }
    if turn.number > MAX_ANSWERS {
        return say(request, 503, "too many ask at once");
    }
    match (path, request.method()) {
        ("/", Method::Get) => {
            let page = board.page();
            let policy = format!("{}; frame-ancestors 'none'", page.policy);
            let headers =
                [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", &policy)];
            send(request, 200, &headers, Arc::clone(&page.html));
        }
        ("/news", Method::Get) => {
            let seen = query.strip_prefix("seen=").unwrap_or_default();
            let news = board.news_after(seen, HELD);
            let json = serde_json::to_vec(&*news).unwrap_or_default();
            send(request, 200, &[("Content-Type", "application/json")], json.into());
        }
        ("/" | "/news", _) => send(request, 405, &[("Allow", "GET")], Arc::default()),
        _ => say(request, 404, "there is one page, at /"),
    }
}

/// A name that leads elsewhere and is made to lead here brings the page of whoever owns it: only this machine's own names count.
fn is_for_this_machine(request: &Request) -> bool {
    let mut hosts = request.headers().iter().filter(|header| header.field.equiv("Host"));
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_loopback(host.value.as_str()),
        _ => false,
    }
}

/// Any port, which a tunnel may change.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    is_port && ["127.0.0.1", "[::1]", "localhost"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

fn say(request: Request, status: u16, text: &str) {
    let text = format!("{text}\n").into_bytes();
    send(request, status, &[("Content-Type", "text/plain; charset=utf-8")], text.into());
}

/// No other page may show, embed or keep it.
fn send(request: Request, status: u16, headers: &[(&str, &str)], body: Arc<[u8]>) {
    let always = [
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ];
    let headers = always.iter().chain(headers);
    let headers = headers.filter_map(|(name, value)| Header::from_bytes(*name, *value).ok()).collect();
    let length = body.len();
    let response = Response::new(status.into(), headers, Cursor::new(body), Some(length), None);
    // Who asked may be gone.
    let _ = request.respond(response.with_chunked_threshold(usize::MAX));
}

/// One of the answers that are given at the same time.
struct Turn {
    answers: Arc<AtomicUsize>,
    /// From 1.
    number: usize,
}

impl Turn {
    fn begins(answers: &Arc<AtomicUsize>) -> Self {
        let number = answers.fetch_add(1, Ordering::Relaxed) + 1;
        Self { answers: Arc::clone(answers), number }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for own in ["127.0.0.1", "127.0.0.1:4000", "localhost", "LOCALHOST:80", "[::1]", "[::1]:4000"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "",
            "example.com",
            "localhost.example.com:4000",
            "127.0.0.1.example.com",
            "127.0.0.2",
            "localhost:80@example.com",
            "localhost:x",
            "::1",
            "[::1",
            "0.0.0.0:4000",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
