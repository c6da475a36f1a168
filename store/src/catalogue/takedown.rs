//! Taking a pack out of the store and away from everybody, and putting it back.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select, Set,
};
use serde_json::json;
use sticker_protocol::PackId;

use super::entity::pack;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::library;
use crate::token::revocation;
use crate::web::error::Error;

/// Whether tokens may be issued for a pack, and later than what they have to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Nobody gets a token.
    pub taken_down: bool,
    /// In seconds: tokens that expire at this or earlier are refused.
    pub tokens_after: i64,
}

/// How these packs stand.
///
/// # Errors
/// As the database says.
pub async fn standing(
    db: &impl ConnectionTrait,
    packs: &[PackId],
) -> Result<BTreeMap<PackId, Standing>, DbErr> {
    Ok(read(these(packs).all(db).await?))
}

/// How these packs stand, and until the transaction ends nobody takes them down or publishes releases of them. Others may hold them
/// as well.
///
/// # Errors
/// As the database says.
pub async fn hold(
    transaction: &impl ConnectionTrait,
    packs: &[PackId],
) -> Result<BTreeMap<PackId, Standing>, DbErr> {
    Ok(read(these(packs).lock_shared().all(transaction).await?))
}

/// In one order for everybody who locks several.
fn these(packs: &[PackId]) -> Select<pack::Entity> {
    let ids = packs.iter().map(|pack| pack.signed());
    pack::Entity::find().filter(pack::Column::Id.is_in(ids)).order_by_asc(pack::Column::Id)
}

fn read(rows: Vec<pack::Model>) -> BTreeMap<PackId, Standing> {
    let standing = |row: pack::Model| {
        let of = Standing { taken_down: row.taken_down_at.is_some(), tokens_after: row.tokens_after };
        Some((PackId::try_from(row.id).ok()?, of))
    };
    rows.into_iter().filter_map(standing).collect()
}

/// Takes a pack down: out of every list and page, no orders, no tokens, and the tokens that live are refused for every user. Who
/// owns it goes on owning it. The second time gives what the first gave.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn take_down(app: &App, actor: Actor<'_>, id: PackId, reason: &str) -> Result<pack::Model, Error> {
    let reason = audit::checked_reason(reason)?;
    let taken = db::retried(|| take_down_once(app, actor, id, reason)).await?;
    revocation::notice(app).await;
    Ok(taken)
}

async fn take_down_once(app: &App, actor: Actor<'_>, id: PackId, reason: &str) -> Result<pack::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    // Issuing holds this row shared from before it records an expiry until that is committed. So whatever was issued is recorded
    // by now, and whoever comes later finds the pack taken down.
    let found = locked(&transaction, id).await?;
    if found.taken_down_at.is_some() {
        return Ok(found);
    }
    // The transaction's first plain read: on MySQL its snapshot begins here, after the lock.
    let last_expiry = library::query::last_expiry_of(&transaction, id).await?;
    let before = found.tokens_after;
    let mut taken = found.into_active_model();
    taken.taken_down_at = Set(Some(app.clock.now_ms()));
    taken.tokens_after = Set(before.max(last_expiry));
    let taken = taken.update(&transaction).await?;
    let detail = json!({ "slug": taken.slug, "reason": reason, "refuse_until": last_expiry });
    revocation::revoke(app, &transaction, None, id, last_expiry).await?;
    audit::note(app, &transaction, actor.0, "takedown", &id.to_string(), &detail).await?;
    transaction.commit().await?;
    Ok(taken)
}

/// Puts a pack back. Tokens from before the takedown stay refused; new ones expire later and pass. `false` where it was not taken
/// down.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn reinstate(app: &App, actor: Actor<'_>, id: PackId, reason: &str) -> Result<bool, Error> {
    let reason = audit::checked_reason(reason)?;
    db::retried(|| reinstate_once(app, actor, id, reason)).await
}

async fn reinstate_once(app: &App, actor: Actor<'_>, id: PackId, reason: &str) -> Result<bool, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = locked(&transaction, id).await?;
    if found.taken_down_at.is_none() {
        return Ok(false);
    }
    let mut back = found.into_active_model();
    back.taken_down_at = Set(None);
    let back = back.update(&transaction).await?;
    let detail = json!({ "slug": back.slug, "reason": reason });
    audit::note(app, &transaction, actor.0, "reinstate", &id.to_string(), &detail).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn locked(transaction: &impl ConnectionTrait, id: PackId) -> Result<pack::Model, Error> {
    let found = pack::Entity::find_by_id(id.signed()).lock_exclusive().one(transaction).await?;
    found.ok_or_else(no_such_pack)
}

/// Every pack, newest first, those that were taken down among them.
///
/// # Errors
/// As the database says.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<pack::Model>, DbErr> {
    pack::Entity::find().order_by_desc(pack::Column::PublishedAt).order_by_asc(pack::Column::Id).all(db).await
}

/// The pack with this slug or, where there is none, with this id.
///
/// # Errors
/// [`Error`], not found for neither.
pub async fn named(db: &impl ConnectionTrait, name: &str) -> Result<PackId, Error> {
    let mut found = pack::Entity::find().filter(pack::Column::Slug.eq(name)).one(db).await?;
    if let (None, Ok(id)) = (&found, name.parse::<i64>()) {
        found = pack::Entity::find_by_id(id).one(db).await?;
    }
    let found = found.ok_or_else(no_such_pack)?;
    PackId::try_from(found.id).map_err(|error| Error::internal(&error))
}

pub(super) fn no_such_pack() -> Error {
    Error::not_found("there is no such pack").hint("`admin packs list` shows them")
}
