//! `/dl/<pack id>.manifest`: the pack's newest release as the store signed it.

use std::sync::Arc;

use axum::http::StatusCode;
use moka::sync::Cache;
use sticker_protocol::{PackId, Sha256};

use super::Bytes;
use super::choice::{FRESH_MS, PATIENCE, away};
use super::content::{Is, Object};
use super::object;
use crate::app::App;
use crate::catalogue::query;
use crate::flight::Flights;
use crate::signing::envelope::{self, Signed};
use crate::web::error::Error;

/// The envelopes that were just asked for.
#[derive(Debug)]
pub(super) struct Envelopes {
    known: Cache<PackId, Known>,
    finding: Flights<PackId, Option<Arc<Object>>>,
}

#[derive(Clone, Debug)]
struct Known {
    envelope: Arc<Object>,
    /// When the database was asked, in milliseconds since 1970.
    asked_at: i64,
}

impl Envelopes {
    pub(super) fn new() -> Self {
        let weight = |_: &PackId, known: &Known| u32::try_from(known.envelope.length()).unwrap_or(u32::MAX);
        Self { known: Cache::builder().max_capacity(MEMORY).weigher(weight).build(), finding: Flights::new() }
    }

    /// The envelope, where it was asked for within [`FRESH_MS`].
    pub(super) fn fresh(&self, pack: PackId, now: i64) -> Option<Arc<Object>> {
        // A clock that was set back makes no entry younger than it is.
        let is_fresh = |known: &Known| (0..FRESH_MS).contains(&now.saturating_sub(known.asked_at));
        self.known.get(&pack).filter(is_fresh).map(|known| known.envelope)
    }

    /// The next one who asks for this asks the database.
    pub(super) fn forget(&self, pack: PackId) {
        self.known.invalidate(&pack);
    }
}

/// The envelope of a pack; `None` where there is no such pack. It is that of now, or of [`FRESH_MS`] ago at most; while the database is away,
/// the one that was last seen.
///
/// # Errors
/// 503 `not_signed` for a pack that an earlier version published and that is being signed; 503 while the database is away, for what was never seen.
pub(super) async fn find(app: &App, pack: PackId) -> Result<Option<Arc<Object>>, Error> {
    let known = || app.delivery.signed.fresh(pack, app.clock.now_ms());
    if let Some(fresh) = known() {
        return Ok(Some(fresh));
    }
    let asking = || ask(App::clone(app), pack);
    app.delivery.signed.finding.join(pack, || known().map(Some), asking).await
}

async fn ask(app: App, pack: PackId) -> Result<Option<Arc<Object>>, Error> {
    let now = app.clock.now_ms();
    match tokio::time::timeout(PATIENCE, signed(&app, pack)).await {
        Ok(Ok(None)) => Ok(None),
        Ok(Ok(Some(signed))) => {
            let envelope = whole(&app, pack, &signed).await?;
            app.delivery.signed.known.insert(pack, Known { envelope: Arc::clone(&envelope), asked_at: now });
            Ok(Some(envelope))
        }
        Ok(Err(error)) if error.code() == NOT_SIGNED => Err(error),
        failed => {
            let failed = failed.ok().and_then(Result::err).unwrap_or_else(away);
            last_seen(&app, pack, failed).await.map(Some)
        }
    }
}

async fn signed(app: &App, pack: PackId) -> Result<Option<Signed>, Error> {
    if let Some(signed) = envelope::of_pack(&app.db, pack).await? {
        return Ok(Some(signed));
    }
    if query::release_of_pack(&app.db, pack).await?.is_none() {
        return Ok(None);
    }
    let message = "the pack was published before releases were signed; it is signed in a moment";
    Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, NOT_SIGNED, message).retry_after(60))
}

async fn last_seen(app: &App, pack: PackId, otherwise: Error) -> Result<Arc<Object>, Error> {
    if let Some(known) = app.delivery.signed.known.get(&pack) {
        return Ok(known.envelope);
    }
    match app.delivery.index.as_ref().and_then(|index| index.signed(pack)) {
        Some(signed) => whole(app, pack, &signed).await,
        None => Err(otherwise),
    }
}

/// The signature around its manifest, whose bytes are an object and a row of the database.
async fn whole(app: &App, pack: PackId, signed: &Signed) -> Result<Arc<Object>, Error> {
    let manifest = match object(app, signed.release).await? {
        Some(bytes) => bytes,
        None => Bytes::from(query::manifest_bytes(&app.db, signed.release).await?.unwrap_or_default()),
    };
    let missing = || std::io::Error::other(format!("release {} is not there", signed.release));
    let envelope = signed.envelope(pack, &manifest).filter(|_| Sha256::of(&manifest) == signed.release);
    let envelope = envelope.ok_or_else(|| Error::internal(&missing()))?.into_bytes();
    Ok(Arc::new(Object::new(Sha256::of(&envelope), Bytes::from(envelope), Is::Other)))
}

const NOT_SIGNED: &str = "not_signed";
/// Bytes of envelopes that are kept in memory.
const MEMORY: u64 = 16 << 20;
