//! Taking back what an order gave: the order, the grant, the deny feed and the trace in one transaction.

use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, QuerySelect as _, Set};
use serde_json::json;
use sticker_protocol::PackId;

use super::entity::order;
use crate::account::stored_user;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::catalogue::takedown;
use crate::db;
use crate::library;
use crate::token::revocation;
use crate::web::error::Error;

/// Refunds a granted order: the pack is no longer the user's, and the tokens that were issued for it are refused. Moves no money:
/// that is between the operator and the provider. The second time gives what the first gave.
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

/// Rows are locked in the order order, pack, grant, counter of the feed, and by locks before any plain read.
///
/// The grant's row is where a refund and issuing meet. Whoever issues has committed, before the token leaves, a last expiry that is
/// at least the token's, with an update of that row that asks for it to be active. If that came before our lock, what we read
/// under the lock covers the token. If it comes after, it finds the grant inactive, and no token leaves.
///
/// The pack's row, shared, keeps a release with new stickers from being published between our look at the stickers and our
/// commit: a token for such a sticker could be issued under the grant, and the entry would lack it.
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
    match found.state.as_str() {
        "granted" | "acknowledged" => {}
        "revoked" => return Ok(found),
        state => {
            let message = format!("the order is {state}: it gave nothing that could be taken back");
            return Err(Error::conflict("not_granted", message).hint("only a granted order can be refunded"));
        }
    }
    let unreadable = || Error::internal(&std::io::Error::other("the order's user or pack cannot be read"));
    let user = stored_user(&found.user_id).ok_or_else(unreadable)?;
    let pack = PackId::try_from(found.pack_id).ok().ok_or_else(unreadable)?;
    takedown::hold(&transaction, &[pack]).await?;
    let taken = library::query::take_back(app, &transaction, &user, pack).await?;
    let mut refunded = found.into_active_model();
    refunded.state = Set("revoked".to_owned());
    refunded.updated_at = Set(app.clock.now_ms());
    let refunded = refunded.update(&transaction).await?;
    let refuse_until = taken.map_or(0, |taken| taken.last_expiry);
    let detail =
        json!({ "pack": pack, "user_hex": user.to_hex(), "reason": reason, "refuse_until": refuse_until });
    audit::note(app, &transaction, actor.0, "refund", &refunded.id, &detail).await?;
    revocation::revoke(app, &transaction, Some(&user), pack, refuse_until).await?;
    transaction.commit().await?;
    Ok(refunded)
}
