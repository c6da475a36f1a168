//! Grants, always of one user: there is no other way to them.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, Set,
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

/// Gives the user the pack. The unique key on active grants keeps it to one.
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
    match row.insert(transaction).await {
        Err(error) if db::is_duplicate(&error) => {
            Err(Error::conflict("already_owned", "the pack was granted by another order at the same moment"))
        }
        done => Ok(done.map(drop)?),
    }
}
