//! What a giver does about a gift that nobody has taken yet.

use sea_orm::{
    ActiveModelTrait as _, DatabaseTransaction, EntityTrait as _, IntoActiveModel as _, QuerySelect as _, Set,
};
use serde_json::json;
use sticker_protocol::token::UserId;

use super::{is_expired, is_kept, locked, returned, wrapped};
use crate::app::App;
use crate::db;
use crate::purchase::effect::{self, Change};
use crate::purchase::entity::{gift, order};
use crate::purchase::order::{checked_id, no_such_order};
use crate::purchase::redeem::user_actor;
use crate::purchase::state::{GiftKind, GiftState, Problem, State};
use crate::web::error::Error;

/// What the giver wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The code shall give nothing any more.
    TakeBack,
    /// There shall be a code that gives: the one that waits, or another one.
    NewCode,
    /// The pack shall be the giver's own.
    Keep,
}

impl Action {
    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "take_back" => Some(Self::TakeBack),
            "new_code" => Some(Self::NewCode),
            "keep" => Some(Self::Keep),
            _ => None,
        }
    }
}

/// Does what the giver wants with their paid gift. The second time gives what the first gave.
///
/// # Errors
/// [`Error`]: `not_paid`, `revoked`, `gift_taken`, `already_owned`, `not_a_gift`; nothing was written.
pub async fn act(app: &App, user: &UserId, order_id: &str, action: Action) -> Result<order::Model, Error> {
    db::retried(|| act_once(app, user, order_id, action)).await
}

/// Rows are locked in the order order, gift, grants, end of the trace, and by locks before any plain read.
async fn act_once(app: &App, user: &UserId, order_id: &str, action: Action) -> Result<order::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = order::Entity::find_by_id(checked_id(order_id)?).lock_exclusive().one(&transaction).await?;
    let order = found.filter(|order| order.user_id == user.as_bytes()).ok_or_else(no_such_order)?;
    if order.gift.is_none() {
        return Err(Error::conflict("not_a_gift", "the order is no gift"));
    }
    match order.state {
        State::Paid => {}
        State::Created | State::Pending => {
            return Err(Error::conflict("not_paid", "the gift is not paid yet"));
        }
        State::Revoked => return Err(Error::conflict("revoked", "the gift was refunded or taken back")),
        State::Granted | State::Acknowledged if action == Action::Keep && is_kept(&order) => {
            return Ok(order);
        }
        State::Granted | State::Acknowledged => {
            return Err(Error::conflict("gift_taken", "the gift has found its owner"));
        }
    }
    let gift = locked(&transaction, &order).await?;
    let change = match action {
        Action::TakeBack => take_back(app, &transaction, order, gift).await?,
        Action::NewCode => new_code(app, &transaction, order, gift).await?,
        Action::Keep => keep(app, &transaction, order, gift, user).await?,
    };
    let order = change.written(app, &transaction, &user_actor(user)).await?;
    transaction.commit().await?;
    Ok(order)
}

async fn take_back(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    found: Option<gift::Model>,
) -> Result<Change, Error> {
    let Some(gift) = found.filter(|gift| gift.state == GiftState::Waiting) else {
        return Ok(Change::none(order));
    };
    let detail = json!({ "round": gift.round });
    returned(app, transaction, gift).await?;
    Ok(Change::none(order).noted("gift_take_back", detail))
}

/// A gift to a partner who has the pack becomes one for whoever has the code.
async fn new_code(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    found: Option<gift::Model>,
) -> Result<Change, Error> {
    let round = match found {
        Some(gift) if gift.state == GiftState::Waiting && !is_expired(app, &gift) => {
            return Ok(Change::none(order));
        }
        Some(gift) => {
            let round = gift.round.saturating_add(1);
            let mut again = wrapped(app, &order, round);
            again.created_at = Set(gift.created_at);
            again.update(transaction).await?;
            round
        }
        None => {
            wrapped(app, &order, 1).insert(transaction).await?;
            1
        }
    };
    let detail = json!({ "round": round });
    let problem = order.problem.filter(|&problem| problem != Problem::AlreadyOwned);
    let mut open = order.into_active_model();
    open.gift = Set(Some(GiftKind::Code));
    open.recipient_id = Set(None);
    open.problem = Set(problem);
    open.updated_at = Set(app.clock.now_ms());
    Ok(Change::none(open.update(transaction).await?).noted("gift_code", detail))
}

async fn keep(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    found: Option<gift::Model>,
    giver: &UserId,
) -> Result<Change, Error> {
    let change = effect::hand_over(app, transaction, order, giver, "gift_keep").await?;
    if let Some(gift) = found {
        returned(app, transaction, gift).await?;
    }
    Ok(change)
}
