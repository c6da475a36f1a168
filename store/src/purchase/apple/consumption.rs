//! Answering Apple's question what became of a purchase whose buyer wants the money back. It has twelve hours for the answer, and decides
//! without one as well.

use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use super::AppStore;
use super::api::{Consumption, DeliveryStatus};
use crate::app::App;
use crate::db;
use crate::outbox::{self, Job, Kind};
use crate::purchase::entity::order;
use crate::purchase::state::State;
use crate::purchase::word::Event;
use crate::web::error::Error;

/// Has the question answered: one job for each notification that asks, for ever. None where customers have not agreed, since Apple must
/// not be told then, or where there is no key for its API.
///
/// The notification is answered with 200 once the job is written; until then Apple sends it again, and it comes here again.
///
/// # Errors
/// [`Error`]; nothing was written.
pub(super) async fn ask(
    app: &App,
    store: &AppStore,
    event: &Event,
    transaction: &str,
    order_id: Option<String>,
) -> Result<(), Error> {
    if !app.config.purchase.apple.consumption_consent || store.api.is_none() {
        return Ok(());
    }
    let job = Job {
        kind: Kind::AppleConsumption,
        key: event.id.clone(),
        payload: json!({ "transaction_id": transaction, "order_id": order_id }),
    };
    db::retried(|| async {
        let transaction = db::begin(&app.db).await?;
        outbox::put(app, &transaction, &job).await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}

/// Does a job: says whether the order gave its pack, as of now. The same again changes nothing.
///
/// # Errors
/// [`Error`]; one that [is a fault](Error::is_fault) is worth another try.
pub async fn answer(app: &App, payload: &Value) -> Result<(), Error> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let transaction = text("transaction_id")
        .ok_or_else(|| Error::refused("invalid_job", "the job names no transaction"))?;
    let order = match text("order_id") {
        Some(id) => order::Entity::find_by_id(id).one(&app.db).await?,
        None => None,
    };
    let delivered = order.is_some_and(|order| matches!(order.state, State::Granted | State::Acknowledged));
    let consumption = Consumption {
        customer_consented: true,
        // The store's page of a pack shows each of its stickers.
        sample_content_provided: true,
        delivery_status: if delivered { DeliveryStatus::Delivered } else { DeliveryStatus::UndeliveredOther },
    };
    super::store(app)?.api()?.consumption(transaction, &consumption).await?;
    Ok(())
}
