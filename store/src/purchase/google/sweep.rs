//! What is done again and again, so that nothing waits for ever for a push that never comes: the list of voided purchases is read,
//! pending purchases are looked up, and paid ones are acknowledged that the outbox has not.

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use serde_json::Value;

use super::api::PurchaseToken;
use super::word::{FINISHED, Listed, PAID, PENDING};
use super::{Play, finish, lookup, voided};
use crate::app::App;
use crate::purchase::entity::{order, snapshot};
use crate::purchase::state::State;
use crate::purchase::word::{Event, Provider, Standing, World};
use crate::telemetry::metrics;
use crate::web::error::Error;

/// What one sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Voided purchases that were new.
    pub voided: usize,
    /// Pending purchases that are no longer pending.
    pub decided: usize,
    /// Purchases that were paid and not acknowledged, and were seen to.
    pub finished: usize,
}

/// Sweeps, and says in the log what was found. Does nothing where the store does not take Google's purchases.
///
/// # Errors
/// As [`run`]; the metrics count it.
pub async fn round(app: &App) -> Result<(), Error> {
    if app.google.is_none() {
        return Ok(());
    }
    let swept = run(app).await.inspect_err(|_| metrics::google_sweep_failed())?;
    if swept != Swept::default() {
        let Swept { voided, decided, finished } = swept;
        tracing::info!(
            google.voided = voided,
            google.decided = decided,
            google.finished = finished,
            "swept Google's purchases"
        );
    }
    Ok(())
}

/// Sweeps once. What fails does not keep the rest from being done.
///
/// # Errors
/// The first failure.
pub async fn run(app: &App) -> Result<Swept, Error> {
    let play = lookup::play(app)?;
    let voided = voided::sweep(app, play).await;
    let decided = decide_pending(app, play).await;
    let finished = finish_paid(app).await;
    let promoted = promote(app).await;
    let swept = Swept { voided: voided?, decided: decided?, finished: finished? };
    promoted?;
    Ok(swept)
}

/// Looks up what was promised. Google decides within days, and forgets what it cancelled later.
async fn decide_pending(app: &App, play: &Play) -> Result<usize, Error> {
    let since = app.clock.now_ms() - PENDING_MS;
    let (mut decided, mut after, mut failures) = (0, String::new(), Failures::default());
    while let Some(row) = waiting(app, Standing::Pending, PENDING, &after).await? {
        after.clone_from(&row.id);
        let Some(token) = token_of(&row).filter(|_| row.created_at >= since) else { continue };
        let done = match decide(app, play, &token).await {
            Err(error) if !error.is_fault() => {
                tracing::warn!(
                    google.transaction = token.id(),
                    error.code = error.code(),
                    "a pending purchase is no longer known to Google"
                );
                continue;
            }
            done => done,
        };
        decided += usize::from(failures.but("a pending purchase was not looked up", done) == Some(true));
        if failures.are_everywhere() {
            break;
        }
    }
    failures.first().map(|()| decided)
}

/// Looks up one that was promised, and says whether it is decided.
async fn decide(app: &App, play: &Play, token: &PurchaseToken) -> Result<bool, Error> {
    let (_, word) = lookup::ask(play, token, Listed::Not).await?;
    let version = word.as_ref().map_or(-1, |word| word.version);
    if version == PENDING {
        return Ok(false);
    }
    let id = format!("{}:{version}", token.id());
    let event = Event { source: finish::SOURCE, id, kind: "DECIDED".to_owned() };
    lookup::hear(app, &event, token, word).await.map(|_| true)
}

/// Acknowledges what is paid for some minutes and not acknowledged, and raises an alarm for what has waited for an hour.
async fn finish_paid(app: &App) -> Result<usize, Error> {
    let now = app.clock.now_ms();
    let (mut finished, mut after, mut failures) = (0, String::new(), Failures::default());
    while let Some(row) = waiting(app, Standing::Paid, PAID, &after).await? {
        after.clone_from(&row.id);
        // The outbox comes first.
        let age = now - row.updated_at;
        let Some(token) = token_of(&row).filter(|_| !(0..OUTBOX_FIRST_MS).contains(&age)) else { continue };
        let done = finish_one(app, &row, &token).await;
        finished += usize::from(failures.but("a purchase could not be acknowledged", done) == Some(true));
        if failures.are_everywhere() {
            break;
        }
    }
    alarm(app).await?;
    failures.first().map(|()| finished)
}

/// Sees to one that is paid, if it gave something.
async fn finish_one(app: &App, row: &snapshot::Model, token: &PurchaseToken) -> Result<bool, Error> {
    if !finish::gave(app, row.world, &row.transaction_id).await? {
        return Ok(false);
    }
    finish::finish(app, token).await.map(|()| true)
}

/// Says how long the oldest payment waits that gave something and of which Google does not know that it did, whatever the reason.
async fn alarm(app: &App) -> Result<(), Error> {
    let oldest = oldest_unfinished(app).await?;
    let age = oldest.as_ref().map_or(0, |(since, _)| app.clock.now_ms() - since);
    metrics::google_unacknowledged(age / 1_000);
    if let Some((_, transaction)) = oldest.filter(|_| age >= ALARM_MS) {
        tracing::error!(
            google.transaction = transaction,
            google.age_seconds = age / 1_000,
            "a purchase is granted and Google does not know: after three days it is refunded"
        );
    }
    Ok(())
}

/// Since when it is paid, in milliseconds, and its name.
async fn oldest_unfinished(app: &App) -> Result<Option<(i64, String)>, Error> {
    let rows = at_stage(Standing::Paid, PAID)
        .select_only()
        .columns([snapshot::Column::UpdatedAt, snapshot::Column::World, snapshot::Column::TransactionId])
        .order_by_asc(snapshot::Column::UpdatedAt);
    let rows: Vec<(i64, World, String)> = rows.into_tuple().all(&app.db).await?;
    for (since, world, transaction) in rows {
        if finish::gave(app, world, &transaction).await? {
            return Ok(Some((since, transaction)));
        }
    }
    Ok(None)
}

/// Orders that were granted when Google knew of the payment already, such as gifts that waited for their recipient.
async fn promote(app: &App) -> Result<(), Error> {
    let granted = Query::select()
        .column(order::Column::Id)
        .from(order::Entity)
        .and_where(order::Column::State.eq(State::Granted))
        .and_where(order::Column::Provider.eq(Provider::Google))
        .to_owned();
    let known = at_stage(Standing::Paid, FINISHED)
        .select_only()
        .columns([snapshot::Column::OrderId, snapshot::Column::TransactionId])
        .filter(snapshot::Column::OrderId.in_subquery(granted));
    let known: Vec<(String, String)> = known.into_tuple().all(&app.db).await?;
    let mut failures = Failures::default();
    for (order_id, transaction) in known {
        let done = finish::acknowledged(app, &order_id, &transaction).await;
        failures.but("an order whose payment Google knows of could not be marked", done);
    }
    failures.first()
}

/// What went wrong in a sweep that goes on.
#[derive(Debug, Default)]
pub(super) struct Failures {
    first: Option<Error>,
    in_a_row: u32,
}

impl Failures {
    /// The value of what went well; what did not is logged, and the first of it kept.
    pub(super) fn but<T>(&mut self, what: &'static str, done: Result<T, Error>) -> Option<T> {
        match done {
            Ok(value) => {
                self.in_a_row = 0;
                Some(value)
            }
            Err(error) => {
                self.in_a_row += 1;
                let cause = error.cause().unwrap_or_default();
                tracing::warn!(error.code = error.code(), error.source = cause, "{what}");
                self.first.get_or_insert(error);
                None
            }
        }
    }

    /// Whether it is no longer this or that purchase which fails: Google is away, or our database. The next sweep tries again.
    pub(super) const fn are_everywhere(&self) -> bool {
        self.in_a_row >= EVERYWHERE
    }

    /// The first, if there was one.
    pub(super) fn first(self) -> Result<(), Error> {
        self.first.map_or(Ok(()), Err)
    }
}

/// The next of Google's payments for an order of ours at this stage.
async fn waiting(
    app: &App,
    standing: Standing,
    version: i64,
    after: &str,
) -> Result<Option<snapshot::Model>, Error> {
    let rows =
        at_stage(standing, version).filter(snapshot::Column::Id.gt(after)).order_by_asc(snapshot::Column::Id);
    Ok(rows.one(&app.db).await?)
}

/// Google's payments for orders of ours at this stage.
fn at_stage(standing: Standing, version: i64) -> Select<snapshot::Entity> {
    snapshot::Entity::find()
        .filter(snapshot::Column::Provider.eq(Provider::Google))
        .filter(snapshot::Column::Standing.eq(standing))
        .filter(snapshot::Column::Version.eq(version))
        .filter(snapshot::Column::OrderId.is_not_null())
}

fn token_of(row: &snapshot::Model) -> Option<PurchaseToken> {
    let payload: Value = serde_json::from_str(&row.payload).ok()?;
    PurchaseToken::parse(payload.get("purchase_token")?.as_str()?)
}

/// Longer than any payment that Google waits for.
const PENDING_MS: i64 = 30 * 86_400_000;
/// How long the outbox has before the sweep sees to a purchase as well.
const OUTBOX_FIRST_MS: i64 = 5 * 60_000;
/// After this an operator is told; there are three days.
const ALARM_MS: i64 = 3_600_000;
/// So many failures in a row are no chance.
const EVERYWHERE: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_everywhere_once_twenty_come_in_a_row_and_the_first_is_kept() {
        let mut failures = Failures::default();
        let failed = |code| Err::<(), _>(Error::refused(code, "it fails"));
        assert_eq!(failures.but("first", failed("first")), None);
        for _ in 0..18 {
            failures.but("more", failed("more"));
        }
        assert!(!failures.are_everywhere());
        assert_eq!(failures.but("well", Ok(7)), Some(7));
        for _ in 0..20 {
            assert!(!failures.are_everywhere());
            failures.but("more", failed("more"));
        }
        assert!(failures.are_everywhere());
        assert_eq!(failures.first().unwrap_err().code(), "first");
    }
}
