//! `sticker-store sidecar`: checks beside a chat server, from the keys and the deny feed that it last heard of. It needs no database
//! and no configuration, and goes on while the store is away.

mod address;
mod backoff;
mod keyfile;
mod memory;
mod remote;
mod web;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sticker_protocol::token::{KeyFile, KeyId, LiveVerifier};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::random::{NoRandom, Random};
use crate::serve::{House, Limits, until_stopped};
use crate::token::file::FileError;
use crate::web::RequestIds;
pub use address::{Address, AddressError};
use memory::Memory;

/// Where keys come from.
#[derive(Debug)]
pub enum Source {
    /// A store, which has the deny feed too.
    Store {
        /// Its address.
        address: Address,
        /// Authorities that vouch for its certificate, as PEM, instead of the usual ones.
        authorities: Option<PathBuf>,
        /// Remembers keys and feed over a restart.
        memory: Option<PathBuf>,
    },
    /// A key file, which is read again when it changes. There is no deny feed then.
    KeyFile(PathBuf),
}

/// Why a sidecar does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The key file, the authorities or the state file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The authorities are no certificates.
    #[error("{} has no certificate in PEM", .0.display())]
    Authorities(PathBuf),
    /// The system gives no random bytes.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// What the parts of a sidecar share.
#[derive(Debug)]
struct Shared {
    verifier: LiveVerifier,
    clock: Clock,
    random: Random,
    request_ids: RequestIds,
    /// Whether the deny feed belongs to what has to be known.
    has_feed: bool,
    has_keys: AtomicBool,
    told: Mutex<Told>,
}

/// What readiness tells beside what the verifier knows.
#[derive(Debug, Default)]
struct Told {
    keys: Vec<KeyId>,
    keyring_problem: Option<&'static str>,
    revocations_problem: Option<&'static str>,
}

impl Shared {
    fn new(clock: Clock, random: Random, has_feed: bool) -> Result<Arc<Self>, NoRandom> {
        let request_ids = RequestIds::new(&random)?;
        let (verifier, has_keys, told) = (LiveVerifier::new(), AtomicBool::default(), Mutex::default());
        Ok(Arc::new(Self { verifier, clock, random, request_ids, has_feed, has_keys, told }))
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take_keyring(&self, file: &KeyFile, at: sticker_protocol::UnixSeconds) {
        self.verifier.take_keyring(file, at);
        self.has_keys.store(!file.keys().is_empty(), Ordering::Relaxed);
        if file.keys().is_empty() {
            tracing::warn!(
                "the ring has no key, so nothing can be checked; a client with the scope verify_public is given Ed25519 keys alone"
            );
        }
        self.tell(|told| told.keys = file.keys().iter().map(|key| key.id).collect());
    }

    /// Whether it has heard of everything once. A ring without keys is as good as none: it would refuse everybody who paid.
    fn is_ready(&self) -> bool {
        let known = self.verifier.freshness(self.clock.now());
        self.has_keys.load(Ordering::Relaxed) && (!self.has_feed || known.revocations_age.is_some())
    }
}

/// Serves until `stop` is done. Keys and feed are kept fresh by threads of their own, which end with the process.
#[derive(Debug)]
pub struct Sidecar {
    shared: Arc<Shared>,
    memory: Option<Memory>,
}

impl Sidecar {
    /// Reads what there is on this machine, and begins to ask the store.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(source: Source, clock: Clock, random: Random) -> Result<Self, StartError> {
        crate::telemetry::metrics::start();
        match source {
            Source::KeyFile(path) => {
                let shared = Shared::new(clock, random, false)?;
                keyfile::start(&shared, path)?;
                Ok(Self { shared, memory: None })
            }
            Source::Store { address, authorities, memory } => {
                let shared = Shared::new(clock, random, true)?;
                let memory = remote::start(&shared, address, authorities.as_deref(), memory)?;
                Ok(Self { shared, memory: Some(memory) })
            }
        }
    }

    /// Serves until `stop` is done, then answers what was asked by then, for at most 20 s.
    ///
    /// # Errors
    /// As the system says.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let served = until_stopped(listener, House::new(web::router(self.shared), LIMITS), stop).await;
        if let Some(memory) = &self.memory {
            memory.flush();
        }
        served
    }
}

/// It is asked by one chat server.
const LIMITS: Limits = Limits { connections: 10_000, patience: Duration::from_secs(30) };

/// Whether nobody outside this machine can reach an address: the sidecar asks nobody who they are.
pub fn is_private(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}
