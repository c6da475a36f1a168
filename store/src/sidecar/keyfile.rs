//! Keys from a file, read again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sticker_protocol::Sha256;

use super::{Shared, StartError};
use crate::telemetry::metrics;
use crate::token::file::{self, FileError};

/// Reads the file, and begins to look after it.
pub(super) fn start(shared: &Arc<Shared>, path: PathBuf) -> Result<(), StartError> {
    let mut seen = Seen::default();
    look(shared, &path, &mut seen)?;
    let shared = Arc::clone(shared);
    let keep = move || loop {
        thread::sleep(PAUSE);
        match look(&shared, &path, &mut seen) {
            Ok(true) => tracing::info!(file.path = %path.display(), "took the changed key file"),
            Ok(false) => {}
            Err(error) => failed(&shared, &path, &error),
        }
    };
    thread::Builder::new().name("key file".to_owned()).spawn(keep).map(drop).map_err(StartError::Thread)
}

/// What was last read, by its hash: times of change are too coarse, and secrets need not lie about.
#[derive(Debug, Default)]
struct Seen {
    good: Option<Sha256>,
    bad: Option<Sha256>,
}

/// Whether there was something new, which is taken. One bad state of the file is told once.
fn look(shared: &Shared, path: &Path, seen: &mut Seen) -> Result<bool, FileError> {
    let text = match file::read_private(path) {
        Ok(text) => text,
        Err(error) => {
            let told = Sha256::of(error.to_string().as_bytes());
            return if seen.bad.replace(told) == Some(told) { Ok(false) } else { Err(error) };
        }
    };
    let hash = Sha256::of(text.as_bytes());
    if seen.bad == Some(hash) {
        return Ok(false);
    }
    let is_new = seen.good != Some(hash);
    if is_new {
        match file::parse(path, &text) {
            Ok(keys) => shared.take_keyring(&keys, shared.clock.now()),
            Err(error) => {
                seen.bad = Some(hash);
                return Err(error);
            }
        }
    } else {
        shared.verifier.keyring_is_current(shared.clock.now());
    }
    *seen = Seen { good: Some(hash), bad: None };
    shared.tell(|told| told.keyring_problem = None);
    metrics::keyring_fresh();
    Ok(is_new)
}

fn failed(shared: &Shared, path: &Path, error: &FileError) {
    let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    tracing::error!(
        file.path = %path.display(),
        error.reason = reason,
        "the changed key file is refused; going on with the keys of before"
    );
    metrics::keyring_reload_failed();
    shared.tell(|told| told.keyring_problem = Some("key_file_refused"));
}

const PAUSE: Duration = Duration::from_secs(1);
