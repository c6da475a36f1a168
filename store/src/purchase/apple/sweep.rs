//! What is done again and again, so that nothing is lost that Apple sent while nobody listened: the history of the notifications that did
//! not come is read, and each that was not heard before is heard as if it had just come.
//!
//! The mark is where the next reading begins. It goes on with each window that was read, so that a reading that is broken off goes on
//! where it was, however much there is; and goes back somewhat when a reading has come to its end.

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::api::{Which, Window};
use super::{AppStore, notification};
use crate::app::App;
use crate::config::apple::AppStoreEnvironment;
use crate::db;
use crate::purchase::entity::inbox;
use crate::telemetry::metrics;
use crate::web::error::Error;

/// What a look into the history found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Notifications that were new to us.
    pub heard: usize,
    /// Notifications that Apple's history has and that are refused.
    pub refused: usize,
}

/// Sweeps, and says in the log what was found. Does nothing where Apple is asked nothing.
///
/// # Errors
/// As [`run`]; the metrics count it.
pub async fn round(app: &App) -> Result<(), Error> {
    if app.apple.as_ref().is_none_or(|store| store.api.is_none()) {
        return Ok(());
    }
    let swept = run(app).await.inspect_err(|_| metrics::apple_sweep_failed())?;
    if swept != Swept::default() {
        let Swept { heard, refused } = swept;
        tracing::info!(apple.heard = heard, apple.refused = refused, "read Apple's history of notifications");
    }
    Ok(())
}

/// Sweeps once, from somewhat before where the last sweep ended, or where it was broken off, or as far back as Apple goes. Reads what did
/// not come alone: all that Apple has sent may be more in a day than can be read in one round. [`recover`] reads everything.
///
/// # Errors
/// [`Error`].
pub async fn run(app: &App) -> Result<Swept, Error> {
    let store = super::store(app)?;
    let (now, mark) = (app.clock.now_ms(), db::mark(&app.db, MARK).await?);
    let earliest = now - reach_ms(store.environment);
    if mark > 0 && mark < earliest {
        tracing::error!(
            apple.gap_ms = earliest - mark,
            "Apple's history was not read for longer than Apple keeps it: compare the refunds of that time by hand"
        );
    }
    let mut swept = Swept::default();
    // Where the clock has stepped back there is nothing to ask until it has caught up.
    for window in windows(mark.max(earliest), now, Which::Failures) {
        read(app, store, window, &mut swept).await?;
        let next = if window.until_ms == now { now - OVERLAP_MS } else { window.until_ms };
        db::set_mark(&app.db, MARK, next, app.clock.now_ms()).await?;
    }
    Ok(swept)
}

/// Reads the whole history from a time, in milliseconds since 1970, or from as far back as Apple goes where that is later: also what came
/// and was lost here.
///
/// # Errors
/// [`Error`].
pub async fn recover(app: &App, since_ms: i64) -> Result<Swept, Error> {
    let store = super::store(app)?;
    let now = app.clock.now_ms();
    let from = since_ms.max(now - reach_ms(store.environment));
    if from >= now {
        return Err(Error::refused("invalid_time", "the time is in the future"));
    }
    let mut swept = Swept::default();
    for window in windows(from, now, Which::All) {
        read(app, store, window, &mut swept).await?;
    }
    Ok(swept)
}

/// The time between two moments in parts that follow one another.
fn windows(from_ms: i64, until_ms: i64, which: Which) -> impl Iterator<Item = Window> {
    let first = Some(from_ms).filter(|&from_ms| from_ms < until_ms);
    let starts = std::iter::successors(first, move |from_ms| {
        Some(from_ms + AT_ONCE_MS).filter(|&from_ms| from_ms < until_ms)
    });
    starts.map(move |from_ms| Window { from_ms, until_ms: until_ms.min(from_ms + AT_ONCE_MS), which })
}

async fn read(app: &App, store: &AppStore, window: Window, swept: &mut Swept) -> Result<(), Error> {
    let api = store.api()?;
    let (mut next, mut pages) = (None, 0);
    loop {
        let page = api.history(window, next.as_deref()).await?;
        for jws in &page.notifications {
            hear(app, store, jws, swept).await?;
        }
        pages += 1;
        if page.next.is_none() {
            return Ok(());
        }
        if page.next == next || pages >= MOST_PAGES {
            let endless = std::io::Error::other("Apple's history of notifications has no end");
            return Err(Error::internal(&endless));
        }
        next = page.next;
    }
}

/// What is refused does not keep the rest from being heard; faults of ours end the sweep, which begins here again.
async fn hear(app: &App, store: &AppStore, jws: &str, swept: &mut Swept) -> Result<(), Error> {
    match hear_if_new(app, store, jws).await {
        Ok(new) => swept.heard += usize::from(new),
        Err(error) if error.is_fault() => return Err(error),
        Err(error) => {
            swept.refused += 1;
            tracing::error!(
                error.code = error.code(),
                "a notification of Apple's history is refused: {error}"
            );
        }
    }
    Ok(())
}

async fn hear_if_new(app: &App, store: &AppStore, jws: &str) -> Result<bool, Error> {
    let verified = store.verifier.notification(jws, app.clock.now())?;
    let event = notification::event(&verified)?;
    // Overlaps bring most again, which is neither news nor worth a row in the trace.
    let before = inbox::Entity::find()
        .filter(inbox::Column::Source.eq(event.source))
        .filter(inbox::Column::EventId.eq(event.id.as_str()));
    if before.one(&app.db).await?.is_some() {
        return Ok(false);
    }
    let outcome = notification::hear(app, store, &verified).await?;
    tracing::info!(
        apple.notification = event.id,
        apple.kind = event.kind,
        apple.outcome = outcome,
        "a notification that had not come was heard"
    );
    Ok(true)
}

/// How far back Apple goes; its clock and ours differ.
const fn reach_ms(environment: AppStoreEnvironment) -> i64 {
    const DAY_MS: i64 = 86_400_000;
    let days = match environment {
        AppStoreEnvironment::Production => 180,
        AppStoreEnvironment::Sandbox => 30,
    };
    days * DAY_MS - 600_000
}

const MARK: &str = "apple_history";
/// Far longer than anything that Apple sends takes to come into its history.
const OVERLAP_MS: i64 = 86_400_000;
/// How much of the history is read before it is noted: little enough to be read within one round after an outage as well, and enough that
/// 180 days take a few hundred requests.
const AT_ONCE_MS: i64 = OVERLAP_MS / 4;
/// With 20 on each page more than a store sells in such a window.
const MOST_PAGES: u32 = 1_000_000;
