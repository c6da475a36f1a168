//! Which object it is that an address stands for: the variants of a sticker or a pack, remembered by its id. A choice among them costs
//! nothing, so that nobody fills the memory by asking for a thousand densities.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use moka::sync::Cache;
use sticker_protocol::release::{FileKind, Manifest};
use sticker_protocol::{Density, ImageFormat, Sha256};

use super::address::{Asked, Named};
use super::object;
use crate::app::App;
use crate::catalogue::query;
use crate::flight::Flights;
use crate::web::error::Error;

/// The files that a sticker or a pack has in the release that it shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variants(Box<[Variant]>);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) density: Density,
    /// None for bundles.
    format: Option<ImageFormat>,
    pub(super) hash: Sha256,
}

impl Variants {
    fn of(release: &Manifest, named: Named) -> Self {
        let (kind, sticker) = match named {
            Named::Sticker(id) => (FileKind::Sticker, Some(id)),
            Named::Pack(_) => (FileKind::Bundle, None),
        };
        let files = release.files_of(kind).filter(|file| file.sticker == sticker);
        let variant = |file: &sticker_protocol::release::ReleaseFile| {
            Some(Variant { density: file.density?, format: file.format, hash: file.sha256 })
        };
        Self(files.filter_map(variant).collect())
    }

    /// The best one for a screen: of those in the format that was asked for, the smallest that is dense enough, else the densest.
    pub(super) fn best(&self, asked: Asked) -> Option<Variant> {
        let fits = |variant: &&Variant| {
            asked.format.is_none_or(|wanted| variant.format.is_none_or(|format| format == wanted))
        };
        let best = Density::choose(self.0.iter().filter(fits).map(|variant| variant.density), asked.density)?;
        self.0.iter().filter(fits).find(|variant| variant.density == best).copied()
    }
}

/// The variants that were just asked for.
#[derive(Debug)]
pub(super) struct Choices {
    known: Cache<Named, Known>,
    finding: Flights<Named, Option<Arc<Variants>>>,
    /// While the database is away: when to ask it again, in milliseconds since 1970. 0 while it answers.
    ask_again_at: AtomicI64,
}

#[derive(Clone, Debug)]
struct Known {
    variants: Arc<Variants>,
    /// When the database was asked, in milliseconds since 1970.
    asked_at: i64,
}

impl Choices {
    pub(super) fn new() -> Self {
        Self { known: Cache::new(NAMES), finding: Flights::new(), ask_again_at: AtomicI64::new(0) }
    }

    /// The variants, where they were asked for within [`FRESH_MS`].
    pub(super) fn fresh(&self, named: Named, now: i64) -> Option<Arc<Variants>> {
        // A clock that was set back makes no entry younger than it is.
        let is_fresh = |known: &Known| (0..FRESH_MS).contains(&now.saturating_sub(known.asked_at));
        self.known.get(&named).filter(is_fresh).map(|known| known.variants)
    }

    /// The next one who asks for this asks the database.
    pub(super) fn forget(&self, named: Named) {
        self.known.invalidate(&named);
    }

    /// While the database is away, one at a time tries it, and the others do not wait for that.
    fn is_time_to_ask(&self, now: i64) -> bool {
        let at = self.ask_again_at.load(Ordering::Relaxed);
        let next = now.saturating_add(PAUSE_MS);
        at == 0
            || now >= at
                && self.ask_again_at.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The variants of a sticker or a pack; `None` where there is no such thing. They are those of now, or of [`FRESH_MS`] ago at most; while the
/// database is away, those that were last seen.
///
/// # Errors
/// 503 while the database is away, for what was never seen.
pub(super) async fn find(app: &App, named: Named) -> Result<Option<Arc<Variants>>, Error> {
    let choices = &app.delivery.choices;
    let known = || choices.fresh(named, app.clock.now_ms());
    if let Some(fresh) = known() {
        return Ok(Some(fresh));
    }
    let asking = || ask(App::clone(app), named);
    choices.finding.join(named, || known().map(Some), asking).await
}

async fn ask(app: App, named: Named) -> Result<Option<Arc<Variants>>, Error> {
    let (choices, now) = (&app.delivery.choices, app.clock.now_ms());
    if !choices.is_time_to_ask(now) {
        return last_seen(&app, named, away()).await.map(Some);
    }
    match tokio::time::timeout(PATIENCE, release_of(&app, named)).await {
        Ok(Ok(release)) => {
            choices.ask_again_at.store(0, Ordering::Relaxed);
            let Some(release) = release else {
                choices.forget(named);
                return Ok(None);
            };
            let variants = variants(&app, named, release).await?;
            choices.known.insert(named, Known { variants: Arc::clone(&variants), asked_at: now });
            Ok(Some(variants))
        }
        failed => {
            choices.ask_again_at.store(now.saturating_add(PAUSE_MS), Ordering::Relaxed);
            let failed = failed.ok().and_then(Result::err).unwrap_or_else(away);
            last_seen(&app, named, failed).await.map(Some)
        }
    }
}

/// The variants as they were last seen, by a request or in the index.
async fn last_seen(app: &App, named: Named, otherwise: Error) -> Result<Arc<Variants>, Error> {
    if let Some(known) = app.delivery.choices.known.get(&named) {
        return Ok(known.variants);
    }
    match app.delivery.index.as_ref().and_then(|index| index.release_of(named)) {
        Some(release) => variants(app, named, release).await,
        None => Err(otherwise),
    }
}

async fn release_of(app: &App, named: Named) -> Result<Option<Sha256>, Error> {
    let id = match named {
        Named::Sticker(id) => query::release_of_sticker(&app.db, id).await?,
        Named::Pack(id) => query::release_of_pack(&app.db, id).await?,
    };
    id.map(|id| id.parse().map_err(|error| Error::internal(&error))).transpose()
}

async fn variants(app: &App, named: Named, release: Sha256) -> Result<Arc<Variants>, Error> {
    Ok(Arc::new(Variants::of(&*manifest(app, release).await?, named)))
}

/// The manifest of a published release: its bytes are an object, and a row of the database.
pub(super) async fn manifest(app: &App, release: Sha256) -> Result<Arc<Manifest>, Error> {
    let id = release.to_string();
    if let Some(known) = app.manifests.get(&id) {
        return Ok(known);
    }
    if let Some(bytes) = object(app, release).await? {
        let manifest = Manifest::read(&bytes).map_err(|error| Error::internal(&error))?;
        return Ok(app.manifests.get_with(id, || Arc::new(manifest)));
    }
    let missing = || Error::internal(&std::io::Error::other(format!("release {id} is not there")));
    query::manifest(app, &id).await?.ok_or_else(missing)
}

pub(super) fn away() -> Error {
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the store failed; try again later")
        .because(&std::io::Error::other("the database is away, and this was never asked for"))
}

/// A new release is seen after this by those who ask another process than the one that published it.
pub(super) const FRESH_MS: i64 = 5_000;
/// How long a request waits for the database.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries of a database that is away.
const PAUSE_MS: i64 = 2_000;
/// About 20 MB of memory where there are as many.
const NAMES: u64 = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::read(query).unwrap()
    }

    #[test]
    fn the_smallest_that_is_dense_enough_is_best_else_the_densest_and_a_format_narrows_it() {
        let variant = |density, format| {
            let (density, hash) = (Density::new(density).unwrap(), Sha256::of(&density.to_be_bytes()));
            Variant { density, format, hash }
        };
        let (png, webp) = (Some(ImageFormat::Png), Some(ImageFormat::WebP));
        let sticker = Variants(Box::new([
            variant(120, png),
            variant(160, png),
            variant(240, webp),
            variant(480, webp),
        ]));
        let best = |query| sticker.best(asked(query)).map(|best| best.density.get());
        assert_eq!(best("density=1"), Some(120));
        assert_eq!(best("density=121"), Some(160));
        assert_eq!(best("density=161"), Some(240));
        assert_eq!(best(""), Some(480));
        assert_eq!(best("density=4096"), Some(480));
        assert_eq!(best("density=320&format=png"), Some(160));
        assert_eq!(best("density=1&format=webp"), Some(240));
        let bundle = Variants(Box::new([variant(320, None)]));
        assert_eq!(bundle.best(asked("density=640&format=png")).unwrap().density.get(), 320);
        assert_eq!(Variants(Box::new([])).best(asked("")), None);
    }
}
