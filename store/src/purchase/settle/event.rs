//! What was heard: each event once.

use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Set};
use sticker_protocol::Sha256;

use super::{Heard, OTHER_PRODUCT, Outcome, Submitter};
use crate::app::App;
use crate::db;
use crate::purchase::entity::{inbox, order};
use crate::purchase::word::{Event, Word};
use crate::web::error::Error;

/// The event of a buyer's app that hands in a payment: the same payment, standing the same in the same version, is the same event.
pub fn submission(word: &Word) -> Event {
    let stands = format!("{}:{}:{}", word.version, word.standing.name(), word.transaction);
    let id = format!("{}:{}:{stands}", word.provider.name(), word.world.name());
    // A transaction's name alone may be as long as an event's.
    let id = if id.len() <= MAX_EVENT_ID { id } else { format!("sha256:{}", Sha256::of(id.as_bytes())) };
    Event { source: SUBMISSION, id, kind: "SUBMITTED".to_owned() }
}

/// As long as the column.
const MAX_EVENT_ID: usize = 200;

const SUBMISSION: &str = "app";

/// Keeps an event that changes nothing, such as one of a kind that the store does not know; `false` where it was there.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn note_event(
    app: &App,
    event: &Event,
    outcome: &'static str,
    payload: &serde_json::Value,
) -> Result<bool, Error> {
    let payload = payload.to_string();
    db::retried(async || {
        if event_before(&app.db, event).await?.is_some() {
            return Ok(false);
        }
        keep_event(app, &app.db, event, "", outcome, Some(payload.clone())).await.map(|()| true)
    })
    .await
}

/// What was heard before, without a lock: the same receipt handed in a thousand times costs two reads each.
pub(super) async fn heard_before(
    app: &App,
    event: &Event,
    submitter: Option<Submitter<'_>>,
) -> Result<Option<Heard>, Error> {
    let Some(before) = event_before(&app.db, event).await? else { return Ok(None) };
    let order = order::Entity::find_by_id(before.order_id.as_str()).one(&app.db).await?;
    if let Some(Submitter { user, order_id }) = submitter {
        let theirs = |order: &order::Model| order.id == order_id && order.user_id == user.as_bytes();
        return Ok(order
            .filter(theirs)
            .map(|order| Heard { order: Some(order), outcome: Outcome::Repeated }));
    }
    Ok(Some(Heard { order, outcome: again(&before) }))
}

/// What an event that comes again is; of other products nothing is said, however often.
pub(super) fn again(before: &inbox::Model) -> Outcome {
    match before.outcome.as_deref() {
        Some(OTHER_PRODUCT) => Outcome::OtherProduct,
        _ => Outcome::Repeated,
    }
}

pub(super) async fn event_before(
    db: &impl ConnectionTrait,
    event: &Event,
) -> Result<Option<inbox::Model>, DbErr> {
    let of_source = inbox::Entity::find().filter(inbox::Column::Source.eq(event.source));
    of_source.filter(inbox::Column::EventId.eq(event.id.as_str())).one(db).await
}

/// Whether an event that was heard is about this order.
pub(super) fn is_about(before: &inbox::Model, order: Option<&order::Model>) -> bool {
    order.is_none_or(|order| before.order_id.is_empty() || before.order_id == order.id)
}

pub(super) async fn keep_event(
    app: &App,
    db: &impl ConnectionTrait,
    event: &Event,
    order_id: &str,
    outcome: &'static str,
    payload: Option<String>,
) -> Result<(), Error> {
    let row = inbox::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        source: Set(event.source.to_owned()),
        event_id: Set(event.id.clone()),
        order_id: Set(order_id.to_owned()),
        received_at: Set(app.clock.now_ms()),
        kind: Set(Some(event.kind.clone())),
        outcome: Set(Some(outcome.to_owned())),
        payload: Set(payload),
    };
    db::insert(db, row).await.map(drop)?;
    Ok(())
}
