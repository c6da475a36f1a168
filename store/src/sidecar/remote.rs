//! Keys and deny feed of a store, asked for by two threads.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sticker_protocol::token::{KeyFile, KeyFileError, PageError, RevocationPage};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::backoff::Backoff;
use super::memory::Memory;
use super::{Address, Shared, StartError};
use crate::telemetry::metrics;
use crate::token::file::FileError;

/// Begins with what is remembered, and to ask the store.
pub(super) fn start(
    shared: &Arc<Shared>,
    address: Address,
    authorities: Option<&Path>,
    memory: Option<PathBuf>,
) -> Result<Memory, StartError> {
    let agent = agent(&address, authorities)?;
    let (memory, keyring) = Memory::start(memory, address.url(), &shared.verifier, shared.clock.clone())?;
    if let Some(known) = &keyring {
        shared.take_keyring(&known.file, known.at);
    }
    let tag = keyring.and_then(|known| known.tag);
    let store = Arc::new(Store { shared: Arc::clone(shared), agent, address, memory: memory.clone() });
    let same = Arc::clone(&store);
    let keyring = thread::Builder::new().name("keyring".to_owned());
    keyring.spawn(move || same.keep_keyring(tag)).map_err(StartError::Thread)?;
    let feed = thread::Builder::new().name("revocations".to_owned());
    feed.spawn(move || store.keep_feed()).map_err(StartError::Thread)?;
    Ok(memory)
}

struct Store {
    shared: Arc<Shared>,
    agent: Agent,
    address: Address,
    memory: Memory,
}

/// Why the store gave nothing that could be taken.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the store cannot be reached: {0}")]
    Unreachable(#[from] ureq::Error),
    #[error(
        "the store refuses the secret ({0}): is STICKER_STORE_SECRET that of a client with the scope verify or verify_public?"
    )]
    Refused(u16),
    #[error("the store answers {0}")]
    Answered(u16),
    #[error("the store's keyring is refused")]
    Keyring(#[from] KeyFileError),
    #[error("the store's page of revocations is refused")]
    Page(#[from] PageError),
    #[error("the cursor is ahead of the store, which was restored from a backup: beginning the feed again")]
    CursorAhead,
}

impl Failure {
    /// As readiness tells it.
    const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "secret_refused",
            Self::Answered(_) => "store_failed",
            Self::Keyring(_) => "keyring_refused",
            Self::Page(_) => "page_refused",
            Self::CursorAhead => "cursor_ahead",
        }
    }
}

impl Store {
    fn keep_keyring(&self, mut tag: Option<String>) -> ! {
        let (mut backoff, mut log) = (Backoff::default(), Log::new("keyring"));
        loop {
            let done = self.refresh_keyring(&mut tag);
            let problem = done.as_ref().err().map(Failure::code);
            self.shared.tell(|told| told.keyring_problem = problem);
            log.tell(done.as_ref().err());
            let wait = if done.is_ok() {
                backoff.reset();
                KEYRING_PAUSE
            } else {
                metrics::keyring_reload_failed();
                backoff.wait(&self.shared.random)
            };
            thread::sleep(wait);
        }
    }

    fn refresh_keyring(&self, tag: &mut Option<String>) -> Result<(), Failure> {
        let answer = self.ask("/v1/keyring", tag.as_deref())?;
        let now = self.shared.clock.now();
        match answer.status {
            200 => {
                let text = String::from_utf8_lossy(&answer.body);
                let file = KeyFile::parse(&text)?;
                self.shared.take_keyring(&file, now);
                tracing::info!(keyring.keys = file.keys().len(), "took a ring of token keys");
                self.memory.keyring(&file, answer.tag.clone(), now);
                *tag = answer.tag;
            }
            304 => {
                self.shared.verifier.keyring_is_current(now);
                self.memory.keyring_is_current(now);
            }
            status => return Err(answer.failure(status)),
        }
        metrics::keyring_fresh();
        Ok(())
    }

    fn keep_feed(&self) -> ! {
        let (mut backoff, mut log) = (Backoff::default(), Log::new("revocations"));
        // The first page, and the first after a failure, is asked for without waiting: readiness depends on it.
        let mut may_wait = false;
        loop {
            let asked = Instant::now();
            let done = self.refresh_feed(may_wait);
            may_wait = done.is_ok();
            let problem = done.as_ref().err().map(Failure::code);
            self.shared.tell(|told| told.revocations_problem = problem);
            log.tell(done.as_ref().err());
            let wait = match done {
                Ok(more) => {
                    backoff.reset();
                    // A store that does not let us wait is not asked without end.
                    if more { Duration::ZERO } else { FEED_PAUSE.saturating_sub(asked.elapsed()) }
                }
                Err(_) => backoff.wait(&self.shared.random),
            };
            thread::sleep(wait);
        }
    }

    /// Takes a page, and says whether there are more.
    fn refresh_feed(&self, may_wait: bool) -> Result<bool, Failure> {
        let verifier = &self.shared.verifier;
        let wait = if may_wait { FEED_WAIT_SECONDS } else { 0 };
        let answer = self.ask(&format!("/v1/revocations?after={}&wait={wait}", verifier.cursor()), None)?;
        let now = self.shared.clock.now();
        let more = match answer.status {
            200 => {
                let page = RevocationPage::parse(&answer.body)?;
                verifier.take_revocations(&page, now)?;
                self.memory.page(&page, now);
                page.more
            }
            304 => {
                verifier.revocations_are_current(now);
                false
            }
            status => {
                let failure = answer.failure(status);
                if matches!(failure, Failure::CursorAhead) {
                    verifier.restart_feed();
                    self.memory.feed_begins_again(now);
                }
                return Err(failure);
            }
        };
        if !more {
            metrics::revocations_fresh();
        }
        metrics::denied(verifier.freshness(now).entries, verifier.cursor());
        Ok(more)
    }

    fn ask(&self, path: &str, tag: Option<&str>) -> Result<Answer, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.address.url()))
            .header("authorization", self.address.authorization());
        let mut answer = match tag {
            Some(tag) => request.header("if-none-match", tag).call()?,
            None => request.call()?,
        };
        let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec()?;
        Ok(Answer { status: answer.status().as_u16(), tag, body })
    }
}

struct Answer {
    status: u16,
    tag: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn failure(&self, status: u16) -> Failure {
        #[derive(Deserialize)]
        struct Body {
            error: Code,
        }
        #[derive(Deserialize)]
        struct Code {
            code: String,
        }
        let code = serde_json::from_slice::<Body>(&self.body).map(|body| body.error.code);
        match status {
            401 | 403 => Failure::Refused(status),
            409 if code.is_ok_and(|code| code == "cursor_ahead") => Failure::CursorAhead,
            _ => Failure::Answered(status),
        }
    }
}

/// Tells of each change once: what goes wrong, and that it works again.
struct Log {
    what: &'static str,
    failing: Option<&'static str>,
}

impl Log {
    const fn new(what: &'static str) -> Self {
        Self { what, failing: None }
    }

    fn tell(&mut self, failure: Option<&Failure>) {
        let code = failure.map(Failure::code);
        if self.failing == code {
            return;
        }
        self.failing = code;
        let Some(failure) = failure else {
            tracing::info!(sidecar.part = self.what, "the store answers again");
            return;
        };
        let cause = std::error::Error::source(failure).map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            sidecar.part = self.what,
            error.code = failure.code(),
            error.reason = %failure,
            error.cause = cause,
            "cannot refresh what the store knows; going on with what is known"
        );
    }
}

fn agent(address: &Address, authorities: Option<&Path>) -> Result<Agent, StartError> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = authorities {
        let pem = fs::read(path).map_err(|source| FileError::Io { path: path.to_owned(), source })?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(StartError::Authorities(path.to_owned()));
        }
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
    }
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_global(Some(Duration::from_secs(FEED_WAIT_SECONDS + 15)))
        .tls_config(tls.build());
    Ok(if address.is_this_machine() { config.proxy(None).build().into() } else { config.build().into() })
}

const KEYRING_PAUSE: Duration = Duration::from_secs(30);
/// The long poll: with the pause after a failure a store that is reachable is asked at least every 30 s.
const FEED_WAIT_SECONDS: u64 = 25;
/// Between two pages that were the last.
const FEED_PAUSE: Duration = Duration::from_secs(1);
/// Far more than 10,000 entries or 65,536 keys have.
const MOST_BYTES: u64 = 64 << 20;
