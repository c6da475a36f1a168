//! The row that says where the chain ends: told to others, and put right where somebody damaged it.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
};
use serde_json::json;

use super::chain::Head;
use super::entity::{self, head};
use super::{Actor, checked_reason, note};
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// Logs where the chain ends. Whoever keeps logs where the database's administrators cannot write can later see whether the chain was cut.
///
/// # Errors
/// As the database says.
pub async fn tell_head(app: &App) -> Result<(), Error> {
    if let Some(head) = Head::read(&app.db).await? {
        tracing::info!(audit.head = %head, "the end of the audit chain");
    } else {
        tracing::error!(
            "the end of the audit chain is lost, and nothing can be bought: see `admin audit mend`"
        );
    }
    Ok(())
}

/// Puts the row that says where the chain ends to the last row that there is, so that the store can write again. What is missing or altered
/// stays so, and [`verify`](super::verify::verify) goes on naming it; a row in the trace says that the end was mended.
///
/// # Errors
/// `invalid_reason`; 409 `nothing_to_mend`; 409 `chain_broken` where the last row has no hash.
pub async fn mend(app: &App, actor: Actor<'_>, reason: &str) -> Result<Head, Error> {
    let reason = checked_reason(reason)?;
    db::retried(|| mend_once(app, actor, reason)).await
}

async fn mend_once(app: &App, actor: Actor<'_>, reason: &str) -> Result<Head, Error> {
    let transaction = db::begin(&app.db).await?;
    let said = Head::read_locked(&transaction).await?;
    let last = entity::Entity::find()
        .filter(entity::Column::Seq.is_not_null())
        .order_by_desc(entity::Column::Seq)
        .one(&transaction)
        .await?;
    let end = match last {
        None => Head::NONE,
        Some(row) => Head::at(&row).ok_or_else(|| {
            Error::conflict(
                "chain_broken",
                "the last row of the audit has no hash that could be gone on from",
            )
            .hint("put the row back from a backup")
        })?,
    };
    if said == Some(end) {
        return Err(Error::conflict("nothing_to_mend", "the chain ends where it is said to end")
            .hint("`admin audit verify` names what else is wrong"));
    }
    // Whoever waits for the row finds it where it was.
    if transaction.execute(&end.moved()).await?.rows_affected() == 0 {
        let row =
            head::ActiveModel { id: Set(Head::ROW), seq: Set(end.seq), hash: Set(end.hash.to_string()) };
        head::Entity::insert(row).exec_without_returning(&transaction).await?;
    }
    let detail =
        json!({ "reason": reason, "said": said.map(|said| said.to_string()), "end": end.to_string() });
    note(app, &transaction, actor.0, "chain_mended", "audit", &detail).await?;
    transaction.commit().await?;
    Ok(end)
}
