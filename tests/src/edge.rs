//! nginx and Varnish in front of a store, with the configuration that `sticker-store edge-config` prints.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::left_out;
use crate::programs::{run, store_program};
use crate::store::free_port;

/// A running cache on loopback with nothing in it, its files in a folder of its own; ended when dropped.
#[derive(Debug)]
pub struct Edge {
    /// What people call it.
    pub name: &'static str,
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Edge {
    /// Each product that is installed, in front of the same origin; what is missing is said.
    pub fn each_before(origin: &str) -> Vec<Self> {
        [Self::nginx(origin), Self::varnish(origin)].into_iter().flatten().collect()
    }

    /// nginx before a store at this address; `None`, which is said, where it is not installed.
    pub fn nginx(origin: &str) -> Option<Self> {
        let program = installed("nginx")?;
        let (folder, port) = (open_folder(), free_port());
        let file = written("nginx", origin, port, folder.path());
        let mut nginx = Command::new(program);
        nginx.arg("-p").arg(folder.path()).arg("-c").arg(file).args(["-e", "stderr", "-g", "daemon off;"]);
        Some(Self::start("nginx", nginx, port, folder))
    }

    /// Varnish before a store at this address; `None`, which is said, where it is not installed.
    pub fn varnish(origin: &str) -> Option<Self> {
        let program = installed("varnishd")?;
        let (folder, port) = (open_folder(), free_port());
        let file = written("varnish", origin, port, folder.path());
        let mut varnish = Command::new(program);
        varnish
            .args([
                "-F",
                "-a",
                &format!("127.0.0.1:{port}"),
                "-s",
                "malloc,256m",
                "-p",
                "backend_idle_timeout=20",
                "-f",
            ])
            .arg(file);
        varnish.arg("-n").arg(folder.path().join("work"));
        Some(Self::start("Varnish", varnish, port, folder))
    }

    fn start(name: &'static str, mut command: Command, port: u16, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log file");
        let both = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log file")).stderr(log);
        let process = both.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut edge = Self { name, process, port, folder };
        let deadline = Instant::now() + Duration::from_mins(1);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = edge.process.try_wait().expect("a child") {
                panic!("{name} ended with {status}:\n{}", edge.log());
            }
            assert!(Instant::now() < deadline, "{name} does not answer:\n{}", edge.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        edge
    }

    /// The address without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it said.
    pub fn log(&self) -> String {
        ["log", "error.log"]
            .map(|file| fs::read_to_string(self.folder.path().join(file)).unwrap_or_default())
            .concat()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Asked rather than killed: each has processes for its work, which end with it alone then.
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(30);
        while asked.is_ok() && Instant::now() < deadline && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a program of the system is; `None`, which is said, where it is not.
fn installed(name: &'static str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        left_out(name, "it is not installed; .ci/tools installs it");
    }
    found
}

/// A folder that the user of the worker processes can read.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a folder of ours");
    folder
}

/// The configuration as the program prints it, in a file.
fn written(product: &str, origin: &str, port: u16, folder: &Path) -> PathBuf {
    let listen = format!("127.0.0.1:{port}");
    let printed = run(store_program()
        .args(["edge-config", "--for", product, "--origin", origin])
        .args(["--listen", &listen]));
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let file = folder.join(product);
    fs::write(&file, printed.stdout).expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a file of ours");
    file
}
