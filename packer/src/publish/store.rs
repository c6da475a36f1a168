//! The store's publishing API, as it is asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sticker_protocol::Sha256;
use sticker_protocol::release::ReleaseFile;

use super::target::{PublishTarget, Reach};
use super::upload::{self, Upload};
use super::{PublishError, StoreFinding};
use crate::progress::Progress;
use crate::release;

const UPLOADS_AT_ONCE: usize = 4;
const TRIES: u32 = 3;

/// How far a release is.
#[derive(Deserialize)]
pub(super) struct ReleaseState {
    pub(super) release: ReleaseJson,
    pub(super) missing: Vec<Sha256>,
    /// Where missing files go; where there are none, they go to the store.
    #[serde(default)]
    pub(super) uploads: BTreeMap<Sha256, Upload>,
}

#[derive(Deserialize)]
pub(super) struct ReleaseJson {
    pub(super) id: Sha256,
}

#[derive(Deserialize)]
pub(super) struct Done {
    pub(super) release: ReleaseStage,
    /// None while the store is checking.
    #[serde(default)]
    pub(super) pack_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ReleaseStage {
    pub(super) state: String,
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

pub(super) struct Store<'a> {
    target: &'a PublishTarget,
    agent: ureq::Agent,
    uploads: upload::Uploads,
}

/// What came of sending files.
pub(super) struct Sent {
    /// Those that were taken.
    pub(super) files: usize,
    /// Why one was not, where a fresh address may be better.
    pub(super) refused: Option<PublishError>,
}

impl<'a> Store<'a> {
    pub(super) fn new(target: &'a PublishTarget, reach: Reach) -> Self {
        Self { target, agent: agent(reach), uploads: upload::Uploads::new(reach) }
    }

    pub(super) fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<T, PublishError> {
        let (status, answer) = again(|| self.exchange_once(method, path, body))?;
        serde_json::from_slice(&answer).ok().ok_or(PublishError::NotAStore { status })
    }

    /// A few at a time: enough to hide the latency, not enough to be a burden. The first failure ends all, and so does the first address
    /// that is refused. Files for which there is no address wait for one, where any has one.
    pub(super) fn upload_all(
        &self,
        out: &Path,
        state: &ReleaseState,
        files: &[&ReleaseFile],
        progress: &dyn Progress,
    ) -> Result<Sent, PublishError> {
        let (next, sent, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(None));
        let work = || {
            while let Some(&file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.upload(out, state, file) {
                    Ok(false) => continue,
                    Ok(true) => sent.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        next.store(files.len(), Ordering::Relaxed);
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                        return;
                    }
                };
                progress.step();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..UPLOADS_AT_ONCE {
                scope.spawn(work);
            }
        });
        let files = sent.into_inner();
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(Sent { files, refused: None }),
            Some(refused @ PublishError::NotTaken { status: EXPIRED, .. }) => {
                Ok(Sent { files, refused: Some(refused) })
            }
            Some(error) => Err(error),
        }
    }

    /// Sends a file where the store wants it; says whether it did.
    fn upload(&self, out: &Path, state: &ReleaseState, file: &ReleaseFile) -> Result<bool, PublishError> {
        let address = state.uploads.get(&file.sha256);
        if address.is_none() && !state.uploads.is_empty() {
            return Ok(false);
        }
        let content = release::listed(out, file)?;
        if let Some(address) = address {
            again(|| self.uploads.put(address, file, &content))?;
        } else {
            let path = format!("/v1/releases/{}/objects/{}", state.release.id, file.sha256);
            again(|| self.exchange_once("PUT", &path, &content))?;
        }
        Ok(true)
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
            429 | 500..=599 => Err(busy(status, answer.headers(), &content)),
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

/// Tries again where the fault may pass.
fn again<T>(mut exchange: impl FnMut() -> Result<T, PublishError>) -> Result<T, PublishError> {
    let mut tried = 1;
    loop {
        let failed = match exchange() {
            Err(error @ (PublishError::Unreachable(_) | PublishError::Busy { .. })) => error,
            done => return done,
        };
        if tried == TRIES {
            return Err(failed);
        }
        let asked = match &failed {
            PublishError::Busy { after, .. } => *after,
            _ => Duration::ZERO,
        };
        std::thread::sleep(asked.max(Duration::from_millis(200 << tried)));
        tried += 1;
    }
}

/// What a store says that cannot now: in its own words, where it has some, and when to come again, if that is soon.
pub(super) fn busy(status: u16, headers: &ureq::http::HeaderMap, content: &[u8]) -> PublishError {
    let after = headers.get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
    let after = Duration::from_secs(after.unwrap_or_default()).min(LONGEST_PAUSE);
    let (said, hint) = match serde_json::from_slice::<Failure>(content) {
        Ok(Failure { error }) => {
            (format!(": {} ({}, request {})", error.message, error.code, error.request_id), error.hint)
        }
        Err(_) => (String::new(), None),
    };
    PublishError::Busy { status, said, hint, after }
}

/// Who is asked to wait for longer learns that instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The status that S3 has for an address that has expired.
const EXPIRED: u16 = 403;
const MAX_ANSWER: u64 = 8 << 20;

pub(super) fn agent(reach: Reach) -> ureq::Agent {
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
