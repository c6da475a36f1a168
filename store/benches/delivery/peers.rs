//! The servers that are compared, and what asks them.

use std::fmt;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server; ended when dropped.
pub(crate) struct Peer {
    process: Child,
    pub(crate) port: u16,
    /// nginx's configuration.
    _folder: Option<TempDir>,
}

impl Peer {
    /// The store, with so many bytes of memory for hot objects.
    pub(crate) fn store(data: &Path, cache_bytes: u64) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sticker-store"));
        command
            .arg("serve")
            .env("STICKER_STORE__DATA_DIR", data)
            .env("STICKER_STORE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("STICKER_STORE__DELIVERY__CACHE_BYTES", cache_bytes.to_string())
            .env("STICKER_STORE__DELIVERY__NEGOTIATED_PER_SECOND", "4000000000");
        Self::started(command, port, None)
    }

    /// nginx on the folder of objects; none where it is not installed.
    pub(crate) fn nginx(data: &Path) -> Option<Self> {
        let program = ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| is_there(program))?;
        let (folder, port) = (tempfile::tempdir().ok()?, free_port());
        let root = data.join("objects").display().to_string();
        let (home, cores) =
            (folder.path().display(), std::thread::available_parallelism().map_or(1, usize::from));
        let configuration = format!(
            "user root; worker_processes {cores}; daemon off; pid {home}/pid; error_log {home}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n\
               client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home}; uwsgi_temp_path {home};\n\
               scgi_temp_path {home}; default_type application/vnd.sticker;\n\
               server {{ listen 127.0.0.1:{port} reuseport; root {root};\n\
                 add_header Cache-Control \"public, max-age=86400\"; add_header X-Content-Type-Options nosniff; }} }}\n"
        );
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, configuration).ok()?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&path);
        Some(Self::started(command, port, Some(folder)))
    }

    fn started(mut command: Command, port: u16, folder: Option<TempDir>) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = quiet.spawn().expect("the server starts");
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, _folder: folder }
    }

    /// The processes that work: nginx's are children of its first.
    fn processes(&self) -> Vec<u32> {
        let id = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id).chain(children.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }

    /// Processor time so far, in hundredths of a second: fields 14 and 15 of proc(5)'s stat.
    fn ticks(&self) -> u64 {
        let of = |id: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (_, rest) = stat.rsplit_once(')')?;
            let fields: Vec<_> = rest.split_whitespace().collect();
            Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
        };
        self.processes().into_iter().filter_map(of).sum()
    }

    /// Memory that is resident, in KiB.
    pub(crate) fn memory(&self) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
    }

    /// A load with the processor time that the server took for each request.
    pub(crate) fn under(&self, load: impl FnOnce() -> Load) -> Load {
        let before = self.ticks();
        let load = load();
        let taken = (self.ticks() - before) as f64 * 10_000.0;
        Load { cpu: taken / load.answered, ..load }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // nginx ends its workers itself when it is asked to.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// What a server did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Answers a second.
    pub(crate) requests: f64,
    /// Milliseconds that 99 of 100 answers took at most.
    pub(crate) p99: f64,
    /// The server's processor time for each, in microseconds.
    pub(crate) cpu: f64,
    answered: f64,
}

impl Load {
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| {
            let mut values: Vec<_> = rounds.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Self {
            requests: of(|it| it.requests),
            p99: of(|it| it.p99),
            cpu: of(|it| it.cpu),
            answered: of(|it| it.answered),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} requests/s, p99 {:.2} ms, CPU {:.1} us", self.requests, self.p99, self.cpu)
    }
}

/// Asks with two threads; every answer has to be the object.
pub(crate) fn wrk(peer: &Peer, script: &str, connections: u32, seconds: u32) -> Load {
    let output = Command::new("wrk")
        .args(["-t2", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency", "-s", script])
        .arg(format!("http://127.0.0.1:{}/", peer.port))
        .output()
        .expect("wrk starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "not every answer came:\n{text}");
    let after = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let requests = after("Requests/sec:").and_then(|it| it.parse().ok()).expect("a rate");
    let p99 = after("99%").and_then(milliseconds).expect("a latency");
    let answered = text.lines().find_map(|line| line.trim().split_once(" requests in "));
    let answered = answered.and_then(|(count, _)| count.parse().ok()).expect("a count");
    Load { requests, p99, cpu: 0.0, answered }
}

fn milliseconds(text: &str) -> Option<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)] {
        if let Some(number) = text.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok()) {
            return Some(number * factor);
        }
    }
    None
}

pub(crate) fn is_there(program: &str) -> bool {
    Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
