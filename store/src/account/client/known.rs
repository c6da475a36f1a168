//! Clients that the database vouched for a moment ago: a check of a token must neither cost a query nor fail while the database is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use sea_orm::DbErr;
use sticker_protocol::Sha256;

use super::{Client, by_secret};
use crate::app::App;

/// Clients by the hash of their secret. A secret that the database does not know is not kept, so nobody can fill this.
#[derive(Debug)]
pub struct Known {
    clients: Cache<Sha256, Entry>,
    /// While the database is away: when to ask it again, in milliseconds since 1970. 0 while it answers.
    ask_again_at: AtomicI64,
}

#[derive(Clone, Debug)]
struct Entry {
    client: Arc<Client>,
    /// When the database was asked, in milliseconds since 1970.
    asked_at: i64,
}

/// What a client that is known may do while the database cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhileAway {
    /// Go on for [`OUTAGE_MS`]: what it asks for is answered from memory.
    GoesOn,
    /// Nothing: what it asks for needs the database anyway.
    Refused,
}

impl Known {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self { clients: Cache::new(MOST_CLIENTS), ask_again_at: AtomicI64::new(0) }
    }

    /// The client with this secret, none where there is no such client or it was revoked more than [`FRESH_MS`] ago.
    pub(super) async fn find(
        &self,
        app: &App,
        secret: Sha256,
        while_away: WhileAway,
    ) -> Result<Option<Arc<Client>>, DbErr> {
        let now = app.clock.now_ms();
        let known = self.clients.get(&secret);
        if let Some(known) = known.as_ref().filter(|known| known.is_younger_than(FRESH_MS, now)) {
            return Ok(Some(Arc::clone(&known.client)));
        }
        let for_outages =
            known.filter(|known| while_away == WhileAway::GoesOn && known.is_younger_than(OUTAGE_MS, now));
        let Some(known) = for_outages else { return self.ask(app, secret, now).await };
        if !self.is_time_to_ask(now) {
            return Ok(Some(known.client));
        }
        if let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, self.ask(app, secret, now)).await {
            self.ask_again_at.store(0, Ordering::Relaxed);
            return Ok(answer);
        }
        self.ask_again_at.store(now.saturating_add(PAUSE_MS), Ordering::Relaxed);
        Ok(Some(known.client))
    }

    /// While the database is away, one request at a time tries it, and the others do not wait for that.
    fn is_time_to_ask(&self, now: i64) -> bool {
        let at = self.ask_again_at.load(Ordering::Relaxed);
        let next = now.saturating_add(PAUSE_MS);
        at == 0
            || now >= at
                && self.ask_again_at.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    async fn ask(&self, app: &App, secret: Sha256, now: i64) -> Result<Option<Arc<Client>>, DbErr> {
        let client = by_secret(&app.db, secret).await?.map(Arc::new);
        match &client {
            Some(client) => {
                self.clients.insert(secret, Entry { client: Arc::clone(client), asked_at: now });
            }
            None => self.clients.invalidate(&secret),
        }
        Ok(client)
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new()
    }
}

impl Entry {
    /// A clock that was set back makes no entry younger than it is.
    fn is_younger_than(&self, age_ms: i64, now: i64) -> bool {
        (0..age_ms).contains(&now.saturating_sub(self.asked_at))
    }
}

/// A revoked client is out after this.
const FRESH_MS: i64 = 5_000;
/// How long a client that was known goes on while the database is away.
const OUTAGE_MS: i64 = 600_000;
/// How long a request waits for the database that has a known client to fall back on.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries of a database that is away.
const PAUSE_MS: i64 = 2_000;
/// Far more chat servers and designers than a store has.
const MOST_CLIENTS: u64 = 10_000;
