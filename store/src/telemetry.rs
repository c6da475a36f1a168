//! The log and the metrics.

pub mod metrics;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Writes the log to the standard error: lines for people, or JSON for programs. `filter` as in `info,sticker_store=debug`.
pub fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(SystemTime);
    // The second of two calls in one process, as tests make, changes nothing.
    let _ = if json { log.json().try_init() } else { log.with_ansi(false).try_init() };
}
