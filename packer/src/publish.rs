//! Bringing a release to a store: the manifest, the files that the store does not have, then the wish to publish.
//! Every step can be repeated; nothing is visible before the last.

mod target;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sticker_protocol::Sha256;
use sticker_protocol::release::{Manifest, ReleaseFile};

pub use self::target::PublishTarget;
use self::target::Reach;
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
    #[error("the store answers {0}")]
    Busy(u16),
    /// The answer is not that of a sticker store.
    #[error("the answer {status} is not that of a sticker store")]
    NotAStore {
        /// The answer's status.
        status: u16,
    },
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
            Self::Busy(_) => "store_busy",
            Self::NotAStore { .. } => "not_a_store",
            Self::Rejected { code, .. } => code,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Release(error) => error.hint(),
            Self::BadAddress => "write it as https://stickers.example.com, without name and password",
            Self::BadSecret => "give the secret alone, as the store's operator gave it to you",
            Self::NotEncrypted(_) => {
                "use https; plain http is for a store on this machine (127.0.0.1 or localhost)"
            }
            Self::Unreachable(_) | Self::Busy(_) => {
                "check the address and try again: what was uploaded stays"
            }
            Self::NotAStore { .. } => "check the address: it is the store's, without a path",
            Self::Rejected { hint: Some(hint), .. } => hint,
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

    let store = Store { target, agent: agent(reach) };
    let state: ReleaseState = store.send("POST", "/v1/releases", &manifest)?;
    // Equal files have one hash and go once.
    let by_hash: BTreeMap<Sha256, &ReleaseFile> = files.iter().map(|file| (file.sha256, file)).collect();
    let missing: Vec<&ReleaseFile> =
        state.missing.iter().filter_map(|hash| by_hash.get(hash).copied()).collect();
    let id = state.release.id;
    progress.begins(missing.len());
    store.upload_all(out, id, &missing, progress)?;
    let done: Done = store.send("POST", &format!("/v1/releases/{id}/publish"), &[])?;
    Ok(Published { release: id, pack_url: done.pack_url, uploaded: missing.len() })
}

const UPLOADS_AT_ONCE: usize = 4;
const TRIES: u32 = 3;

#[derive(Deserialize)]
struct ReleaseState {
    release: ReleaseJson,
    missing: Vec<Sha256>,
}

#[derive(Deserialize)]
struct ReleaseJson {
    id: Sha256,
}

#[derive(Deserialize)]
struct Done {
    pack_url: String,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureJson,
}

#[derive(Deserialize)]
struct FailureJson {
    code: String,
    message: String,
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    findings: Vec<StoreFinding>,
}

struct Store<'a> {
    target: &'a PublishTarget,
    agent: ureq::Agent,
}

impl Store<'_> {
    fn send<T: DeserializeOwned>(&self, method: &str, path: &str, body: &[u8]) -> Result<T, PublishError> {
        let (status, answer) = self.exchange(method, path, body)?;
        serde_json::from_slice(&answer).ok().ok_or(PublishError::NotAStore { status })
    }

    /// A few at a time: enough to hide the latency, not enough to be a burden. The first failure ends all.
    fn upload_all(
        &self,
        out: &Path,
        id: Sha256,
        files: &[&ReleaseFile],
        progress: &dyn Progress,
    ) -> Result<(), PublishError> {
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let path = format!("/v1/releases/{id}/objects/{}", file.sha256);
                let content = release::listed(out, file).map_err(PublishError::from);
                let sent = content.and_then(|content| self.exchange("PUT", &path, &content));
                if let Err(error) = sent {
                    next.store(files.len(), Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
                progress.step();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..UPLOADS_AT_ONCE {
                scope.spawn(work);
            }
        });
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// Tries again where the fault may pass.
    fn exchange(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>), PublishError> {
        let mut tried = 1;
        loop {
            let failed = match self.exchange_once(method, path, body) {
                Err(error @ (PublishError::Unreachable(_) | PublishError::Busy(_))) => error,
                done => return done,
            };
            if tried == TRIES {
                return Err(failed);
            }
            std::thread::sleep(Duration::from_millis(200 << tried));
            tried += 1;
        }
    }

    fn exchange_once(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>), PublishError> {
        let unreachable = |error| PublishError::Unreachable(Box::new(error));
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(self.target.address_of(path))
            .header("authorization", self.target.authorization())
            .header("content-type", "application/vnd.apache.thrift.compact")
            .body(body)
            .map_err(|error| unreachable(error.into()))?;
        let mut answer = self.agent.run(request).map_err(unreachable)?;
        let status = answer.status().as_u16();
        let content = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)?;
        match status {
            200..=299 => Ok((status, content)),
            429 | 500..=599 => Err(PublishError::Busy(status)),
            _ => Err(match serde_json::from_slice::<Failure>(&content) {
                Ok(Failure { error }) => PublishError::Rejected {
                    code: error.code,
                    message: error.message,
                    request_id: error.request_id,
                    hint: error.hint,
                    findings: error.findings,
                },
                Err(_) => PublishError::NotAStore { status },
            }),
        }
    }
}

const MAX_ANSWER: u64 = 4 << 20;

fn agent(reach: Reach) -> ureq::Agent {
    // The second of two calls finds it installed, which is what it wants.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(Duration::from_mins(5)));
    match reach {
        Reach::Network => config.build().into(),
        Reach::ThisMachine => config.proxy(None).build().into(),
    }
}
