//! A proxy for HTTP between two programs, that remembers what was asked and fails as networks and servers do.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Forwards requests to a server on this machine, each on a connection of its own; ended when dropped.
#[derive(Debug)]
pub struct Between {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What happens to the answers of `GET` requests under some path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer comes while this goes on, and then the connection ends.
    Silent,
    /// The answer waits, and goes on as it was once this is over.
    Held,
    /// Head and half of the body, and then the connection ends.
    Cut,
    /// The server is not asked, and this status is the answer, which claims that caches may keep it.
    Status(u16),
    /// Head and half of the body, and no more while this goes on.
    Stalled,
    /// One bit of the body is another one.
    WrongBytes,
    /// Caches may keep the answer for a second, instead of as long as the server said.
    ShortLived,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    head: String,
}

impl Asked {
    /// A header's value; `None` where there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    fault: Option<(String, Fault)>,
    /// How often it still happens.
    times: usize,
    asked: Vec<Asked>,
    open: Vec<TcpStream>,
}

impl Between {
    /// Forwards to the server of this URL.
    pub fn before(url: &str) -> Self {
        let server = url.strip_prefix("http://").expect("an address by http").trim_end_matches('/');
        let server = server.parse().expect("a server by its number and port");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { server, state: Mutex::default(), changed: Condvar::new() });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if lock(&of_listener.state).ended {
                    return;
                }
                let Ok(client) = client else { continue };
                let shared = Arc::clone(&of_listener);
                // Whoever hangs up ends no more than this connection.
                std::thread::spawn(move || shared.serves(client));
            }
        });
        Self { address, shared }
    }

    /// The address of the proxy, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this happens to what is asked for by `GET` at addresses that begin like this.
    pub fn does(&self, fault: Fault, under: &str) {
        self.sets(Some((under.to_owned(), fault)), usize::MAX);
    }

    /// This happens to the next one alone.
    pub fn does_once(&self, fault: Fault, under: &str) {
        self.sets(Some((under.to_owned(), fault)), 1);
    }

    /// From now on everything is forwarded as it is.
    pub fn is_honest(&self) {
        self.sets(None, 0);
    }

    fn sets(&self, fault: Option<(String, Fault)>, times: usize) {
        let mut state = lock(&self.shared.state);
        (state.fault, state.times) = (fault, times);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// What was asked since the last look at addresses that begin like this; everything else is forgotten.
    pub fn was_asked(&self, under: &str) -> Vec<Asked> {
        let asked = std::mem::take(&mut lock(&self.shared.state).asked);
        asked.into_iter().filter(|asked| asked.target.starts_with(under)).collect()
    }

    /// How often was asked so far at addresses that begin like this; nothing is forgotten.
    pub fn count(&self, under: &str) -> usize {
        lock(&self.shared.state).asked.iter().filter(|asked| asked.target.starts_with(under)).count()
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        {
            let mut state = lock(&self.shared.state);
            state.ended = true;
            state.fault = None;
            for stream in state.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        // The listener looks when somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    /// One request, and its answer; `None` where one of the two went away.
    fn serves(&self, mut client: TcpStream) -> Option<()> {
        lock(&self.state).open.push(client.try_clone().ok()?);
        let (head, mut body) = read_head(&mut client)?;
        let mut words = head.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let asked = Asked { method, target, head: head.clone() };
        let length: usize = asked.header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
        if asked.header("expect").is_some() {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        while body.len() < length {
            let mut more = vec![0; (length - body.len()).min(64 << 10)];
            let count = client.read(&mut more).ok().filter(|&count| count > 0)?;
            body.extend_from_slice(&more[..count]);
        }
        let fault = {
            let mut state = lock(&self.state);
            state.asked.push(asked.clone());
            let fault = state.fault.clone();
            let fault = fault.filter(|(under, _)| asked.method == "GET" && asked.target.starts_with(under));
            let fault = fault.filter(|_| state.times > 0).map(|(_, fault)| fault);
            state.times -= usize::from(fault.is_some());
            fault
        };
        match fault {
            Some(Fault::Silent) => {
                self.waits_while(Fault::Silent);
                return client.shutdown(Shutdown::Both).ok();
            }
            Some(Fault::Status(status)) => {
                let answer = format!(
                    "HTTP/1.1 {status} Failing\r\nCache-Control: public, max-age=60\r\nContent-Length: 7\r\nConnection: close\r\n\r\nfailing"
                );
                return client.write_all(answer.as_bytes()).ok();
            }
            Some(Fault::Held) => self.waits_while(Fault::Held),
            _ => {}
        }
        let answer = self.answer(&head, &body)?;
        client.write_all(&altered(answer, fault)).ok()?;
        if fault == Some(Fault::Stalled) {
            self.waits_while(Fault::Stalled);
        }
        client.shutdown(Shutdown::Both).ok()
    }

    fn waits_while(&self, fault: Fault) {
        let state = lock(&self.state);
        let goes_on = |state: &mut State| state.fault.as_ref().is_some_and(|(_, now)| *now == fault);
        drop(self.changed.wait_while(state, goes_on).unwrap_or_else(PoisonError::into_inner));
    }

    fn answer(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut server = TcpStream::connect(self.server).ok()?;
        let kept = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default();
            !name.eq_ignore_ascii_case("connection") && !name.eq_ignore_ascii_case("expect")
        };
        let lines: Vec<&str> = head.trim_end().lines().filter(kept).collect();
        let head = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
        server.write_all(head.as_bytes()).ok()?;
        server.write_all(body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

/// The head with the empty line at its end, and what came behind it.
fn read_head(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).ok()?, rest));
        }
        let mut more = [0; 4096];
        let count = client.read(&mut more).ok().filter(|&count| count > 0 && bytes.len() < 1 << 20)?;
        bytes.extend_from_slice(&more[..count]);
    }
}

fn altered(mut answer: Vec<u8>, fault: Option<Fault>) -> Vec<u8> {
    let body = find(&answer, b"\r\n\r\n").map_or(answer.len(), |end| end + 4);
    let middle = body + (answer.len() - body) / 2;
    match fault {
        Some(Fault::Cut | Fault::Stalled) => answer.truncate(middle),
        Some(Fault::WrongBytes) => {
            if let Some(byte) = answer.get_mut(middle) {
                *byte ^= 1;
            }
        }
        Some(Fault::ShortLived) => {
            let head = String::from_utf8_lossy(&answer[..body]).into_owned();
            let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("cache-control:"));
            let head: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            let head = format!("{}\r\ncache-control: public, max-age=1\r\n\r\n", head.join("\r\n"));
            answer.splice(..body, head.into_bytes());
        }
        _ => {}
    }
    answer
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
