//! What an operator gives and takes by hand.

use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::json;
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity::order;
use super::order::{new, settle_own};
use super::redeem::already_owned;
use super::refund::refund;
use super::state::State;
use super::word::Provider;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::library;
use crate::web::error::Error;

/// Gives a user a pack: an order that nobody pays for, with the reason in the trace. After a crash between the order and the grant the
/// next attempt goes on with that order.
///
/// # Errors
/// [`Error`], `already_owned` among them.
pub async fn give(
    app: &App,
    actor: Actor<'_>,
    user: &UserId,
    pack: PackId,
    reason: &str,
) -> Result<order::Model, Error> {
    let reason = audit::checked_reason(reason)?;
    if library::query::owns(&app.db, user, pack).await? {
        return Err(already_owned());
    }
    let begun = order::Entity::find()
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .filter(order::Column::PackId.eq(pack.signed()))
        .filter(order::Column::Provider.eq(Provider::Manual))
        .filter(order::Column::State.eq(State::Created));
    let made = match begun.one(&app.db).await? {
        Some(begun) => begun,
        None => make(app, actor, user, pack, reason).await?,
    };
    settle_own(app, user, made).await
}

async fn make(
    app: &App,
    actor: Actor<'_>,
    user: &UserId,
    pack: PackId,
    reason: &str,
) -> Result<order::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    let made = new(app, user, pack, Provider::Manual, None)?.insert(&transaction).await?;
    let detail = json!({ "user_hex": user.to_hex(), "pack": pack, "reason": reason });
    audit::note(app, &transaction, actor.0, "give", &made.id, &detail).await?;
    transaction.commit().await?;
    Ok(made)
}

/// Takes a pack from a user: refunds the order that gives it, and the one to which the right then passes, until the user owns it no more.
/// An order that gives the pack to somebody else as well, or that somebody else paid for, is taken back whole. Gives the orders.
///
/// # Errors
/// [`Error`], `not_owned` among them; what was refunded before a failure stays so.
pub async fn revoke(
    app: &App,
    actor: Actor<'_>,
    user: &UserId,
    pack: PackId,
    reason: &str,
) -> Result<Vec<order::Model>, Error> {
    let reason = audit::checked_reason(reason)?;
    let mut refunded = Vec::new();
    while let Some(order_id) = library::query::order_behind(&app.db, user, pack).await? {
        refunded.push(refund(app, actor, &order_id, reason).await?);
    }
    if refunded.is_empty() {
        return Err(Error::refused("not_owned", "the user does not own the pack")
            .hint("`admin grants list` shows what a user owns"));
    }
    Ok(refunded)
}
