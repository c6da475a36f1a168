//! Promotions: the operator gives a number of packs away, within a window of time, one to each user; to everybody who asks (an event
//! pack), or to who has a code.
//!
//! One transaction counts, notes who took part, and makes the order; the order is settled like a free one. After a crash between the two
//! the next attempt of the same user settles it.

pub mod desk;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, Set,
};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity::{order, promotion, promotion_code, promotion_use};
use super::order::{self as orders, Recipient, Wish};
use super::redeem::{already_owned, code_used};
use super::state::State;
use super::word::Provider;
use crate::app::App;
use crate::catalogue;
use crate::db;
use crate::library;
use crate::web::error::Error;

/// The promotion that gives this pack to everybody who asks, and runs now; of several the one that ends last. It may be used up.
///
/// # Errors
/// [`Error`].
pub async fn event_for(app: &App, pack: PackId) -> Result<Option<promotion::Model>, Error> {
    let now = app.clock.now_ms();
    let running = promotion::Entity::find()
        .filter(promotion::Column::PackId.eq(pack.signed()))
        .filter(promotion::Column::NeedsCode.eq(0))
        .filter(promotion::Column::StartsAt.lte(now))
        .filter(promotion::Column::EndsAt.gt(now))
        .filter(promotion::Column::EndedAt.is_null())
        .order_by_desc(promotion::Column::EndsAt)
        .order_by_asc(promotion::Column::Id);
    Ok(running.one(&app.db).await?)
}

/// Whether a promotion has packs left.
pub fn has_some_left(promotion: &promotion::Model) -> bool {
    promotion.at_most.is_none_or(|most| promotion.used < most)
}

/// Takes part in the event that gives this pack away. The second time gives what the first gave.
///
/// # Errors
/// [`Error`]: `promotion_over` where there is no event, and those of [`redeem`].
pub(super) async fn join(app: &App, user: &UserId, wish: Wish<'_>) -> Result<order::Model, Error> {
    if wish.recipient != Recipient::Buyer {
        let message = "what a promotion gives is no gift: everybody can take part";
        return Err(Error::refused("not_a_gift", message));
    }
    let event = event_for(app, wish.pack).await?.ok_or_else(over)?;
    take_part(app, user, &event, Entry { code_hash: None, wish }).await
}

/// Takes part with a code; `None` where no promotion has it. The same code again gives the same user what it gave.
///
/// # Errors
/// [`Error`]: `promotion_not_begun`, `promotion_over`, `promotion_used_up`, `promotion_used`, `code_used`, `already_owned`, `taken_down`;
/// nothing was written.
pub(super) async fn redeem(
    app: &App,
    user: &UserId,
    code_hash: &str,
    platform: Option<&str>,
) -> Result<Option<order::Model>, Error> {
    let Some(code) = promotion_code::Entity::find_by_id(code_hash).one(&app.db).await? else {
        return Ok(None);
    };
    let Some(found) = promotion::Entity::find_by_id(code.promotion_id).one(&app.db).await? else {
        return Ok(None);
    };
    let pack = PackId::try_from(found.pack_id).map_err(|error| Error::internal(&error))?;
    let wish = Wish { platform, ..Wish::new(pack, Provider::Promotion) };
    take_part(app, user, &found, Entry { code_hash: Some(code_hash), wish }).await.map(Some)
}

/// How somebody takes part.
#[derive(Clone, Copy)]
struct Entry<'a> {
    code_hash: Option<&'a str>,
    wish: Wish<'a>,
}

impl Entry<'_> {
    /// What has to be the same for a repeated request to be the same.
    fn digest(&self) -> String {
        self.code_hash.map_or_else(|| self.wish.digest(), str::to_owned)
    }
}

async fn take_part(
    app: &App,
    user: &UserId,
    promotion: &promotion::Model,
    entry: Entry<'_>,
) -> Result<order::Model, Error> {
    let order = db::retried(|| enter(app, user, promotion, entry)).await?;
    match order.state {
        State::Created => orders::settle_own(app, user, order).await,
        State::Revoked => Err(used()),
        _ if entry.code_hash.is_some() && order.digest != Some(entry.digest()) => Err(used()),
        _ => Ok(order),
    }
}

/// The order of this user's part in the promotion: the one from before, or a new one.
async fn enter(
    app: &App,
    user: &UserId,
    promotion: &promotion::Model,
    entry: Entry<'_>,
) -> Result<order::Model, Error> {
    if let Some(before) = part_of(&app.db, promotion, user).await? {
        return Ok(before);
    }
    is_open(app, promotion)?;
    let pack = entry.wish.pack;
    if catalogue::query::by_id(app, pack).await?.is_none_or(|pack| pack.taken_down) {
        return Err(Error::refused("taken_down", "the pack was taken down"));
    }
    if library::query::owns(&app.db, user, pack).await? {
        // Perhaps by another attempt of theirs, since we looked for one.
        return part_of(&app.db, promotion, user).await?.ok_or_else(already_owned);
    }
    let transaction = db::begin(&app.db).await?;
    // Whoever counts waits for those who counted before: first the promotion, then the code, before any plain read.
    if !counted(app, &transaction, promotion).await? {
        transaction.rollback().await?;
        return Err(why_not(app, promotion).await?);
    }
    if let Some(code_hash) = entry.code_hash
        && !code_counted(&transaction, code_hash).await?
    {
        return Err(code_used());
    }
    let row = order::ActiveModel {
        platform: Set(entry.wish.platform.map(str::to_owned)),
        promotion_id: Set(Some(promotion.id.clone())),
        idempotency_key: Set(entry.wish.idempotency_key.map(str::to_owned)),
        digest: Set(Some(entry.digest())),
        ..orders::new(app, user, pack, Provider::Promotion, None)?
    };
    let made = row.insert(&transaction).await?;
    let part = promotion_use::ActiveModel {
        order_id: Set(made.id.clone()),
        promotion_id: Set(promotion.id.clone()),
        user_id: Set(user.as_bytes().to_vec()),
        created_at: Set(app.clock.now_ms()),
    };
    // Of two attempts of one user at once, one finds the other's row here, counts nothing, and looks again.
    part.insert(&transaction).await?;
    transaction.commit().await?;
    Ok(made)
}

/// The order by which this user took part in the promotion.
///
/// # Errors
/// [`Error`].
pub(crate) async fn part_of(
    db: &impl ConnectionTrait,
    promotion: &promotion::Model,
    user: &UserId,
) -> Result<Option<order::Model>, Error> {
    let part = promotion_use::Entity::find()
        .filter(promotion_use::Column::PromotionId.eq(promotion.id.as_str()))
        .filter(promotion_use::Column::UserId.eq(user.as_bytes()))
        .one(db)
        .await?;
    match part {
        Some(part) => Ok(order::Entity::find_by_id(part.order_id).one(db).await?),
        None => Ok(None),
    }
}

fn is_open(app: &App, promotion: &promotion::Model) -> Result<(), Error> {
    let now = app.clock.now_ms();
    if promotion.ended_at.is_some() || now >= promotion.ends_at {
        return Err(over());
    }
    if now < promotion.starts_at {
        return Err(Error::conflict("promotion_not_begun", "the promotion has not begun"));
    }
    Ok(())
}

/// Counts one more, unless that would be too many or the window is over; whether it did. The row stays locked until the commit.
async fn counted(
    app: &App,
    transaction: &impl ConnectionTrait,
    promotion: &promotion::Model,
) -> Result<bool, Error> {
    let now = app.clock.now_ms();
    let used = Expr::col(promotion::Column::Used);
    let some_left = Condition::any()
        .add(promotion::Column::AtMost.is_null())
        .add(used.clone().lt(Expr::col(promotion::Column::AtMost)));
    let counted = promotion::Entity::update_many()
        .col_expr(promotion::Column::Used, used.add(1))
        .filter(promotion::Column::Id.eq(promotion.id.as_str()))
        .filter(some_left)
        .filter(promotion::Column::StartsAt.lte(now))
        .filter(promotion::Column::EndsAt.gt(now))
        .filter(promotion::Column::EndedAt.is_null())
        .exec(transaction)
        .await?;
    Ok(counted.rows_affected == 1)
}

async fn code_counted(transaction: &impl ConnectionTrait, code_hash: &str) -> Result<bool, Error> {
    let used = Expr::col(promotion_code::Column::Used);
    let some_left = Condition::any()
        .add(promotion_code::Column::AtMost.is_null())
        .add(used.clone().lt(Expr::col(promotion_code::Column::AtMost)));
    let counted = promotion_code::Entity::update_many()
        .col_expr(promotion_code::Column::Used, used.add(1))
        .filter(promotion_code::Column::CodeHash.eq(code_hash))
        .filter(some_left)
        .exec(transaction)
        .await?;
    Ok(counted.rows_affected == 1)
}

/// Why nobody more can take part: it ended meanwhile, or it is used up.
async fn why_not(app: &App, promotion: &promotion::Model) -> Result<Error, Error> {
    let now = promotion::Entity::find_by_id(promotion.id.as_str()).one(&app.db).await?;
    let Some(now) = now else { return Ok(over()) };
    Ok(is_open(app, &now).err().unwrap_or_else(|| {
        Error::conflict("promotion_used_up", "all packs of the promotion were given away")
    }))
}

fn over() -> Error {
    Error::conflict("promotion_over", "no promotion gives this pack now")
}

fn used() -> Error {
    Error::conflict("promotion_used", "the user took part in the promotion before")
        .hint("it is one to a user")
}
