//! `sticker-store check-release`, which the store starts for each release that it checks.

use std::io::{self, BufRead as _, Read as _, Write as _};

use nix::sys::resource::{Resource, setrlimit};
use sticker_store::publishing::inspect::{self, Line, Order};

use super::{Status, failed};

/// Bounds itself, checks what the standard input asks for, and tells each step on the standard output. Ends when the input does.
pub(super) fn run() -> Status {
    let mut order = String::new();
    let read = io::stdin().lock().take(MAX_ORDER).read_line(&mut order);
    let order: Order = match read.and_then(|_| serde_json::from_str(&order).map_err(io::Error::other)) {
        Ok(order) => order,
        Err(error) => return failed("order", &error, "the store starts this command by itself"),
    };
    let bounded = bound(&order);
    if let Err(error) = bounded {
        return failed("system", &error, "check the limits of this system");
    }
    // Nobody outlives the store that asked.
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        end();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    let mut tell = |line: Line| {
        let told = serde_json::to_string(&line).map_err(io::Error::other);
        if told.and_then(|line| writeln!(io::stdout(), "{line}")).is_err() {
            end();
        }
    };
    runtime.block_on(inspect::run(&order, &mut tell));
    Status::Done
}

/// What is larger than a manifest of a megabyte, and the hashes in it, in JSON.
const MAX_ORDER: u64 = 8 << 20;

#[expect(clippy::exit, reason = "whoever asked is gone, and nothing is left to be done")]
fn end() {
    std::process::exit(3);
}

fn bound(order: &Order) -> io::Result<()> {
    let cpu = u64::from(order.cpu_seconds);
    for (resource, most) in [
        // Memory that is written to, and addresses, which the program's own files take as well.
        (Resource::RLIMIT_DATA, order.memory_bytes),
        (Resource::RLIMIT_AS, order.memory_bytes.saturating_add(PROGRAM)),
        (Resource::RLIMIT_CPU, cpu),
        (Resource::RLIMIT_CORE, 0),
        // It writes nothing that is larger than an object.
        (Resource::RLIMIT_FSIZE, MAX_FILE),
    ] {
        setrlimit(resource, most, most)?;
    }
    Ok(())
}

/// Bytes: the program itself and its threads' stacks.
const PROGRAM: u64 = 512 << 20;
const MAX_FILE: u64 = 256 << 20;
