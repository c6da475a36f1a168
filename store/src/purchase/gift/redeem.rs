//! Whoever has the code takes the gift.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QuerySelect as _, Set,
};
use sticker_protocol::token::UserId;

use super::{is_expired, locked};
use crate::app::App;
use crate::db;
use crate::purchase::effect;
use crate::purchase::entity::{gift, order};
use crate::purchase::redeem::{code_expired, code_invalid, code_used, user_actor};
use crate::purchase::state::{GiftState, State};
use crate::web::error::Error;

/// Gives the gift with this code to the user; `None` where no gift has it. The second time gives what the first gave.
///
/// # Errors
/// [`Error`]; nothing was written.
pub(in crate::purchase) async fn redeem(
    app: &App,
    user: &UserId,
    code_hash: &str,
) -> Result<Option<order::Model>, Error> {
    let by_code = gift::Entity::find().filter(gift::Column::CodeHash.eq(code_hash));
    let Some(found) = by_code.one(&app.db).await? else { return Ok(None) };
    db::retried(|| redeem_once(app, user, &found.order_id, code_hash)).await.map(Some)
}

/// Rows are locked in the order order, gift, grants, end of the trace, and by locks before any plain read.
async fn redeem_once(
    app: &App,
    user: &UserId,
    order_id: &str,
    code_hash: &str,
) -> Result<order::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = order::Entity::find_by_id(order_id).lock_exclusive().one(&transaction).await?;
    let order = found.ok_or_else(code_invalid)?;
    let found = locked(&transaction, &order).await?;
    // Taken back, refunded, or another round by now.
    let gift = found.filter(|gift| gift.code_hash.as_deref() == Some(code_hash)).ok_or_else(code_invalid)?;
    match gift.state {
        GiftState::Redeemed => {
            let same = gift.redeemed_by.as_deref() == Some(user.as_bytes());
            let given = !matches!(order.state, State::Revoked);
            return if same && given { Ok(order) } else { Err(code_used()) };
        }
        GiftState::Waiting if order.state == State::Paid => {}
        GiftState::Waiting | GiftState::Returned => return Err(code_invalid()),
    }
    if is_expired(app, &gift) {
        return Err(code_expired());
    }
    let change = effect::hand_over(app, &transaction, order, user, "redeem").await?;
    let mut taken = gift.into_active_model();
    taken.state = Set(GiftState::Redeemed);
    taken.redeemed_by = Set(Some(user.as_bytes().to_vec()));
    taken.updated_at = Set(app.clock.now_ms());
    taken.update(&transaction).await?;
    let given = change.written(app, &transaction, &user_actor(user)).await?;
    transaction.commit().await?;
    Ok(given)
}
