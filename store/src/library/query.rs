//! Grants, always of one user: there is no other way to them.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity;
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// An active right to a pack.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The pack.
    pub pack: PackId,
    /// Since when, in ms.
    pub granted_at: i64,
}

/// What the user owns, latest first.
///
/// # Errors
/// [`Error`].
pub async fn of(db: &impl ConnectionTrait, user: &UserId) -> Result<Vec<Grant>, Error> {
    let rows = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::Active.eq(1))
        .order_by_desc(entity::Column::GrantedAt)
        .all(db)
        .await?;
    let grant = |row: entity::Model| {
        Some(Grant { pack: PackId::try_from(row.pack_id).ok()?, granted_at: row.granted_at })
    };
    Ok(rows.into_iter().filter_map(grant).collect())
}

/// Whether the user owns the pack.
///
/// # Errors
/// [`Error`].
pub async fn owns(db: &impl ConnectionTrait, user: &UserId, pack: PackId) -> Result<bool, Error> {
    let found = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.eq(pack.signed()))
        .filter(entity::Column::Active.eq(1));
    Ok(found.one(db).await?.is_some())
}

/// Gives the user the pack. The unique key on active grants keeps it to one. Its tokens will expire later than those of grants
/// that were taken back.
///
/// # Errors
/// As the database says.
pub(crate) async fn grant(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &UserId,
    pack: PackId,
    order_id: &str,
) -> Result<(), Error> {
    let row = entity::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        user_id: Set(user.as_bytes().to_vec()),
        pack_id: Set(pack.signed()),
        order_id: Set(order_id.to_owned()),
        active: Set(Some(1)),
        granted_at: Set(app.clock.now_ms()),
        revoked_at: Set(None),
        last_expiry: Set(0),
        tokens_after: Set(0),
    };
    let granted = match row.insert(transaction).await {
        Err(error) if db::is_duplicate(&error) => {
            return Err(Error::conflict(
                "already_owned",
                "the pack was granted by another order at the same moment",
            ));
        }
        done => done?,
    };
    // Looked at only now: while our row is the active one, no other grant can come or be taken back. With a lock, since a plain
    // read on MySQL may show how it was when the transaction began.
    let earlier = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.eq(pack.signed()))
        .filter(entity::Column::Active.is_null())
        .lock_shared()
        .all(transaction)
        .await?;
    let tokens_after = earlier.iter().map(|grant| grant.last_expiry).max().unwrap_or_default();
    if tokens_after > 0 {
        let mut granted = granted.into_active_model();
        granted.tokens_after = Set(tokens_after);
        granted.update(transaction).await?;
    }
    Ok(())
}

/// An active grant as issuing looks at it; in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The grant.
    pub(crate) id: String,
    /// The pack.
    pub(crate) pack: PackId,
    /// No token of this grant expires later.
    pub(crate) last_expiry: i64,
    /// Tokens of this grant have to expire later than this.
    pub(crate) tokens_after: i64,
}

/// The user's active grants of these packs.
///
/// # Errors
/// As the database says.
pub(crate) async fn held(
    db: &impl ConnectionTrait,
    user: &UserId,
    packs: &[PackId],
) -> Result<Vec<Held>, DbErr> {
    let rows = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.is_in(packs.iter().map(|pack| pack.signed())))
        .filter(entity::Column::Active.eq(1))
        .all(db)
        .await?;
    let held = |row: entity::Model| {
        let (last_expiry, tokens_after) = (row.last_expiry, row.tokens_after);
        Some(Held { pack: PackId::try_from(row.pack_id).ok()?, id: row.id, last_expiry, tokens_after })
    };
    Ok(rows.into_iter().filter_map(held).collect())
}

/// Records that tokens of these grants expire as late as this; says whether it was recorded for all of them. It is not where a
/// grant was taken back meanwhile, or has a later expiry by now.
///
/// # Errors
/// As the database says.
pub(crate) async fn raise_last_expiry(
    transaction: &impl ConnectionTrait,
    grants: &[&str],
    expiry: i64,
) -> Result<bool, DbErr> {
    let raised = entity::Entity::update_many()
        .col_expr(entity::Column::LastExpiry, Expr::value(expiry))
        .filter(entity::Column::Id.is_in(grants.iter().copied()))
        .filter(entity::Column::Active.eq(1))
        .filter(entity::Column::LastExpiry.lt(expiry))
        .exec(transaction)
        .await?;
    Ok(raised.rows_affected == grants.len() as u64)
}

/// A grant that is no longer active.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenBack {
    /// In seconds: no token of the grant expires later.
    pub(crate) last_expiry: i64,
}

/// Ends the user's right to the pack; `None` where there is none. The row stays locked until the transaction ends: nobody raises
/// its last expiry any more.
///
/// # Errors
/// As the database says.
pub(crate) async fn take_back(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &UserId,
    pack: PackId,
) -> Result<Option<TakenBack>, DbErr> {
    let found = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.eq(pack.signed()))
        .filter(entity::Column::Active.eq(1))
        .lock_exclusive()
        .one(transaction)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let taken = TakenBack { last_expiry: found.last_expiry };
    let mut ended = found.into_active_model();
    ended.active = Set(None);
    ended.revoked_at = Set(Some(app.clock.now_ms()));
    ended.update(transaction).await?;
    Ok(Some(taken))
}

/// In seconds: no token for the pack, of whomever, expires later.
///
/// # Errors
/// As the database says.
pub(crate) async fn last_expiry_of(db: &impl ConnectionTrait, pack: PackId) -> Result<i64, DbErr> {
    let latest = entity::Entity::find()
        .select_only()
        .column_as(entity::Column::LastExpiry.max(), "latest")
        .filter(entity::Column::PackId.eq(pack.signed()))
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    Ok(latest.flatten().unwrap_or_default())
}

/// Notes with every active grant that tokens may live until then, which nobody noted when they were issued.
///
/// # Errors
/// As the database says.
pub(crate) async fn cover_earlier_tokens(
    transaction: &impl ConnectionTrait,
    until: i64,
) -> Result<(), DbErr> {
    let active = entity::Entity::update_many()
        .col_expr(entity::Column::LastExpiry, Expr::value(until))
        .filter(entity::Column::Active.eq(1))
        .filter(entity::Column::LastExpiry.lt(until));
    active.exec(transaction).await.map(drop)
}
