//! What has to be signed anew: releases that an earlier version published, that a retired key vouched for, or that were signed so long ago
//! that a client may take the answer for one that somebody kept.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, JoinType, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};
use sticker_protocol::PackId;

use super::entity::{key, signature};
use super::envelope;
use super::keys::{self, Stage};
use crate::app::App;
use crate::catalogue::entity::pack;
use crate::db;
use crate::web::error::Error;

/// An answer that is older was kept by somebody, as `protocol/README.md` promises in section 5.5: 30 days, in seconds.
pub const SIGNED_ANEW_AFTER: i64 = 30 * 24 * 3_600;
/// Packs that are looked for at a time.
const AT_ONCE: u64 = 200;

/// Signs whatever is due; says how many packs that were.
///
/// # Errors
/// [`Error`]; the rest is done the next time.
pub async fn round(app: &App) -> Result<u64, Error> {
    let mut signed = 0;
    loop {
        let due = due(app).await?;
        if due.is_empty() {
            return Ok(signed);
        }
        keys::make_first(app).await?;
        for pack in due {
            signed += u64::from(db::retried(|| sign_anew(app, pack)).await?);
        }
    }
}

async fn due(app: &App) -> Result<Vec<PackId>, Error> {
    let (packs, signatures, keys) = (Alias::new("packs"), Alias::new("release_signatures"), "release_keys");
    let of = |column: signature::Column| Expr::col((Alias::new("release_signatures"), column));
    let retired = Query::select()
        .column(key::Column::Id)
        .from(Alias::new(keys))
        .and_where(Expr::col(key::Column::State).eq(Stage::Retired.name()))
        .to_owned();
    let long_ago = app.clock.now_ms().div_euclid(1_000).saturating_sub(SIGNED_ANEW_AFTER);
    let is_due = of(signature::Column::Signature)
        .is_null()
        .or(of(signature::Column::ReleaseId).ne(Expr::col((packs.clone(), pack::Column::ReleaseId))))
        .or(of(signature::Column::KeyId).in_subquery(retired))
        .or(of(signature::Column::SignedAt).lt(long_ago));
    let question = Query::select()
        .column((packs.clone(), pack::Column::Id))
        .from(packs.clone())
        .join(
            JoinType::LeftJoin,
            signatures,
            of(signature::Column::PackId).equals((packs.clone(), pack::Column::Id)),
        )
        .and_where(is_due)
        .order_by((packs, pack::Column::Id), sea_orm::sea_query::Order::Asc)
        .limit(AT_ONCE)
        .to_owned();
    let rows = app.db.query_all(&question).await?;
    rows.iter()
        .map(|row| {
            let id: i64 = row.try_get("", "id")?;
            PackId::try_from(id).map_err(|error| Error::internal(&error))
        })
        .collect()
}

/// Whether something was signed: another process may have done it.
async fn sign_anew(app: &App, pack: PackId) -> Result<bool, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = pack::Entity::find_by_id(pack.signed()).lock_exclusive().one(&transaction).await?;
    let Some(found) = found else { return Ok(false) };
    let row = signature::Entity::find_by_id(pack.signed()).one(&transaction).await?;
    if let Some(row) = row
        && row.release_id == found.release_id
        && row.signature.is_some()
        && row.signed_at >= app.clock.now_ms().div_euclid(1_000).saturating_sub(SIGNED_ANEW_AFTER)
        && !is_retired(&transaction, row.key_id).await?
    {
        return Ok(false);
    }
    let manifest = envelope::manifest_of(&transaction, &found.release_id).await?;
    let missing = || std::io::Error::other(format!("release {} is not there", found.release_id));
    let manifest = manifest.ok_or_else(|| Error::internal(&missing()))?;
    envelope::sign(app, &transaction, pack, &manifest).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn is_retired(db: &impl ConnectionTrait, key_id: Option<i32>) -> Result<bool, Error> {
    let Some(id) = key_id else { return Ok(true) };
    let retired = key::Entity::find_by_id(id).filter(key::Column::State.eq(Stage::Retired.name()));
    Ok(retired.one(db).await?.is_some())
}

/// Has every pack signed anew under a number beyond whatever a database that was put back may have lost, and packs that it does not know begin
/// there: at the time in seconds. Nobody publishes a pack once a second for as long as there are seconds, so no number that was ever given
/// is as high, not even after an earlier restore.
///
/// # Errors
/// As the database says.
pub(crate) async fn after_a_restore(transaction: &DatabaseTransaction, now_ms: i64) -> Result<(), DbErr> {
    let now = now_ms.div_euclid(1_000);
    let floor = std::cmp::max(db::mark(transaction, envelope::FLOOR).await?, now);
    db::set_mark(transaction, envelope::FLOOR, floor, now_ms).await?;
    signature::Entity::update_many()
        .col_expr(signature::Column::Counter, Expr::value(floor))
        .filter(signature::Column::Counter.lt(floor))
        .exec(transaction)
        .await?;
    signature::Entity::update_many()
        .col_expr(signature::Column::KeyId, Expr::value(Option::<i32>::None))
        .col_expr(signature::Column::Signature, Expr::value(Option::<Vec<u8>>::None))
        .exec(transaction)
        .await
        .map(drop)
}
