//! The log and the metrics.

pub mod metrics;

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the log to the standard error: lines for people, or JSON for programs. `filter` as in `info,sticker_store=debug`; below
/// `info` it reaches our own code alone, since libraries write connection strings and headers there.
pub fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let of_ours =
        filter_fn(|metadata| *metadata.level() <= Level::INFO || metadata.target().starts_with("sticker_"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_timer(SystemTime);
    let lines = if json { lines.json().boxed() } else { lines.with_ansi(false).boxed() };
    // The second of two calls in one process, as tests make, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(of_ours).with_filter(filter)).try_init();
}
