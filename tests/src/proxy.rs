//! A proxy between a store and its database that fails as networks and servers do.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Forwards connections to a database on this machine; ended when dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    address: SocketAddr,
    faults: Arc<Faults>,
}

/// What of the next commit is lost, with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// What the store asks: the database never hears of it.
    TheStores,
    /// What the database answers: it is committed, and the store does not know.
    TheDatabases,
}

#[derive(Debug, Default)]
struct Faults {
    ended: AtomicBool,
    refuses: AtomicBool,
    latency_ms: AtomicU64,
    lost: Mutex<Option<Whose>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Forwards to the server of this URL.
    pub fn before(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a URL with a database");
        let (user, server) = authority.rsplit_once('@').expect("a URL with a user");
        let server: SocketAddr = server.parse().expect("a server by its number and port");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let faults = Arc::new(Faults::default());
        let of_listener = Arc::clone(&faults);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if of_listener.ended.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(client) = client
                    && !of_listener.refuses.load(Ordering::SeqCst)
                    && let Ok(server) = TcpStream::connect(server)
                {
                    Faults::forward(&of_listener, &client, &server);
                }
            }
        });
        // What is encrypted nobody can look into.
        let plain = if scheme == "postgres" { "sslmode=disable" } else { "ssl-mode=DISABLED" };
        Self { url: format!("{scheme}://{user}@{address}/{path}?{plain}"), address, faults }
    }

    /// The URL of the database behind the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database is away: every connection ends, and none comes about.
    pub fn is_away(&self) {
        self.faults.refuses.store(true, Ordering::SeqCst);
        self.faults.cut();
    }

    /// The database is slow: each answer takes this much longer.
    pub fn answers_after(&self, latency: Duration) {
        self.faults.latency_ms.store(latency.as_millis().try_into().unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// The next commit is cut.
    pub fn cuts_the_next_commit(&self, whose: Whose) {
        *lock(&self.faults.lost) = Some(whose);
    }

    /// Whether a commit was cut since.
    pub fn has_cut(&self) -> bool {
        lock(&self.faults.lost).is_none()
    }

    /// The database is there, and as fast as ever.
    pub fn works_again(&self) {
        self.faults.refuses.store(false, Ordering::SeqCst);
        self.faults.latency_ms.store(0, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.ended.store(true, Ordering::SeqCst);
        self.faults.cut();
        // The listener looks when somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

impl Faults {
    fn forward(faults: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let again = |stream: &TcpStream| stream.try_clone().expect("one more handle");
        for stream in [client, server] {
            stream.set_nodelay(true).expect("no delay");
            lock(&faults.open).push(again(stream));
        }
        // Set once a commit is forwarded whose answer is to be lost.
        let swallows = Arc::new(AtomicBool::new(false));
        let (asks, answers) = (Arc::clone(faults), Arc::clone(faults));
        let (from, to, swallow) = (again(client), again(server), Arc::clone(&swallows));
        std::thread::spawn(move || asks.pump(from, to, &|faults, bytes| faults.may_ask(bytes, &swallow)));
        let (from, to) = (again(server), again(client));
        std::thread::spawn(move || {
            answers.pump(from, to, &|faults, _| {
                std::thread::sleep(Duration::from_millis(faults.latency_ms.load(Ordering::SeqCst)));
                !swallows.load(Ordering::SeqCst)
            });
        });
    }

    /// Whether what the store asks is forwarded.
    fn may_ask(&self, bytes: &[u8], swallows: &AtomicBool) -> bool {
        // Not the isolation level, `READ COMMITTED`, that a new connection sets.
        let commits = |at: usize| {
            bytes[at..].starts_with(COMMIT) && bytes.get(at + COMMIT.len()).is_none_or(|&next| next != b'T')
        };
        if !(0..bytes.len()).any(commits) {
            return true;
        }
        match lock(&self.lost).take() {
            None => true,
            Some(Whose::TheStores) => false,
            Some(Whose::TheDatabases) => {
                swallows.store(true, Ordering::SeqCst);
                true
            }
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, passes: &dyn Fn(&Self, &[u8]) -> bool) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..count];
            if !passes(self, bytes) || to.write_all(bytes).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    fn cut(&self) {
        for stream in lock(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// As every client of PostgreSQL and MySQL writes it.
const COMMIT: &[u8] = b"COMMIT";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
