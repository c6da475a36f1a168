//! Doing jobs: claimed for a while, done outside any transaction, and put away.
//!
//! Several workers share the table. A claim is an update that asks for the job to be free, so that of two workers one gets it; it ends by
//! itself, so that the jobs of a worker that died are done by another. No row is locked while a job is done.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde_json::Value;
use tokio::task::JoinSet;

use super::backoff::pause;
use super::entity::{self, Column};
use super::run::Handlers;
use super::{Failure, Kind, State};
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// A job that is this worker's until its claim ends.
#[derive(Clone, Debug)]
pub(crate) struct Claimed(entity::Model);

/// Claims up to so many jobs that are due, does all of them at the same time, and says how many there were.
///
/// # Errors
/// [`Error`] where none could be claimed; what then goes wrong with one job is that job's alone.
pub async fn work_once(app: &App, handlers: &Arc<dyn Handlers>, at_most: u64) -> Result<usize, Error> {
    let claimed = claim(app, at_most).await?;
    let jobs = claimed.len();
    let mut running = JoinSet::new();
    for job in claimed {
        running.spawn(run(App::clone(app), Arc::clone(handlers), job));
    }
    while running.join_next().await.is_some() {}
    Ok(jobs)
}

/// Takes up to so many jobs that are due and that nobody has.
///
/// # Errors
/// [`Error`].
pub(crate) async fn claim(app: &App, at_most: u64) -> Result<Vec<Claimed>, Error> {
    let due: Vec<String> = entity::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(due_and_free(app.clock.now_ms()))
        .order_by_asc(Column::NextAt)
        .limit(at_most)
        .into_tuple()
        .all(&app.db)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let claim = app.random.uuid()?.to_string();
    db::retried(|| async {
        let now = app.clock.now_ms();
        let until = now.saturating_add(millis(LEASE));
        // An attempt counts when it begins: a job that takes its worker down with it is dead some day.
        let claimed = entity::Entity::update_many()
            .col_expr(Column::ClaimedBy, Expr::value(claim.as_str()))
            .col_expr(Column::ClaimedUntil, Expr::value(until))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(due.iter().map(String::as_str)))
            .filter(due_and_free(now));
        Ok(claimed.exec(&app.db).await?)
    })
    .await?;
    let ours = entity::Entity::find()
        .filter(Column::Id.is_in(due.iter().map(String::as_str)))
        .filter(Column::ClaimedBy.eq(claim.as_str()));
    Ok(ours.order_by_asc(Column::NextAt).all(&app.db).await?.into_iter().map(Claimed).collect())
}

/// How long a job is one worker's. Longer than [`TIME_LIMIT`], so that no two do it at the same time as long as their clocks agree to a minute.
const LEASE: Duration = Duration::from_mins(2);
/// What takes longer has failed.
pub const TIME_LIMIT: Duration = Duration::from_mins(1);

/// It is time, and nobody is doing it.
fn due_and_free(now: i64) -> Condition {
    let free = Condition::any().add(Column::ClaimedUntil.is_null()).add(Column::ClaimedUntil.lte(now));
    Condition::all().add(Column::State.eq(State::Waiting.name())).add(Column::NextAt.lte(now)).add(free)
}

/// Does a job and puts it away. What cannot be put away is done again once the claim has ended.
pub(crate) async fn run(app: App, handlers: Arc<dyn Handlers>, job: Claimed) {
    let Claimed(row) = &job;
    let done = attempt(&app, handlers, row).await;
    if let Err(error) = db::retried(|| put_away(&app, row, done.as_ref())).await {
        let cause = error.cause().unwrap_or_default();
        tracing::warn!(
            job.id = row.id,
            job.kind = row.kind,
            error.source = cause,
            "what became of a job could not be written; it is done again later"
        );
    }
}

async fn attempt(app: &App, handlers: Arc<dyn Handlers>, row: &entity::Model) -> Result<(), Failure> {
    let Some(kind) = Kind::parse(&row.kind) else {
        // A newer version put it there, and one of its workers may come.
        return Err(Failure::later("this version of the store does not know the kind"));
    };
    if u32::try_from(row.attempts).is_ok_and(|attempts| attempts > kind.attempts()) {
        return Err(Failure::later("its last worker did not come to an end"));
    }
    let payload: Value =
        serde_json::from_str(&row.payload).ok().ok_or_else(|| Failure::refused("the payload is damaged"))?;
    let app = App::clone(app);
    // In a task of its own: a fault in there is this attempt's alone.
    let mut handled = JoinSet::new();
    handled.spawn(async move { handlers.handle(&app, kind, &payload).await });
    match tokio::time::timeout(TIME_LIMIT, handled.join_next()).await {
        Ok(Some(Ok(done))) => done,
        Ok(_) => Err(Failure::later("the handler failed; the log has more")),
        Err(_) => Err(Failure::later("it took longer than a minute")),
    }
}

async fn put_away(app: &App, row: &entity::Model, done: Result<&(), &Failure>) -> Result<(), Error> {
    let now = app.clock.now_ms();
    let failures = u32::try_from(row.attempts).unwrap_or_default();
    let attempts = Kind::parse(&row.kind).map_or(u32::MAX, Kind::attempts);
    let mut change = entity::ActiveModel {
        claimed_by: Set(None),
        claimed_until: Set(None),
        ..<entity::ActiveModel as Default>::default()
    };
    let dead = match done {
        Ok(()) => {
            change.state = Set(State::Done.name().to_owned());
            change.done_at = Set(Some(now));
            change.last_error = Set(None);
            None
        }
        Err(Failure::Retry { after, reason }) if failures < attempts => {
            let pause = pause(&app.random, failures, *after)?;
            change.next_at = Set(now.saturating_add(millis(pause)));
            change.last_error = Set(Some(cut(reason)));
            None
        }
        Err(Failure::Retry { reason, .. } | Failure::Refused { reason }) => {
            change.state = Set(State::Dead.name().to_owned());
            change.last_error = Set(Some(cut(reason)));
            Some(reason)
        }
    };
    let ours = entity::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(row.id.as_str()))
        .filter(Column::ClaimedBy.eq(row.claimed_by.clone()));
    let written = ours.exec(&app.db).await?.rows_affected > 0;
    match dead {
        Some(reason) if written => tracing::error!(
            job.id = row.id,
            job.kind = row.kind,
            job.key = row.job_key,
            job.attempts = failures,
            job.error = reason,
            "a job is dead; `admin outbox retry` or `admin outbox drop` it"
        ),
        _ if !written => {
            tracing::warn!(job.id = row.id, job.kind = row.kind, "a job was taken over by another worker");
        }
        _ => {}
    }
    Ok(())
}

/// Lets jobs go that were not done: another worker may have them at once, and the attempt counts as none.
///
/// # Errors
/// As the database says; the claims then end by themselves.
pub(crate) async fn let_go(app: &App, jobs: &[Claimed]) -> Result<(), DbErr> {
    for Claimed(row) in jobs {
        entity::Entity::update_many()
            .col_expr(Column::ClaimedBy, Expr::value(Option::<String>::None))
            .col_expr(Column::ClaimedUntil, Expr::value(Option::<i64>::None))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).sub(1))
            .filter(Column::Id.eq(row.id.as_str()))
            .filter(Column::ClaimedBy.eq(row.claimed_by.clone()))
            .exec(&app.db)
            .await?;
    }
    Ok(())
}

fn cut(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}

const MAX_REASON: usize = 1_000;

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
