//! The harness: the running programs, and the people who use them as types.
//!
//! Tests start the real `sticker-store` on a fresh database and folder, and talk to it over HTTP and the command line as a
//! [`Designer`], an [`Operator`], a [`ChatServer`], a [`ChatUser`] or a [`Phone`] would.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "a harness stops the test where something is not as it should be, and learns from the environment what is there"
)]

pub mod apple;
mod artwork;
mod between;
mod database;
mod edge;
pub mod google;
mod http;
mod people;
mod programs;
mod proxy;
mod s3;
mod sidecar;
mod store;
mod town;
mod verifier;
mod worker;

pub use artwork::{Artwork, shared_data};
pub use between::{Asked, Between, Fault};
pub use database::{Database, closes, on_each_database};
pub use edge::Edge;
pub use http::Answer;
pub use people::{ChatServer, ChatUser, Designer, Operator, Phone};
pub use programs::{Finished, packer, run, store_program};
pub use proxy::{Proxy, Whose};
pub use s3::Bucket;
pub use sidecar::Sidecar;
pub use store::Store;
pub use town::Town;
pub use verifier::Verifier;
pub use worker::Worker;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// Waits until something holds, which it must within two minutes.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(2);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "waited two minutes in vain: {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Says on one line of the standard error, once a process, what a test leaves out and why. Where
/// `STICKER_TEST_NOTHING_LEFT_OUT` is set, as in CI, it fails the test instead.
pub fn left_out(what: &str, why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(
        std::env::var_os("STICKER_TEST_NOTHING_LEFT_OUT").is_none(),
        "{what} may not be left out here: {why}"
    );
    let line = format!("left out: {what}: {why}");
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
        summary(&line);
    }
}

/// Says on one line of the standard error what a test has counted, past the test runner, which shows the output of failed tests alone.
pub fn summary(line: &str) {
    // In one piece, so that lines of tests beside each other stay whole; where nobody reads, nobody misses it.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A number that the environment sets for longer or shorter runs, such as `STICKER_TEST_CRASHES`.
pub fn number_set(variable: &str, usual: u64) -> u64 {
    let Ok(set) = std::env::var(variable) else { return usual };
    set.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {set:?}"))
}
