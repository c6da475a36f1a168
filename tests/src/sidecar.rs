//! A running sidecar.

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Answer, Client};
use crate::programs::store_program;
use crate::store::free_port;

/// A `sticker-store sidecar` of its own on loopback; ended when dropped.
#[derive(Debug)]
pub struct Sidecar {
    process: Child,
    client: Client,
    address: String,
    folder: TempDir,
}

impl Sidecar {
    /// Starts one beside a store, with the secret of a client, and waits until it answers; it need not be ready.
    pub fn of_store(url: &str, secret: &str, more: &[&str]) -> Self {
        Self::start(&[&["--store", url], more].concat(), Some(secret))
    }

    /// Starts one with a key file.
    pub fn of_keys(keys: &Path) -> Self {
        Self::start(&["--keys", keys.to_str().expect("a path in UTF-8")], None)
    }

    fn start(arguments: &[&str], secret: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = format!("127.0.0.1:{}", free_port());
        let log = File::create(folder.path().join("log")).expect("a log file");
        let mut command = Self::command(arguments, secret);
        command.args(["--listen", &address]).stdin(Stdio::null());
        let process = command
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("the sidecar starts");
        let mut sidecar =
            Self { process, client: Client::new(&format!("http://{address}")), address, folder };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(&sidecar.address).is_err() {
            if let Some(status) = sidecar.process.try_wait().expect("a child") {
                panic!("the sidecar ended with {status}:\n{}", sidecar.log());
            }
            assert!(Instant::now() < deadline, "the sidecar does not answer:\n{}", sidecar.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        sidecar
    }

    /// A call of the sidecar's command line.
    pub fn command(arguments: &[&str], secret: Option<&str>) -> Command {
        let mut command = store_program();
        command.arg("sidecar").args(arguments);
        if let Some(secret) = secret {
            command.env("STICKER_STORE_SECRET", secret);
        }
        command
    }

    /// Has it check one token.
    pub fn checks(&self, token: &str, sticker: u64, user: &str) -> Value {
        let checks = json!({ "checks": [{ "token": token, "sticker_id": sticker, "user": user }] });
        self.posts(&checks).expect(200).json()["results"][0].clone()
    }

    /// Any body to check.
    pub fn posts(&self, body: &Value) -> Answer {
        self.client.post_json("/v1/tokens/verify", body)
    }

    /// Whether it is ready, and what it says about that.
    pub fn readiness(&self) -> Answer {
        self.client.get("/health/ready", &[])
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        self.readiness().status == 200
    }

    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.client.get("/metrics", &[]).expect(200).text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    /// A connection to send it whatever bytes.
    pub fn connects(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("the sidecar listens")
    }

    /// Asks it to end, as a deployment does, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(sent.success(), "the sidecar had ended before:\n{}", self.log());
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                return status.code().expect("the sidecar ends by itself");
            }
            assert!(Instant::now() < deadline, "the sidecar does not stop:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
