//! A transaction as Apple says it stands, asked for by an operator.

use serde_json::json;

use super::api;
use super::refusal::Refusal;
use crate::app::App;
use crate::audit;
use crate::purchase::settle;
use crate::purchase::word::Event;
use crate::web::error::Error;

/// Asks Apple about a transaction, hears what it says, and says what followed.
///
/// # Errors
/// `invalid_receipt` where Apple does not know it; the codes of [`NoWord`](super::word::NoWord); 503 where it cannot be asked.
pub async fn recover(app: &App, transaction_id: &str) -> Result<&'static str, Error> {
    let store = super::store(app)?;
    let jws = store.api()?.transaction(transaction_id).await?;
    let verified = store.verifier.transaction(&jws, app.clock.now()).map_err(api::Failure::from)?;
    if verified.claims.transaction_id.as_deref() != Some(transaction_id) {
        let other = Refusal::from(super::Malformed::Senseless("transactionId"));
        return Err(api::Failure::from(other).into());
    }
    let word = store.word(&verified.claims)?;
    let event = Event {
        source: SOURCE,
        id: format!("{}:{}", word.transaction, word.version),
        kind: "LOOKED_UP".to_owned(),
    };
    Ok(settle::hear(app, &event, &word, None).await?.outcome.name())
}

/// Keeps an event that changes nothing, once, with its row in the trace.
///
/// # Errors
/// [`Error`].
pub(super) async fn keep(app: &App, event: &Event, outcome: &'static str) -> Result<&'static str, Error> {
    let detail = json!({ "event": event.id, "kind": event.kind });
    if settle::note_event(app, event, outcome, &detail).await? {
        audit::refusal(app, event.source, "notification", &event.id, outcome, detail).await;
    }
    Ok(outcome)
}

/// What the inbox knows our own lookups by.
const SOURCE: &str = "apple_lookup";
