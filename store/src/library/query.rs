//! Grants, always of one user: there is no other way to them.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity;
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// An active right to a pack.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The pack.
    pub pack: PackId,
    /// The order that gives it.
    pub order_id: String,
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
        let (order_id, granted_at) = (row.order_id, row.granted_at);
        Some(Grant { pack: PackId::try_from(row.pack_id).ok()?, order_id, granted_at })
    };
    Ok(rows.into_iter().filter_map(grant).collect())
}

/// Whether the user owns the pack.
///
/// # Errors
/// [`Error`].
pub async fn owns(db: &impl ConnectionTrait, user: &UserId, pack: PackId) -> Result<bool, Error> {
    Ok(order_behind(db, user, pack).await?.is_some())
}

/// The order that gives the user the pack, while they own it.
///
/// # Errors
/// [`Error`].
pub async fn order_behind(
    db: &impl ConnectionTrait,
    user: &UserId,
    pack: PackId,
) -> Result<Option<String>, Error> {
    let found = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.eq(pack.signed()))
        .filter(entity::Column::Active.eq(1));
    Ok(found.one(db).await?.map(|grant| grant.order_id))
}

/// The rights that an order holds, or held when they ended.
///
/// # Errors
/// As the database says.
pub async fn given_by(db: &impl ConnectionTrait, order_id: &str) -> Result<Vec<entity::Model>, DbErr> {
    let of_order = entity::Entity::find().filter(entity::Column::OrderId.eq(order_id));
    of_order.order_by_asc(entity::Column::GrantedAt).order_by_asc(entity::Column::Id).all(db).await
}

/// Whether the user owns the pack, as it is at this moment, and not as it was when the transaction began; it stays so until the
/// transaction ends where it is so.
///
/// # Errors
/// As the database says.
pub(crate) async fn owns_now(
    transaction: &impl ConnectionTrait,
    user: &UserId,
    pack: PackId,
) -> Result<bool, DbErr> {
    let found = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.as_bytes()))
        .filter(entity::Column::PackId.eq(pack.signed()))
        .filter(entity::Column::Active.eq(1))
        .lock_shared();
    Ok(found.one(transaction).await?.is_some())
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
    let granted = db::insert(transaction, row).await?;
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
        db::update(transaction, granted).await?;
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

/// The active grants that an order holds. Their rows stay locked until the transaction ends: nobody raises their last expiry any more.
///
/// # Errors
/// As the database says.
pub(crate) async fn held_by(
    transaction: &impl ConnectionTrait,
    order_id: &str,
) -> Result<Vec<entity::Model>, DbErr> {
    let of_order = entity::Entity::find()
        .filter(entity::Column::OrderId.eq(order_id))
        .filter(entity::Column::Active.eq(1))
        .order_by_asc(entity::Column::Id)
        .lock_exclusive();
    of_order.all(transaction).await
}

/// Ends a grant that is locked; gives, in seconds, after when none of its tokens lives.
///
/// # Errors
/// As the database says.
pub(crate) async fn end(
    app: &App,
    transaction: &impl ConnectionTrait,
    grant: entity::Model,
) -> Result<i64, DbErr> {
    let last_expiry = grant.last_expiry;
    let mut ended = grant.into_active_model();
    ended.active = Set(None);
    ended.revoked_at = Set(Some(app.clock.now_ms()));
    db::update(transaction, ended).await?;
    Ok(last_expiry)
}

/// Has another order hold a grant that is locked: its user goes on owning the pack, and its tokens go on.
///
/// # Errors
/// As the database says.
pub(crate) async fn pass_on(
    transaction: &impl ConnectionTrait,
    grant: entity::Model,
    order_id: &str,
) -> Result<(), DbErr> {
    let mut passed = grant.into_active_model();
    passed.order_id = Set(order_id.to_owned());
    db::update(transaction, passed).await.map(drop)
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
