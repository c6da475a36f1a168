//! App Store Server Notifications V2: `POST /v1/notifications/apple`, and the same from the history of what was sent.
//!
//! A notification carries the transaction as it stands, and that is what counts, whatever its type says has happened. Apple sends again
//! what was not answered with 200: what it has signed is kept and answered so, even where it changes nothing.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::jws::MAX_BYTES;
use super::refusal::Malformed;
use super::verifier::Notification;
use super::{AppStore, consumption, lookup};
use crate::app::App;
use crate::audit;
use crate::purchase::settle::{self, OTHER_PRODUCT, Outcome};
use crate::purchase::word::Event;
use crate::web::error::Error;

pub(crate) fn api() -> Router<App> {
    let limited = post(notified).layer(DefaultBodyLimit::max(MOST_BYTES));
    Router::new().route("/v1/notifications/apple", limited)
}

async fn notified(State(app): State<App>, request: Request) -> Result<axum::Json<Value>, Error> {
    let taken = async {
        let body = Bytes::from_request(request, &()).await?;
        receive(&app, &body).await
    };
    match taken.await {
        Ok(outcome) => Ok(axum::Json(json!({ "outcome": outcome }))),
        Err(error) => {
            if !error.is_fault() {
                let detail = json!({ "message": error.message() });
                audit::refusal(&app, SOURCE, "notification", "body", error.code(), detail).await;
            }
            Err(error)
        }
    }
}

/// Takes the body of a notification, and says what became of it.
///
/// # Errors
/// The codes of [`Refusal`](super::Refusal); faults of our own, after which Apple sends it again.
pub async fn receive(app: &App, body: &[u8]) -> Result<&'static str, Error> {
    let store = super::store(app)?;
    let jws = signed_payload(body).map_err(super::Refusal::from)?;
    let notification = store.verifier.notification(&jws, app.clock.now())?;
    hear(app, store, &notification).await
}

/// The JWS in the body of a notification, `{"signedPayload": "..."}`.
///
/// # Errors
/// [`Malformed::Body`].
pub fn signed_payload(body: &[u8]) -> Result<String, Malformed> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        signed_payload: String,
    }
    serde_json::from_slice(body).map(|body: Body| body.signed_payload).map_err(Malformed::Body)
}

/// Hears a notification that was verified, once.
///
/// # Errors
/// [`Error`]; nothing was written.
pub(super) async fn hear(
    app: &App,
    store: &AppStore,
    notification: &Notification,
) -> Result<&'static str, Error> {
    let event = event(notification)?;
    let kind = Kind::of(&event.kind);
    let transaction = notification.transaction.as_ref().map(|transaction| &transaction.claims);
    let transaction = match (&kind, transaction) {
        (Kind::Purchase | Kind::Consumption, Some(transaction)) => transaction,
        (Kind::Purchase | Kind::Consumption, None) => return lookup::keep(app, &event, "malformed").await,
        (Kind::Test, _) => return kept(app, &event, notification, "test").await,
        (Kind::Unknown, _) => return kept(app, &event, notification, "unknown_type").await,
    };
    let word = match store.word(transaction) {
        Ok(word) => word,
        Err(_) if store.is_of_others(transaction) => {
            return kept(app, &event, notification, OTHER_PRODUCT).await;
        }
        Err(reason) => return lookup::keep(app, &event, reason.code()).await,
    };
    let heard = settle::hear(app, &event, &word, None).await?;
    // What somebody else sold is not ours to speak of.
    if matches!(kind, Kind::Consumption) && heard.outcome != Outcome::OtherProduct {
        // A payment that does not fit the order that it names gave nobody anything, whatever else that order gave.
        let order = settle::bound_order(&app.db, &word).await?;
        consumption::ask(app, store, &event, &word.transaction, order).await?;
    }
    Ok(heard.outcome.name())
}

/// What a type means for a store that sells packs.
enum Kind {
    /// The transaction says how the purchase stands.
    Purchase,
    /// The same, and Apple wants to know what became of it.
    Consumption,
    /// An operator tries the address.
    Test,
    /// Of subscriptions, or newer than this.
    Unknown,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "ONE_TIME_CHARGE" | "REFUND" | "REFUND_REVERSED" | "REFUND_DECLINED" | "REVOKE" => Self::Purchase,
            "CONSUMPTION_REQUEST" => Self::Consumption,
            "TEST" => Self::Test,
            _ => Self::Unknown,
        }
    }
}

/// What the inbox knows a notification by. Apple's names are short and plain; whatever else it signs has no place there.
pub(super) fn event(notification: &Notification) -> Result<Event, Error> {
    let body = &notification.body.claims;
    let plain = |text: &Option<String>, most: usize, name| {
        let text = text.as_deref().unwrap_or_default();
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(text.to_owned()) } else { Err(super::Refusal::from(Malformed::Senseless(name))) }
    };
    Ok(Event {
        source: SOURCE,
        id: plain(&body.notification_uuid, 200, "notificationUUID")?,
        kind: plain(&body.notification_type, 64, "notificationType")?,
    })
}

/// Keeps what changes nothing, with what it says of itself and without what names a person.
async fn kept(
    app: &App,
    event: &Event,
    notification: &Notification,
    outcome: &'static str,
) -> Result<&'static str, Error> {
    let body = &notification.body.claims;
    let transaction = notification.transaction.as_ref().map(|transaction| &transaction.claims);
    let payload = json!({
        "notificationType": body.notification_type, "subtype": body.subtype, "version": body.version,
        "signedDate": body.signed_date,
        "transactionId": transaction.and_then(|transaction| transaction.transaction_id.as_ref()),
        "productId": transaction.and_then(|transaction| transaction.product_id.as_ref()),
    });
    settle::note_event(app, event, outcome, &payload).await?;
    Ok(outcome)
}

/// What the inbox knows notifications by, from wherever they come: one that was lost and is found in the history is the same.
pub(super) const SOURCE: &str = "apple";
/// The longest JWS in its body.
const MOST_BYTES: usize = MAX_BYTES + 1024;
