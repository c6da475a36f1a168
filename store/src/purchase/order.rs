//! Making orders.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity::order;
use super::settle::{self, Proof};
use crate::app::App;
use crate::catalogue;
use crate::db;
use crate::library;
use crate::web::error::Error;

/// Who vouches for the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Nothing is paid.
    Free,
    /// Test money.
    Sandbox,
}

impl Provider {
    /// The name in requests and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Sandbox => "sandbox",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Free, Self::Sandbox].into_iter().find(|provider| provider.name() == name)
    }
}

/// The wish for a pack.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The pack.
    pub pack: PackId,
    /// Who will vouch for the payment.
    pub provider: Provider,
    /// Makes a repeated request the same order.
    pub idempotency_key: Option<&'a str>,
}

/// Makes an order; a free one is settled at once. The same key gives the same order.
///
/// # Errors
/// [`Error`].
pub async fn make(app: &App, user: &UserId, wish: Wish<'_>) -> Result<order::Model, Error> {
    if let Some(before) = repeated(app, user, wish).await? {
        return Ok(before);
    }
    let shown = catalogue::query::by_id(app, wish.pack).await?;
    let shown = shown.ok_or_else(|| Error::not_found("there is no such pack"))?;
    if shown.taken_down {
        return Err(Error::refused("taken_down", "the pack was taken down"));
    }
    if library::query::owns(&app.db, user, wish.pack).await? {
        return Err(Error::conflict("already_owned", "the user owns the pack already"));
    }
    let price = app.config.price(&shown.price_tier);
    let price = price.ok_or_else(|| Error::refused("not_for_sale", "the pack has no price in this store"))?;
    match (wish.provider, price) {
        (Provider::Free, Some(_)) => return Err(Error::refused("not_free", "the pack is not free")),
        (Provider::Sandbox, _) if !app.config.purchase.sandbox => {
            return Err(Error::refused("provider_disabled", "this store takes no test money"));
        }
        (Provider::Sandbox, None) => {
            return Err(Error::refused("is_free", "the pack is free").hint("order it with the provider free"));
        }
        _ => {}
    }
    let now = app.clock.now_ms();
    let row = order::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        user_id: Set(user.as_bytes().to_vec()),
        pack_id: Set(wish.pack.signed()),
        provider: Set(wish.provider.name().to_owned()),
        state: Set("created".to_owned()),
        price_minor: Set(price.map_or(0, |price| price.minor)),
        currency: Set(app.config.purchase.currency.clone()),
        idempotency_key: Set(wish.idempotency_key.map(str::to_owned)),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let made = match row.insert(&app.db).await {
        Ok(made) => made,
        // The same request came twice at once: both get the one order.
        Err(error) if db::is_duplicate(&error) => {
            return repeated(app, user, wish).await?.ok_or_else(|| Error::from(error));
        }
        Err(error) => return Err(error.into()),
    };
    match wish.provider {
        Provider::Free => settle::settle(app, user, &made.id, &Proof::free(&made.id)).await,
        Provider::Sandbox => Ok(made),
    }
}

async fn repeated(app: &App, user: &UserId, wish: Wish<'_>) -> Result<Option<order::Model>, Error> {
    let Some(key) = wish.idempotency_key else { return Ok(None) };
    let before = order::Entity::find()
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .filter(order::Column::IdempotencyKey.eq(key))
        .one(&app.db)
        .await?;
    match before {
        Some(before) if before.pack_id != wish.pack.signed() || before.provider != wish.provider.name() => {
            Err(Error::refused("idempotency_key_reused", "the key was used for another order"))
        }
        // A crash may have come between the order and its settling.
        Some(before) if before.state == "created" && wish.provider == Provider::Free => {
            settle::settle(app, user, &before.id, &Proof::free(&before.id)).await.map(Some)
        }
        before => Ok(before),
    }
}

/// One order of this user.
///
/// # Errors
/// [`Error`], not found for somebody else's.
pub async fn of(app: &App, user: &UserId, id: &str) -> Result<order::Model, Error> {
    let found =
        order::Entity::find_by_id(id).filter(order::Column::UserId.eq(user.as_bytes())).one(&app.db).await?;
    found.ok_or_else(|| Error::not_found("there is no such order"))
}

/// The user's orders, newest first.
///
/// # Errors
/// [`Error`].
pub async fn all_of(app: &App, user: &UserId) -> Result<Vec<order::Model>, Error> {
    let rows = order::Entity::find()
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .order_by_desc(order::Column::CreatedAt)
        .limit(200);
    Ok(rows.all(&app.db).await?)
}
