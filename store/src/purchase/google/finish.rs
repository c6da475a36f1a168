//! Telling Google that a purchase was granted. What nobody acknowledges within three days Google gives back, so that a payment that was
//! refused here, or that gave its buyer nothing, is left to that.

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use serde_json::{Value, json};

use super::api::{AcknowledgementState, ConsumptionState, Purchase, PurchaseToken};
use super::lookup;
use super::word::{self, FINISHED, Listed, PAID};
use crate::app::App;
use crate::audit;
use crate::db;
use crate::outbox::{Job, Kind};
use crate::purchase::effect;
use crate::purchase::entity::{order, snapshot};
use crate::purchase::state::{Problem, State};
use crate::purchase::word::{Event, Provider, Standing, World};
use crate::web::error::Error;

/// The job of finishing a purchase: one for each, for ever.
pub fn job(token: &PurchaseToken, consume: bool) -> Job {
    let kind = if consume { Kind::GoogleConsume } else { Kind::GoogleAcknowledge };
    Job { kind, key: token.id(), payload: json!({ "purchase_token": token.expose() }) }
}

/// Does a job with the payload of [`job`]. The same again changes nothing.
///
/// # Errors
/// [`Error`]; one that [is a fault](Error::is_fault) is worth another try.
pub async fn acknowledge(app: &App, payload: &Value) -> Result<(), Error> {
    let token = payload.get("purchase_token").and_then(Value::as_str).and_then(PurchaseToken::parse);
    let nonsense = || Error::refused("invalid_job", "the job names no purchase token");
    finish(app, &token.ok_or_else(nonsense)?).await
}

/// Looks a purchase up, consumes or acknowledges it where it is paid and gave what it gives, and hears how it then stands.
///
/// # Errors
/// As [`acknowledge`]; the code of a [`NoWord`](super::word::NoWord) where what was granted is no longer what it was, so that somebody
/// has to look at it.
pub async fn finish(app: &App, token: &PurchaseToken) -> Result<(), Error> {
    let play = lookup::play(app)?;
    let (mut purchase, mut heard) = lookup::ask(play, token, Listed::Not).await?;
    if let Ok(word) = &heard
        && word.version == PAID
    {
        if !gave(app, word.world, &word.transaction).await? {
            return Ok(());
        }
        play.api.finish(word.product.as_deref().unwrap_or_default(), token).await?;
        finished(&mut purchase, play.terms.consume);
        heard = word::of(token, &purchase, Listed::Not, play.terms);
    }
    let version = heard.as_ref().map_or(-1, |word| word.version);
    let kind = if version == FINISHED { "FINISHED" } else { "LOOKED_UP" };
    let event = Event { source: SOURCE, id: format!("{}:{version}", token.id()), kind: kind.to_owned() };
    let world = heard.as_ref().map(|word| word.world).map_err(|reason| *reason);
    lookup::hear(app, &event, token, heard).await?;
    let world = world?;
    if version != FINISHED {
        return Ok(());
    }
    match order_of(app, world, &token.id()).await? {
        Some(order_id) => acknowledged(app, &order_id, &token.id()).await,
        None => Ok(()),
    }
}

/// How a purchase stands that Google has just said yes to.
fn finished(purchase: &mut Purchase, consume: bool) {
    purchase.acknowledgement_state = AcknowledgementState::Acknowledged;
    for item in purchase.product_line_item.iter_mut().filter(|_| consume) {
        item.product_offer_details.consumption_state = ConsumptionState::Consumed;
    }
}

/// Whether a payment gave, or will give, somebody a pack: it is for an order, the first paid one for it, and of no pack that the
/// recipient owned.
///
/// # Errors
/// As the database says.
pub(super) async fn gave(app: &App, world: World, transaction: &str) -> Result<bool, Error> {
    let Some(order_id) = order_of(app, world, transaction).await? else { return Ok(false) };
    let found = order::Entity::find_by_id(order_id.as_str()).one(&app.db).await?;
    let gives = |order: &order::Model| {
        matches!(order.state, State::Paid | State::Granted | State::Acknowledged)
            && order.problem != Some(Problem::AlreadyOwned)
    };
    if !found.as_ref().is_some_and(gives) {
        return Ok(false);
    }
    let paid = snapshot::Entity::find()
        .filter(snapshot::Column::OrderId.eq(order_id))
        .filter(snapshot::Column::Standing.eq(Standing::Paid))
        .all(&app.db)
        .await?;
    let first = paid.iter().min_by_key(|row| (row.version != FINISHED, row.created_at, row.id.as_str()));
    Ok(first.is_some_and(|first| first.transaction_id == transaction))
}

/// Says of an order that was granted that Google knows. One that was granted after Google knew comes here with the next sweep.
///
/// # Errors
/// As the database says.
pub(super) async fn acknowledged(app: &App, order_id: &str, transaction_id: &str) -> Result<(), Error> {
    db::retried(|| async {
        let transaction = db::begin(&app.db).await?;
        let found = order::Entity::find_by_id(order_id).lock_exclusive().one(&transaction).await?;
        let Some(found) = found.filter(|order| order.state == State::Granted) else { return Ok(()) };
        let problem = found.problem;
        let order = effect::becomes(app, &transaction, found, State::Acknowledged, problem).await?;
        let detail = json!({ "transaction": transaction_id });
        audit::note(app, &transaction, "google", "acknowledge", &order.id, &detail).await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}

async fn order_of(app: &App, world: World, transaction_id: &str) -> Result<Option<String>, Error> {
    let of_purchase = snapshot::Entity::find()
        .filter(snapshot::Column::Provider.eq(Provider::Google))
        .filter(snapshot::Column::World.eq(world))
        .filter(snapshot::Column::TransactionId.eq(transaction_id));
    Ok(of_purchase.one(&app.db).await?.and_then(|row| row.order_id))
}

/// What the inbox knows our own lookups by.
pub(super) const SOURCE: &str = "google_lookup";
