//! Bringing a release to a store: the manifest, the files that the store does not have, then the wish to publish.
//! Every step can be repeated; nothing is visible before the last.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sticker_protocol::release::{MANIFEST_FILE, Manifest, ManifestError, ReleaseFile};
use sticker_protocol::{ReleasePath, Sha256};

use crate::progress::Progress;

/// A store, and the right to publish there.
#[derive(Clone)]
pub struct PublishTarget {
    url: String,
    secret: String,
}

impl PublishTarget {
    /// The store's address, and the secret of an API client with the scope `publish`.
    pub fn new(url: &str, secret: String) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), secret }
    }
}

impl std::fmt::Debug for PublishTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishTarget").field("url", &self.url).finish_non_exhaustive()
    }
}

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
    /// A file of the release cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// `release.thrift` is no manifest.
    #[error("the release cannot be read")]
    Manifest(#[from] ManifestError),
    /// A file has changed since it was built.
    #[error("{0} is not the file that the manifest lists")]
    Changed(ReleasePath),
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
            Self::Io { .. } => "io",
            Self::Manifest(_) => "not_a_release",
            Self::Changed(_) => "file_changed",
            Self::NotEncrypted(_) => "not_encrypted",
            Self::Unreachable(_) => "unreachable",
            Self::Busy(_) => "store_busy",
            Self::NotAStore { .. } => "not_a_store",
            Self::Rejected { code, .. } => code,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Manifest(_) | Self::Changed(_) => {
                "build it again with `sticker-packer build`"
            }
            Self::NotEncrypted(_) => {
                "use https; plain http is for a store on this machine (127.0.0.1 or localhost)"
            }
            Self::Unreachable(_) | Self::Busy(_) => {
                "check the address and try again: what was uploaded stays"
            }
            Self::NotAStore { .. } => "check the address: it is the store's, without a path",
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
    if !is_private(&target.url) {
        return Err(PublishError::NotEncrypted(target.url.clone()));
    }
    let manifest = read(&out.join(MANIFEST_FILE))?;
    let files = Manifest::read(&manifest)?.files;
    files.par_iter().try_for_each(|file| read_listed(out, file).map(drop))?;

    let store = Store { target, agent: agent() };
    let state: ReleaseState = store.send("POST", "/v1/releases", &manifest)?;
    // Equal files have one hash and go once.
    let by_hash: BTreeMap<Sha256, &ReleaseFile> = files.iter().map(|file| (file.sha256, file)).collect();
    let missing: Vec<&ReleaseFile> =
        state.missing.iter().filter_map(|hash| by_hash.get(hash).copied()).collect();
    let id = state.release.id;
    progress.begins(missing.len());
    // A few at a time: enough to hide the latency, not enough to be a burden.
    missing.par_chunks(missing.len().div_ceil(UPLOADS_AT_ONCE).max(1)).try_for_each(|chunk| {
        chunk.iter().try_for_each(|file| {
            let content = read_listed(out, file)?;
            store.upload(&format!("/v1/releases/{id}/objects/{}", file.sha256), &content)?;
            progress.step();
            Ok::<_, PublishError>(())
        })
    })?;
    let done: Done = store.send("POST", &format!("/v1/releases/{id}/publish"), &[])?;
    Ok(Published { release: id, pack_url: done.pack_url, uploaded: missing.len() })
}

const UPLOADS_AT_ONCE: usize = 4;
const TRIES: u32 = 4;

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

    fn upload(&self, path: &str, body: &[u8]) -> Result<(), PublishError> {
        self.exchange("PUT", path, body).map(drop)
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
            .uri(format!("{}{path}", self.target.url))
            .header("authorization", format!("Bearer {}", self.target.secret))
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
                    findings: error.findings,
                },
                Err(_) => PublishError::NotAStore { status },
            }),
        }
    }
}

const MAX_ANSWER: u64 = 4 << 20;

fn agent() -> ureq::Agent {
    // The second of two calls finds it installed, which is what it wants.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(Duration::from_mins(5)))
        .build()
        .into()
}

/// Encrypted, or not leaving this machine.
fn is_private(url: &str) -> bool {
    let host = |rest: &str| {
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    };
    url.starts_with("https://") || url.strip_prefix("http://").is_some_and(host)
}

fn read_listed(out: &Path, file: &ReleaseFile) -> Result<Vec<u8>, PublishError> {
    let content = read(&out.join(file.path.as_str()))?;
    let same = content.len() as u64 == file.size && Sha256::of(&content) == file.sha256;
    if same { Ok(content) } else { Err(PublishError::Changed(file.path.clone())) }
}

fn read(path: &Path) -> Result<Vec<u8>, PublishError> {
    fs::read(path).map_err(|source| PublishError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_leaves_this_machine_encrypted_or_not_at_all() {
        for url in
            ["https://stickers.example.com", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/x"]
        {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://stickers.example.com",
            "http://127.0.0.1.example.com",
            "ftp://localhost",
            "",
            "http://localhost@evil",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn a_target_does_not_show_its_secret() {
        assert!(
            !format!("{:?}", PublishTarget::new("https://a", "sk_secret".to_owned())).contains("sk_secret")
        );
    }
}
