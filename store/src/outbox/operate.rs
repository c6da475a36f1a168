//! What an operator does with jobs, and what is counted of them.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::{Value, json};

use super::State;
use super::entity::{self, Column};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::telemetry::metrics;
use crate::web::error::Error;

/// A job as an operator sees it: without its payload. Times are in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The name of its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The name of its state.
    pub state: String,
    /// How often it was begun.
    pub attempts: i32,
    /// When it is due.
    pub next_at: i64,
    /// When it was put there.
    pub created_at: i64,
    /// When it was done.
    pub done_at: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl Shown {
    /// One object with times in Unix seconds.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id, "kind": self.kind, "key": self.key, "state": self.state, "attempts": self.attempts,
            "next_at": self.next_at.div_euclid(1_000), "created_at": self.created_at.div_euclid(1_000),
            "done_at": self.done_at.map(|at| at.div_euclid(1_000)), "last_error": self.last_error,
        })
    }
}

/// Jobs in this state, or in any; the oldest first.
///
/// # Errors
/// As the database says.
pub async fn list(db: &impl ConnectionTrait, state: Option<State>, limit: u64) -> Result<Vec<Shown>, DbErr> {
    let mut query =
        entity::Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).limit(limit);
    if let Some(state) = state {
        query = query.filter(Column::State.eq(state.name()));
    }
    let shown = |row: entity::Model| {
        let entity::Model {
            id,
            kind,
            job_key: key,
            state,
            attempts,
            next_at,
            created_at,
            done_at,
            last_error,
            ..
        } = row;
        Shown { id, kind, key, state, attempts, next_at, created_at, done_at, last_error }
    };
    Ok(query.all(db).await?.into_iter().map(shown).collect())
}

/// Has a dead job tried anew, as if it had just been put there; one that waits for its next attempt is due at once.
///
/// # Errors
/// 404, 409 `job_done`, 409 `job_running`; nothing was written.
pub async fn retry(app: &App, actor: Actor<'_>, id: &str) -> Result<(), Error> {
    db::retried(|| retry_once(app, actor, id)).await
}

async fn retry_once(app: &App, actor: Actor<'_>, id: &str) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    let row = taken_in_hand(app, &transaction, id).await?;
    let change = entity::ActiveModel {
        state: Set(State::Waiting.name().to_owned()),
        attempts: Set(if row.state == State::Dead.name() { 0 } else { row.attempts }),
        next_at: Set(app.clock.now_ms()),
        claimed_by: Set(None),
        claimed_until: Set(None),
        ..<entity::ActiveModel as Default>::default()
    };
    entity::Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(&transaction).await?;
    noted(app, &transaction, actor, "outbox_retry", &row, &json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Has every dead job tried anew, each in a transaction of its own, and says how many.
///
/// # Errors
/// [`Error`]; those before it are retried.
pub async fn retry_all_dead(app: &App, actor: Actor<'_>) -> Result<u64, Error> {
    let dead: Vec<String> = entity::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(State::Dead.name()))
        .order_by_asc(Column::CreatedAt)
        .into_tuple()
        .all(&app.db)
        .await?;
    let mut retried = 0;
    for id in dead {
        match retry(app, actor, &id).await {
            Ok(()) => retried += 1,
            // Somebody else did something with it meanwhile.
            Err(error) if !error.is_fault() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(retried)
}

/// Takes a job out that nobody shall do. Its payload is gone.
///
/// # Errors
/// `invalid_reason`, 404, 409 `job_done`, 409 `job_running`; nothing was written.
pub async fn drop(app: &App, actor: Actor<'_>, id: &str, reason: &str) -> Result<(), Error> {
    let reason = audit::checked_reason(reason)?;
    db::retried(|| drop_once(app, actor, id, reason)).await
}

async fn drop_once(app: &App, actor: Actor<'_>, id: &str, reason: &str) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    let row = taken_in_hand(app, &transaction, id).await?;
    entity::Entity::delete_by_id(id).exec(&transaction).await?;
    let detail = json!({ "reason": reason, "last_error": row.last_error });
    noted(app, &transaction, actor, "outbox_drop", &row, &detail).await?;
    Ok(transaction.commit().await?)
}

/// A job that is neither done nor being done, locked.
async fn taken_in_hand(
    app: &App,
    transaction: &impl ConnectionTrait,
    id: &str,
) -> Result<entity::Model, Error> {
    let found = entity::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    let found = found
        .ok_or_else(|| Error::not_found("there is no such job").hint("`admin outbox list` shows them"))?;
    if found.state == State::Done.name() {
        return Err(Error::conflict("job_done", "the job is done").hint("there is nothing left to do"));
    }
    if found.state == State::Waiting.name()
        && found.claimed_until.is_some_and(|until| until > app.clock.now_ms())
    {
        return Err(Error::conflict("job_running", "a worker is doing the job at this moment")
            .hint("look again in two minutes"));
    }
    Ok(found)
}

async fn noted(
    app: &App,
    transaction: &impl ConnectionTrait,
    actor: Actor<'_>,
    action: &str,
    row: &entity::Model,
    more: &Value,
) -> Result<(), Error> {
    let detail = json!({ "kind": row.kind, "key": row.job_key, "attempts": row.attempts, "more": more });
    audit::note(app, transaction, actor.0, action, &format!("job:{}", row.id), &detail).await
}

/// Removes jobs that were done thirty days ago; until then the same job cannot be put there again by mistake, and an operator sees it.
///
/// # Errors
/// As the database says; the rest goes the next time.
pub async fn sweep(app: &App) -> Result<(), Error> {
    let long_ago = app.clock.now_ms().saturating_sub(KEPT_MS);
    loop {
        let done: Vec<String> = entity::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::State.eq(State::Done.name()))
            .filter(Column::DoneAt.lte(long_ago))
            .limit(SWEPT_AT_ONCE)
            .into_tuple()
            .all(&app.db)
            .await?;
        let all = (done.len() as u64) < SWEPT_AT_ONCE;
        if !done.is_empty() {
            entity::Entity::delete_many().filter(Column::Id.is_in(done)).exec(&app.db).await?;
        }
        if all {
            return Ok(());
        }
    }
}

const KEPT_MS: i64 = 30 * 86_400_000;
/// Few enough that nobody waits long for the deletion.
const SWEPT_AT_ONCE: u64 = 500;

/// Puts on the metrics how many jobs wait or are dead, and how old the oldest is that waits.
///
/// # Errors
/// As the database says; the metrics stay as they are.
pub async fn measure(app: &App) -> Result<(), DbErr> {
    let of = |state: State| entity::Entity::find().filter(Column::State.eq(state.name()));
    let (waiting, dead) = (of(State::Waiting).count(&app.db).await?, of(State::Dead).count(&app.db).await?);
    let oldest = of(State::Waiting)
        .select_only()
        .column_as(Column::CreatedAt.min(), "oldest")
        .into_tuple::<Option<i64>>()
        .one(&app.db)
        .await?
        .flatten();
    let age = oldest.map_or(0, |oldest| app.clock.now_ms().saturating_sub(oldest) / 1_000);
    metrics::outbox(waiting, dead, u64::try_from(age).unwrap_or_default());
    Ok(())
}
