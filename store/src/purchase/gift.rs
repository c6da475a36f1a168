//! Gifts: to the partner whom the messenger named, or to whoever has the code.
//!
//! A gift with a code is paid and waits. Its code is single-use and ends with its time, when the giver takes it back, and with a refund.
//! After that the giver keeps the pack or makes another code.

pub mod giver;
pub(super) mod redeem;

use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
};
use sticker_protocol::token::UserId;

use super::code::Code;
use super::entity::{gift, order};
use super::state::{GiftKind, GiftState, State};
use crate::account::stored_user;
use crate::app::App;
use crate::web::error::Error;

/// How far a gift has come, for its giver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The order is not paid.
    NotPaid,
    /// Whoever has the code may take it.
    Waiting {
        /// The code.
        code: Code,
        /// The first millisecond at which it is too old.
        expires_at: i64,
    },
    /// Nobody took it in time.
    Expired,
    /// The giver took it back, or a refund did that was itself taken back.
    Returned,
    /// Somebody has it by the code.
    Redeemed,
    /// The partner has it.
    Given,
    /// The partner had the pack already when the gift was paid.
    PartnerOwns,
    /// The giver kept it.
    Kept,
    /// The order was refunded or taken back.
    Revoked,
}

impl Progress {
    /// The name in answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotPaid => "not_paid",
            Self::Waiting { .. } => "waiting",
            Self::Expired => "expired",
            Self::Returned => "returned",
            Self::Redeemed => "redeemed",
            Self::Given => "given",
            Self::PartnerOwns => "partner_owns",
            Self::Kept => "kept",
            Self::Revoked => "revoked",
        }
    }

    /// Of this order, where it is a gift; `found` is its row, where it has one.
    fn of(app: &App, order: &order::Model, found: Option<&gift::Model>) -> Option<Self> {
        let kind = order.gift?;
        Some(match (order.state, kind, found.map(|gift| gift.state)) {
            (State::Created | State::Pending, ..) => Self::NotPaid,
            (State::Revoked, ..) => Self::Revoked,
            _ if is_kept(order) => Self::Kept,
            (State::Paid, GiftKind::Partner, _) => Self::PartnerOwns,
            (_, GiftKind::Partner, _) => Self::Given,
            (State::Granted | State::Acknowledged, GiftKind::Code, _)
            | (State::Paid, GiftKind::Code, Some(GiftState::Redeemed)) => Self::Redeemed,
            (State::Paid, GiftKind::Code, Some(GiftState::Waiting)) => {
                return found.map(|gift| waiting(app, gift));
            }
            (State::Paid, GiftKind::Code, Some(GiftState::Returned) | None) => Self::Returned,
        })
    }
}

fn waiting(app: &App, gift: &gift::Model) -> Progress {
    if is_expired(app, gift) {
        return Progress::Expired;
    }
    Progress::Waiting { code: app.gift_codes.of(&gift.order_id, gift.round), expires_at: gift.expires_at }
}

fn is_expired(app: &App, gift: &gift::Model) -> bool {
    app.clock.now_ms() >= gift.expires_at
}

/// Whether the giver is the recipient.
fn is_kept(order: &order::Model) -> bool {
    order.gift.is_some() && order.recipient_id.as_ref() == Some(&order.user_id)
}

/// How far the gifts among these orders of one giver have come, by the order's id.
///
/// # Errors
/// As the database says.
pub async fn progress(app: &App, orders: &[order::Model]) -> Result<HashMap<String, Progress>, DbErr> {
    let ids: Vec<&str> =
        orders.iter().filter(|order| order.gift.is_some()).map(|order| order.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = gift::Entity::find().filter(gift::Column::OrderId.is_in(ids)).all(&app.db).await?;
    let row_of = |order: &order::Model| rows.iter().find(|row| row.order_id == order.id);
    let progress = |order: &order::Model| Some((order.id.clone(), Progress::of(app, order, row_of(order))?));
    Ok(orders.iter().filter_map(progress).collect())
}

/// The giver's partner, where the gift is for them.
pub fn partner(order: &order::Model) -> Option<UserId> {
    let for_partner = order.gift == Some(GiftKind::Partner) && !is_kept(order);
    order.recipient_id.as_deref().filter(|_| for_partner).and_then(stored_user)
}

/// A paid gift gets its code, once.
pub(super) async fn wrap(
    app: &App,
    transaction: &DatabaseTransaction,
    order: &order::Model,
) -> Result<(), Error> {
    if locked(transaction, order).await?.is_some() {
        return Ok(());
    }
    wrapped(app, order, 1).insert(transaction).await?;
    Ok(())
}

/// The row of a gift that waits with the code of this round from now on.
fn wrapped(app: &App, order: &order::Model, round: i32) -> gift::ActiveModel {
    let now = app.clock.now_ms();
    gift::ActiveModel {
        order_id: Set(order.id.clone()),
        state: Set(GiftState::Waiting),
        round: Set(round),
        code_hash: Set(Some(app.gift_codes.of(&order.id, round).hash())),
        expires_at: Set(now + i64::from(app.config.purchase.gifts.code_days) * A_DAY_MS),
        redeemed_by: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

const A_DAY_MS: i64 = 86_400_000;

/// A gift that was refunded gives nothing any more to whoever has the code.
pub(super) async fn unwrap(
    app: &App,
    transaction: &DatabaseTransaction,
    order: &order::Model,
) -> Result<(), Error> {
    let Some(found) = locked(transaction, order).await? else { return Ok(()) };
    Ok(returned(app, transaction, found).await?)
}

/// Ends the code of a gift that waits.
async fn returned(app: &App, transaction: &impl ConnectionTrait, found: gift::Model) -> Result<(), DbErr> {
    if found.state != GiftState::Waiting {
        return Ok(());
    }
    let mut returned = found.into_active_model();
    returned.state = Set(GiftState::Returned);
    returned.code_hash = Set(None);
    returned.updated_at = Set(app.clock.now_ms());
    returned.update(transaction).await.map(drop)
}

/// The gift's row; the order's row is locked before it.
async fn locked(
    transaction: &impl ConnectionTrait,
    order: &order::Model,
) -> Result<Option<gift::Model>, DbErr> {
    if order.gift.is_none() {
        return Ok(None);
    }
    gift::Entity::find_by_id(order.id.as_str()).lock_exclusive().one(transaction).await
}
