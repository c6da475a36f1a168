//! A running store.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::{self, Database};
use crate::http::Client;
use crate::people::Operator;
use crate::programs::{store_program, terminated};
use crate::worker::Worker;

/// A `sticker-store serve` of its own on loopback, with a data folder of its own; ended when dropped.
#[derive(Debug)]
pub struct Store {
    process: Child,
    setup: Setup,
}

/// What outlives a restart.
#[derive(Clone, Debug)]
struct Setup {
    data: Arc<TempDir>,
    port: u16,
    database: Database,
    settings: Vec<(String, String)>,
    /// What comes after `serve`.
    arguments: &'static [&'static str],
}

impl Store {
    /// Starts a store and waits until it is ready.
    pub fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// The same with settings, each the name of an environment variable and its value.
    pub fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let data = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Self::run(Setup { data, port: free_port(), database, settings, arguments: &[] })
    }

    /// Starts one more process of the same store: the same database, objects and settings at another address.
    #[must_use]
    pub fn one_more(&self) -> Self {
        Self::run(Setup { port: free_port(), ..self.setup.clone() })
    }

    /// Starts a process that serves nothing but downloads: the same objects and settings, and this way to the database.
    #[must_use]
    pub fn delivers_beside(&self, database: Database) -> Self {
        let setup = self.setup.clone();
        Self::run(Setup { port: free_port(), database, arguments: &["--only", "delivery"], ..setup })
    }

    fn run(setup: Setup) -> Self {
        let mut command = store_program();
        setup.configure(&mut command);
        let log = File::options().create(true).append(true).open(setup.log()).expect("a log file");
        let process = command
            .arg("serve")
            .args(setup.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("the store starts");
        let mut store = Self { process, setup };
        store.wait_until_ready();
        store
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                panic!("the store ended with {status}:\n{}", self.log());
            }
            if std::net::TcpStream::connect(("127.0.0.1", self.setup.port)).is_ok()
                && self.client().get("/health/ready", &[]).status == 200
            {
                return;
            }
            assert!(Instant::now() < deadline, "the store is not ready after a minute:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address without a slash at the end.
    pub fn url(&self) -> String {
        self.setup.url()
    }

    /// The number that the system gives its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The folder that holds keys, objects and the SQLite file.
    pub fn data(&self) -> &Path {
        self.setup.data.path()
    }

    /// Everything that the store has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.setup.log()).unwrap_or_default()
    }

    /// Somebody with a shell on the store's machine.
    pub fn operator(&self) -> Operator<'_> {
        Operator::new(self)
    }

    /// Changes rows behind the store's back, as damage does.
    pub fn has_rows_altered(&self, statement: &str) {
        database::execute(&self.database_url(), statement);
    }

    /// Looks at rows behind the store's back: the numbers of the one row that a statement gives.
    pub fn has_numbers<const N: usize>(&self, statement: &str) -> [i64; N] {
        database::numbers(&self.database_url(), statement)
    }

    /// The same: the texts of each row.
    pub fn has_texts<const N: usize>(&self, statement: &str) -> Vec<[String; N]> {
        database::texts(&self.database_url(), statement)
    }

    fn database_url(&self) -> String {
        match &self.setup.database {
            Database::Sqlite => format!("sqlite://{}", self.data().join("store.sqlite").display()),
            Database::Server { url, .. } => url.clone(),
        }
    }

    /// Starts a worker on the same database with the same settings.
    pub fn has_a_worker(&self) -> Worker {
        Worker::start(self.command(), self.data().join("worker.log"))
    }

    /// A call of the store's command line with this store's configuration.
    pub(crate) fn command(&self) -> Command {
        let mut command = store_program();
        self.setup.configure(&mut command);
        command
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// Asks it to end, as a deployment does, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        self.terminate()
    }

    /// Ends it at once, as a power cut does, and starts it again on the same data.
    #[must_use]
    pub fn crash_and_restart(mut self) -> Self {
        self.process.kill().expect("the store is ended");
        self.process.wait().expect("the store is gone");
        Self::run(self.setup.clone())
    }

    /// The same in place, so that others go on asking at the same address.
    pub fn crashes_and_restarts(&mut self) {
        self.process.kill().expect("the store is ended");
        self.process.wait().expect("the store is gone");
        *self = Self::run(self.setup.clone());
    }

    /// Stops it, and starts it again at the same address on the same data when `meanwhile` is over.
    pub fn is_away_while(&mut self, meanwhile: impl FnOnce()) {
        assert_eq!(self.terminate(), 0, "{}", self.log());
        meanwhile();
        *self = Self::run(self.setup.clone());
    }

    fn terminate(&mut self) -> i32 {
        let setup = self.setup.clone();
        terminated(&mut self.process, || std::fs::read_to_string(setup.log()).unwrap_or_default())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Setup {
    fn configure(&self, command: &mut Command) {
        command
            .env("STICKER_STORE__DATA_DIR", self.data.path())
            .env("STICKER_STORE__SERVER__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("STICKER_STORE__SERVER__PUBLIC_URL", self.url())
            .env("STICKER_STORE__PURCHASE__SANDBOX", "true");
        if let Database::Server { url, .. } = &self.database {
            command.env("STICKER_STORE__DATABASE__URL", url);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> PathBuf {
        self.data.path().join(format!("store-{}.log", self.port))
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
