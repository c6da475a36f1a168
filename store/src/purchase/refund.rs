//! An operator takes back what an order gave: the order, the grants, the deny feed and the trace in one transaction.

use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, QuerySelect as _, Set};

use super::effect;
use super::entity::order;
use super::state::State;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::token::revocation;
use crate::web::error::Error;

/// Takes back what a paid order gave: the pack is no longer its recipient's, and the tokens that were issued for it are refused. Moves no
/// money: that is between the operator and the provider, whose later words give nothing for this order any more. The
/// second time gives what the first gave.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn refund(
    app: &App,
    actor: Actor<'_>,
    order_id: &str,
    reason: &str,
) -> Result<order::Model, Error> {
    let reason = audit::checked_reason(reason)?;
    let refunded = db::retried(|| refund_once(app, actor, order_id, reason)).await?;
    revocation::notice(app).await;
    Ok(refunded)
}

/// Rows are locked in the order order, pack, other orders and grants, counter of the feed, head of the trace, and by locks before any
/// plain read.
///
/// The grant's row is where a refund and issuing meet. Whoever issues has committed, before the token leaves, a last expiry that is
/// at least the token's, with an update of that row that asks for it to be active. If that came before our lock, what we read
/// under the lock covers the token. If it comes after, it finds the grant inactive, and no token leaves.
async fn refund_once(
    app: &App,
    actor: Actor<'_>,
    order_id: &str,
    reason: &str,
) -> Result<order::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = order::Entity::find_by_id(order_id).lock_exclusive().one(&transaction).await?;
    let found = found.ok_or_else(|| {
        Error::not_found("there is no such order").hint("`admin orders list` shows the orders of a user")
    })?;
    match found.state {
        State::Paid | State::Granted | State::Acknowledged => {}
        // The provider took it back before: from now on its words give nothing.
        State::Revoked if found.withheld_at.is_none() => {}
        State::Revoked => return Ok(found),
        State::Created | State::Pending => {
            let message =
                format!("the order is {}: it gave nothing that could be taken back", found.state.name());
            return Err(Error::conflict("not_granted", message).hint("only a paid order can be refunded"));
        }
    }
    let mut withheld = found.into_active_model();
    withheld.withheld_at = Set(Some(app.clock.now_ms()));
    let withheld = withheld.update(&transaction).await?;
    let change = effect::take(app, &transaction, withheld, Some(reason)).await?;
    let refunded = change.written(app, &transaction, actor.0).await?;
    transaction.commit().await?;
    Ok(refunded)
}
