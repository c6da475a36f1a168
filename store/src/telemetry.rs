//! The log and the metrics.

pub mod metrics;

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the log to the standard error: lines for people, or JSON for programs. `filter` as in `info,sticker_store=debug`; below
/// `info` it reaches our own code alone, since libraries write connection strings and headers there.
///
/// # Errors
/// [`BadFilter`]; nothing is logged then.
pub fn start(filter: &str, json: bool) -> Result<(), BadFilter> {
    let filter = parsed(filter).ok_or(BadFilter)?;
    let of_ours = filter_fn(|metadata| {
        let (level, target) = (*metadata.level(), metadata.target());
        // Of an option that it does not know the driver warns with its value, which may be a password under a misspelt name.
        (level <= Level::INFO && !target.starts_with("sqlx_postgres::options"))
            || target.starts_with("sticker_")
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_timer(SystemTime);
    let lines = if json { lines.json().boxed() } else { lines.with_ansi(false).boxed() };
    // The second of two calls in one process, as tests make, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(of_ours).with_filter(filter)).try_init();
    Ok(())
}

/// A filter that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter of the log makes no sense")]
pub struct BadFilter;

/// The library takes any words for the name of a part of the program; such names have no spaces and marks.
fn parsed(filter: &str) -> Option<EnvFilter> {
    let mut in_span = false;
    let names = filter.chars().all(|letter| {
        in_span = (in_span || letter == '[') && letter != ']';
        in_span || letter.is_ascii_alphanumeric() || "_:-,=]".contains(letter)
    });
    EnvFilter::try_new(filter).ok().filter(|_| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_and_names() {
        for good in ["", "info", "warn,sticker_store=debug", "info,sticker_store[request{id=a b}]=trace"] {
            assert!(parsed(good).is_some(), "{good}");
        }
        for wrong in ["not a filter!!", "info sticker_store=debug", "sticker_store=loud", "info;warn"] {
            assert!(parsed(wrong).is_none(), "{wrong}");
        }
    }
}
