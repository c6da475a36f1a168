//! Rows that an earlier version of the store wrote, which knew no chain.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select, Set,
};
use serde_json::json;

use super::chain::{self, Head};
use super::{Actor, Trace, checked_reason, entity};
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// Begins the chain of a database that a version without one has written: its rows come first. Once there is a chain, nothing comes
/// into it by itself any more: whoever can write the database could put a row beside it and have a restart vouch for it.
///
/// # Errors
/// As the database says.
pub(crate) async fn begin(app: &App) -> Result<(), Error> {
    if Head::read(&app.db).await?.is_some_and(|head| head.seq == 0) {
        take_over(app, Actor("store"), "the chain begins").await?;
    }
    Ok(())
}

/// Takes rows without a place in the chain to its end, in the order of their times, and says how many. Of several processes one does
/// it. Before each batch stands a row `chain_takes_over` that says who had it done and how many follow: from there on they are proven, and
/// what happened to them before is not.
///
/// While a deployment is under way the earlier version goes on writing such rows; an operator takes them in when it has ended.
///
/// # Errors
/// As the database says, or `invalid_reason`; the rest is left to the next call.
pub async fn take_over(app: &App, actor: Actor<'_>, reason: &str) -> Result<u64, Error> {
    let reason = checked_reason(reason)?;
    let mut taken = 0;
    // Looked at without a lock first: mostly there are none.
    while unchained().one(&app.db).await?.is_some() {
        match db::retried(|| batch(app, actor, reason)).await? {
            0 => break,
            rows => taken += rows,
        }
    }
    if taken > 0 {
        tracing::info!(audit.rows = taken, "took audit rows of an earlier version into the chain");
    }
    Ok(taken)
}

async fn batch(app: &App, actor: Actor<'_>, reason: &str) -> Result<u64, Error> {
    let Trace { key, .. } = &app.trace;
    let transaction = db::begin(&app.db).await?;
    // Nobody else takes over what is looked at from here on.
    Head::lock(&transaction).await?;
    let rows = unchained().limit(BATCH).all(&transaction).await?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(0) };
    let says = entity::Model {
        id: app.random.uuid()?.to_string(),
        at: app.clock.now_ms(),
        actor: actor.0.to_owned(),
        action: TAKES_OVER.to_owned(),
        subject: "audit".to_owned(),
        detail: json!({ "rows": rows.len(), "first": first.id, "last": last.id, "reason": reason })
            .to_string(),
        seq: None,
        hash: None,
    };
    let mut head = chain::append(key, &transaction, says).await?;
    let taken = rows.len() as u64;
    for row in rows {
        let seq = head.seq.saturating_add(1);
        head = Head { seq, hash: key.link(&head.hash, seq, &row) };
        let place = entity::ActiveModel {
            seq: Set(Some(seq)),
            hash: Set(Some(head.hash.to_string())),
            ..<entity::ActiveModel as Default>::default()
        };
        let placed = entity::Entity::update_many().set(place).filter(entity::Column::Id.eq(row.id));
        placed.exec(&transaction).await?;
    }
    transaction.execute(&head.moved()).await?;
    transaction.commit().await?;
    Ok(taken)
}

/// The action of the row before those that were taken over.
pub(super) const TAKES_OVER: &str = "chain_takes_over";

/// Few enough that who buys meanwhile hardly waits.
const BATCH: u64 = 200;

/// Rows without a place in the chain, oldest first.
pub(super) fn unchained() -> Select<entity::Entity> {
    entity::Entity::find()
        .filter(entity::Column::Seq.is_null())
        .order_by_asc(entity::Column::At)
        .order_by_asc(entity::Column::Id)
}
