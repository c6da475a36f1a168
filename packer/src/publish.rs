//! Bringing a release to a store: the manifest, the files that the store does not have, then the wish to publish.
//! Every step can be repeated; nothing is visible before the last.

mod store;
mod target;
mod upload;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sticker_protocol::Sha256;
use sticker_protocol::release::{Manifest, ReleaseFile};

use self::store::{Done, ReleaseState, Store};
pub use self::target::PublishTarget;
use crate::progress::Progress;
use crate::release::{self, ReleaseError};

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The release's id.
    pub release: Sha256,
    /// Where people find the pack.
    pub pack_url: String,
    /// Files that the store did not have before.
    pub uploaded: usize,
}

/// Why a release is not in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The release cannot be relied on.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The address has another form than a store's, or says who calls.
    #[error("this is not the address of a store")]
    BadAddress,
    /// The secret is empty, or has spaces, line ends or letters beyond ASCII.
    #[error("the secret has another form than a store's secret")]
    BadSecret,
    /// The secret would go over the network in the clear.
    #[error("{0} is not encrypted")]
    NotEncrypted(String),
    /// No answer, after several tries.
    #[error("the store does not answer")]
    Unreachable(#[source] Box<ureq::Error>),
    /// The store answered that it cannot, after several tries.
    #[error("the store answers {status}{said}")]
    Busy {
        /// The answer's status.
        status: u16,
        /// What it says, with its code, behind a colon; empty where it says nothing.
        said: String,
        /// The store's advice, where it gives any.
        hint: Option<String>,
        /// When it wants to be asked again.
        after: Duration,
    },
    /// The check took longer than anybody waits.
    #[error("the store is still checking the release")]
    StillChecking,
    /// The answer is not that of a sticker store.
    #[error("the answer {status} is not that of a sticker store")]
    NotAStore {
        /// The answer's status.
        status: u16,
    },
    /// The store gave an address for a file that is none, that is not encrypted, or that leads to this machine.
    #[error("the store gave an address for a file to which it may not be sent")]
    BadUploadAddress,
    /// A file was not taken at the address that the store gave for it, nor at a fresh one.
    #[error("{path} was not taken where the store wanted it: status {status}")]
    NotTaken {
        /// The file in the release.
        path: String,
        /// What was answered.
        status: u16,
    },
    /// The store goes on saying that files are missing which were sent.
    #[error("the store still misses {0} files that were sent")]
    NotKept(usize),
    /// The store refused.
    #[error("the store refused: {message} ({code}, request {request_id})")]
    Rejected {
        /// The store's stable code.
        code: String,
        /// The store's words.
        message: String,
        /// Names the request in the store's log.
        request_id: String,
        /// The store's advice, where it gives any.
        hint: Option<String>,
        /// What is wrong with which file.
        findings: Vec<StoreFinding>,
    },
}

/// Something that the store found in a release.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StoreFinding {
    /// The file in the release.
    pub path: String,
    /// Stable name of the kind of finding.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: String,
}

/// As the packer's own findings are told.
impl std::fmt::Display for StoreFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error[{}]: {}\n  --> {}", self.code, self.message, self.path)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  hint: {}", self.hint) }
    }
}

impl PublishError {
    /// Stable name of the kind of failure.
    pub fn code(&self) -> &str {
        match self {
            Self::Release(error) => error.code(),
            Self::BadAddress => "bad_address",
            Self::BadSecret => "bad_secret",
            Self::NotEncrypted(_) => "not_encrypted",
            Self::Unreachable(_) => "unreachable",
            Self::Busy { .. } => "store_busy",
            Self::StillChecking => "still_checking",
            Self::NotAStore { .. } => "not_a_store",
            Self::BadUploadAddress => "bad_upload_address",
            Self::NotTaken { .. } => "upload_not_taken",
            Self::NotKept(_) => "upload_not_kept",
            Self::Rejected { code, .. } => code,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Release(error) => error.hint(),
            Self::Busy { hint: Some(hint), .. } | Self::Rejected { hint: Some(hint), .. } => hint,
            Self::BadAddress => "write it as https://stickers.example.com, without name and password",
            Self::BadSecret => "give the secret alone, as the store's operator gave it to you",
            Self::NotEncrypted(_) => {
                "use https; plain http is for a store on this machine (127.0.0.1 or localhost)"
            }
            Self::StillChecking => "publish again later: it then says how the check ended",
            Self::Unreachable(_) | Self::Busy { .. } => {
                "check the address and try again: what was uploaded stays"
            }
            Self::NotAStore { .. } => "check the address: it is the store's, without a path",
            Self::BadUploadAddress => {
                "tell the store's operator: objects.endpoint has to be an https address"
            }
            Self::NotTaken { .. } | Self::NotKept(_) => {
                "try again: what was uploaded stays; if it goes on, tell the store's operator"
            }
            Self::Rejected { code, .. } if code == "unauthorized" || code == "missing_scope" => {
                "ask the store's operator for a secret with the scope publish"
            }
            Self::Rejected { .. } => "mend what the store found and publish again",
        }
    }
}

/// Publishes what [`crate::build`] made in `out`.
///
/// # Errors
/// [`PublishError`]; calling again goes on where it ended.
pub fn publish(
    out: &Path,
    target: &PublishTarget,
    progress: &dyn Progress,
) -> Result<Published, PublishError> {
    let reach = target.check()?;
    let (Manifest { files, .. }, manifest) = release::manifest(out)?;
    files.par_iter().try_for_each(|file| release::listed(out, file).map(drop))?;

    let store = Store::new(target, reach);
    let mut state: ReleaseState = store.send("POST", "/v1/releases", &manifest)?;
    // Equal files have one hash and go once.
    let files = Files { out, by_hash: files.iter().map(|file| (file.sha256, file)).collect(), progress };
    let (id, mut uploaded, mut tried) = (state.release.id, 0, 1);
    progress.begins(state.missing.len());
    loop {
        uploaded += bring(&store, &files, state)?;
        match shown(&store, id) {
            // What it had may be damaged, or have been removed since it was asked: now it says so.
            Err(PublishError::Rejected { code, .. }) if code == "files_missing" && tried < ROUNDS => {
                tried += 1;
            }

            pack_url => return Ok(Published { release: id, pack_url: pack_url?, uploaded }),
        }
        state = store.send("GET", &format!("/v1/releases/{id}"), &[])?;
    }
}

const ROUNDS: u32 = 3;

/// Asks for the release to be shown until it is; gives the pack's page. The store lets each question wait for the check for a while.
fn shown(store: &Store<'_>, id: Sha256) -> Result<String, PublishError> {
    for _ in 0..LOOKS {
        let done: Done = store.send("POST", &format!("/v1/releases/{id}/publish"), &[])?;
        match done.pack_url {
            Some(pack_url) => return Ok(pack_url),
            None if done.release.state == "checking" => std::thread::sleep(PAUSE),
            None => return Err(PublishError::NotAStore { status: 200 }),
        }
    }
    Err(PublishError::StillChecking)
}

/// Most of an hour, since each takes 45 s.
const LOOKS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(200);

/// The release's files as they are sent.
struct Files<'a> {
    out: &'a Path,
    by_hash: BTreeMap<Sha256, &'a ReleaseFile>,
    progress: &'a dyn Progress,
}

/// Sends what is missing, where the store wants it, until nothing is; gives how many files were sent.
fn bring(store: &Store<'_>, files: &Files<'_>, mut state: ReleaseState) -> Result<usize, PublishError> {
    let (mut uploaded, mut in_vain) = (0, 0);
    loop {
        let missing: Vec<&ReleaseFile> =
            state.missing.iter().filter_map(|hash| files.by_hash.get(hash).copied()).collect();
        if missing.is_empty() {
            return Ok(uploaded);
        }
        let sent = store.upload_all(files.out, &state, &missing, files.progress)?;
        uploaded += sent.files;
        if state.uploads.is_empty() {
            return Ok(uploaded);
        }
        // Of many files the store gives addresses for some, and those that have expired are made anew.
        state = store.send("GET", &format!("/v1/releases/{}", state.release.id), &[])?;
        in_vain = if state.missing.len() < missing.len() { 0 } else { in_vain + 1 };
        if in_vain == ROUNDS {
            return Err(sent.refused.unwrap_or(PublishError::NotKept(state.missing.len())));
        }
    }
}
