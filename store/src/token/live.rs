//! What this process knows of token keys and revocations, and how it stays fresh: several processes share the database.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::http::StatusCode;
use sea_orm::DatabaseConnection;
use sticker_protocol::UnixSeconds;
use sticker_protocol::token::{DenyList, Keyring, Revocation, Version};
use tokio::sync::watch;
use tokio::time::Instant;

use super::ring::{Ring, RingError};
use super::seal::MasterKey;
use super::{file, keys, revocation};
use crate::app::{App, StartError};
use crate::db;
use crate::telemetry::metrics;
use crate::web::error::Error;

/// The keys and the deny list of this process.
#[derive(Debug)]
pub struct Tokens {
    pub(crate) master: MasterKey,
    ring: RwLock<Arc<Ring>>,
    /// When the database last vouched for the ring, in ms.
    ring_seen: AtomicI64,
    denied: RwLock<DenyList>,
    /// The cursor of the last revocation that the deny list has; long polls wait for it to move.
    pub(super) cursor: watch::Sender<u64>,
    /// Held by who brings the deny list up to date.
    pub(super) catching_up: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// Knows nothing yet; [`refresh`] brings keys and revocations.
    pub fn new(master: MasterKey) -> Self {
        let (denied, cursor) = (RwLock::new(DenyList::new()), watch::Sender::new(0));
        let catching_up = tokio::sync::Mutex::new(());
        Self {
            master,
            ring: RwLock::new(Arc::new(Ring::empty())),
            ring_seen: AtomicI64::new(0),
            denied,
            cursor,
            catching_up,
        }
    }

    /// The keys as of now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys as the database has them now, for who will go on with them: what this process knows where that was looked at a moment
    /// ago, else after another look.
    ///
    /// # Errors
    /// As the database says: verifiers go on with the ring they have, which may be newer than this process's.
    pub(super) async fn current_ring(app: &App) -> Result<Arc<Ring>, Error> {
        let age = app.clock.now_ms().saturating_sub(app.tokens.ring_seen.load(Ordering::Relaxed));
        if age > RING_COUNTS_AS_CURRENT_MS {
            refresh_within(LOOK, app).await?;
        }
        Ok(app.tokens.ring())
    }

    /// Takes the database's ring where it has changed. A ring that makes no sense is not taken: the last good one stays.
    async fn refresh_ring(
        &self,
        db: &DatabaseConnection,
        version: u64,
        now_ms: i64,
    ) -> Result<(), RingError> {
        if self.ring().version != version {
            let ring = Ring::load(db, &self.master, version)
                .await
                .inspect_err(|_| metrics::keyring_reload_failed())?;
            tracing::info!(keyring.version = version, keyring.keys = ?ring.keyring, "took a new ring of token keys");
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
            metrics::keyring_version(version);
        }
        self.ring_seen.store(now_ms, Ordering::Relaxed);
        metrics::keyring_fresh();
        Ok(())
    }

    /// The deny list as of now.
    pub fn denied(&self) -> RwLockReadGuard<'_, DenyList> {
        self.denied.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deny(&self, entry: &Revocation) {
        self.denied.write().unwrap_or_else(PoisonError::into_inner).apply(entry);
    }

    pub(super) fn forget_expired(&self, now: UnixSeconds) {
        self.denied.write().unwrap_or_else(PoisonError::into_inner).forget_expired(now);
    }
}

/// Gives a new store its keys: new ones, or those of the file that earlier versions kept them in.
///
/// # Errors
/// [`StartError`].
pub async fn make_first_keys(app: &App) -> Result<(), StartError> {
    let earlier = app.config.data_dir.join(EARLIER_KEY_FILE);
    if file::exists(&earlier)? {
        if !keys::any(&app.db).await? {
            let keys = file::load_keys(&earlier)?;
            if Keyring::new(&keys).signing_key(Version::V1).is_none() {
                return Err(StartError::NoSigningKey(earlier));
            }
            keys::make_first(app, Some(&keys)).await?;
        }
        tracing::warn!(file.path = %earlier.display(), "the database has the keys of this file, sealed; delete the file");
    } else {
        keys::make_first(app, None).await?;
    }
    Ok(())
}

/// Brings the keys that the database has.
///
/// # Errors
/// [`RingError`].
pub async fn start(app: &App) -> Result<(), RingError> {
    let counted = db::counters(&app.db).await?;
    app.tokens.refresh_ring(&app.db, counted.keyring, app.clock.now_ms()).await
}

/// Where the first versions kept the keys, unsealed.
const EARLIER_KEY_FILE: &str = "keyring.json";

/// Looks whether the database has newer keys or revocations, and takes them.
///
/// # Errors
/// [`Error`]; what is known stays.
pub async fn refresh(app: &App) -> Result<(), Error> {
    let counted = db::counters(&app.db).await?;
    // Neither waits for the other to work.
    let ring = app.tokens.refresh_ring(&app.db, counted.keyring, app.clock.now_ms()).await;
    if counted.revocations != *app.tokens.cursor.borrow() {
        revocation::catch_up(app).await?;
    }
    metrics::revocations_fresh();
    metrics::denied(app.tokens.denied().len(), *app.tokens.cursor.borrow());
    ring.map_err(|error| Error::internal(&error))
}

/// [`refresh`], given up where a connection says nothing any more.
async fn refresh_within(at_most: Duration, app: &App) -> Result<(), Error> {
    let refreshed = tokio::time::timeout(at_most, refresh(app)).await;
    refreshed.ok().ok_or_else(|| {
        Error::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the database does not answer")
    })?
}

/// Refreshes every second, for ever. What goes wrong is logged once, and what is known stays in force.
pub async fn keep_fresh(app: App) {
    let (mut failing, mut since_sweep) = (false, None::<Instant>);
    loop {
        match refresh_within(TOO_LONG, &app).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                tracing::warn!(
                    error.code = error.code(),
                    "token keys and revocations cannot be refreshed; going on with what is known"
                );
                failing = true;
            }
            Err(_) => {}
        }
        if since_sweep.is_none_or(|at| at.elapsed() >= SWEEP)
            // What a sweep does not get done in this time is left to the next.
            && let Ok(Ok(())) = tokio::time::timeout(TOO_LONG, revocation::sweep(&app)).await
        {
            since_sweep = Some(Instant::now());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A few looks of [`keep_fresh`].
const RING_COUNTS_AS_CURRENT_MS: i64 = 5_000;
/// How long a verifier waits for another look.
const LOOK: Duration = Duration::from_secs(3);
/// After this another connection may do better; far more than a page of the feed takes.
const TOO_LONG: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(1);
/// How often revocations that nobody needs any more are removed.
const SWEEP: Duration = Duration::from_hours(1);
