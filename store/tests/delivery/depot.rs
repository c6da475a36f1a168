//! A store with a published pack, asked through its router and over a real connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};
use sticker_store::app::{App, Parts, Role};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::serve::{listen, serve_only};
use sticker_tests::Database;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::published;

const START: i64 = 1_800_000_000_000;

/// The store, its pack, and the folder that outlives it.
pub(crate) struct Depot {
    pub(crate) app: App,
    pub(crate) release: Manifest,
    pub(crate) folder: Arc<TempDir>,
    now: Arc<AtomicI64>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> String {
        let error: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        error["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Depot {
    pub(crate) async fn new(settings: &[(&str, &str)]) -> Self {
        Self::on(&Database::Sqlite, settings).await
    }

    async fn on(database: &Database, settings: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut settings = settings.to_vec();
        if let Database::Server { url, .. } = database {
            settings.push(("DATABASE__URL", url));
        }
        let now = Arc::new(AtomicI64::new(START));
        let config = config(&folder, &settings);
        let app = Parts::open(config, Clock::Manual(Arc::clone(&now)), Random::system()).await.unwrap();
        let out = published::built("depot");
        let release = published::published(&app, out.path()).await;
        Self { app, release, folder, now }
    }

    /// A process beside this one, on the same data, that serves nothing but downloads.
    pub(crate) async fn delivers_beside(&self, settings: &[(&str, &str)]) -> App {
        let config = config(&self.folder, settings);
        let clock = Clock::Manual(Arc::clone(&self.now));
        Parts::open_for_delivery(config, clock, Random::system()).await.unwrap()
    }

    pub(crate) fn later(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// The files of the first sticker, one for each density, ascending.
    pub(crate) fn variants(&self) -> Vec<&ReleaseFile> {
        let sticker = self.release.stickers[0].id;
        let files = self.release.files_of(FileKind::Sticker);
        let mut files: Vec<_> = files.filter(|file| file.sticker == Some(sticker)).collect();
        files.sort_by_key(|file| file.density);
        files
    }

    pub(crate) fn sticker_path(&self) -> String {
        format!("/dl/{}.sticker", self.release.stickers[0].id)
    }

    pub(crate) fn canonical_path(&self, file: &ReleaseFile) -> String {
        let (density, hash) = (file.density.unwrap(), file.sha256);
        match file.sticker {
            Some(sticker) => format!("/dl/{density}/{sticker}.{hash}.sticker"),
            None => format!("/dl/{density}/{}.{hash}.zip", self.release.pack),
        }
    }

    /// Where the bytes of an object are.
    pub(crate) fn object(&self, file: &ReleaseFile) -> std::path::PathBuf {
        let hash = file.sha256.to_string();
        self.folder.path().join("objects").join(&hash[..2]).join(&hash[2..])
    }

    pub(crate) async fn gets(&self, path: &str) -> Answer {
        asks(&self.app, "GET", path, &[]).await
    }

    pub(crate) async fn gets_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        asks(&self.app, "GET", path, headers).await
    }
}

/// Runs a test in a depot on each database.
pub(crate) fn on_each_database(test: impl AsyncFn(&Depot) + Sync) {
    sticker_tests::on_each_database(|database| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let depot = Depot::on(&database, &[]).await;
            test(&depot).await;
            // A server drops no database that somebody is connected to.
            sticker_tests::closes(&depot.app.db).await;
        });
    });
}

fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let data = folder.path().display().to_string();
    let settings = settings.iter().copied().chain([("DATA_DIR", data.as_str())]);
    let set = settings.map(|(name, value)| (format!("STICKER_STORE__{name}"), value.to_owned()));
    Config::load(None, set.collect::<Vec<_>>().into_iter()).unwrap()
}

/// Through the router.
pub(crate) async fn asks(app: &App, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = published::send(app, request.body(Body::empty()).unwrap()).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

/// A store that listens; stops when dropped.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Listening {
    pub(crate) async fn serves(app: &App, roles: &'static [Role]) -> Self {
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let app = App::clone(app);
        let served = tokio::spawn(async move {
            serve_only(app, roles, listener, async move {
                let _ = stopped.await;
            })
            .await
        });
        Self { address, stop: Some(stop), served }
    }

    pub(crate) fn is_told_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A connection of its own.
    pub(crate) fn connects(&self) -> Line {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Line { stream, ahead: Vec::new() }
    }
}

/// One connection, spoken to in bytes. Blocking: tests that use it run on several threads.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
    ahead: Vec<u8>,
}

impl Line {
    pub(crate) fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn asks(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let lines =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        self.says(format!("{method} {path} HTTP/1.1\r\nhost: store\r\n{lines}\r\n").as_bytes());
        self.hears(method)
    }

    /// The next answer.
    pub(crate) fn hears(&mut self, method: &str) -> Answer {
        let end = loop {
            if let Some(end) = self.ahead.windows(4).position(|it| it == b"\r\n\r\n") {
                break end;
            }
            assert!(self.reads_on(), "the connection ended: {}", String::from_utf8_lossy(&self.ahead));
        };
        let head = String::from_utf8(self.ahead[..end].to_vec()).unwrap();
        self.ahead.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            headers.append(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let length = headers.get("content-length").map_or(0, |it| it.to_str().unwrap().parse().unwrap());
        let length = if method == "HEAD" || status == 304 { 0 } else { length };
        while self.ahead.len() < length {
            assert!(self.reads_on(), "the connection ended in a body");
        }
        Answer { status, headers, body: self.ahead.drain(..length).collect() }
    }

    /// Whether the other side has nothing more to say, and says so.
    pub(crate) fn has_ended(&mut self) -> bool {
        !self.reads_on()
    }

    fn reads_on(&mut self) -> bool {
        let mut some = vec![0; 64 << 10];
        match self.stream.read(&mut some) {
            Ok(0) => false,
            Ok(count) => {
                self.ahead.extend_from_slice(&some[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came for a minute: {error}"),
        }
    }
}
