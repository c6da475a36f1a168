//! What this process knows of token keys and revocations, and how it stays fresh: several processes share the database.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use sticker_protocol::UnixSeconds;
use sticker_protocol::token::{DenyList, Keyring, Revocation};
use tokio::sync::watch;
use tokio::time::Instant;

use super::revocation;
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// The keys and the deny list of this process.
#[derive(Debug)]
pub struct Tokens {
    ring: RwLock<Arc<Keyring>>,
    denied: RwLock<DenyList>,
    /// The cursor of the last revocation that the deny list has; long polls wait for it to move.
    pub(super) cursor: watch::Sender<u64>,
    /// Held by who brings the deny list up to date.
    pub(super) catching_up: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// Begins with these keys and an empty deny list; [`refresh`] brings the rest.
    pub fn new(ring: Keyring) -> Self {
        let (denied, cursor) = (RwLock::new(DenyList::new()), watch::Sender::new(0));
        let catching_up = tokio::sync::Mutex::new(());
        Self { ring: RwLock::new(Arc::new(ring)), denied, cursor, catching_up }
    }

    /// The keys as of now.
    pub fn ring(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
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

/// Looks whether the database has newer keys or revocations, and takes them.
///
/// # Errors
/// [`Error`]; what is known stays.
pub async fn refresh(app: &App) -> Result<(), Error> {
    let counted = db::counters(&app.db).await?;
    if counted.revocations != *app.tokens.cursor.borrow() {
        revocation::catch_up(app).await?;
    }
    Ok(())
}

/// Refreshes every second, for ever. What goes wrong is logged once, and what is known stays in force.
pub async fn keep_fresh(app: App) {
    let (mut failing, mut since_sweep) = (false, None::<Instant>);
    loop {
        match refresh(&app).await {
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
            && let Ok(()) = revocation::sweep(&app).await
        {
            since_sweep = Some(Instant::now());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

const PAUSE: Duration = Duration::from_secs(1);
/// How often revocations that nobody needs any more are removed.
const SWEEP: Duration = Duration::from_hours(1);
