//! A purchase as Google says it stands.

use sea_orm::{ColumnTrait as _, EntityTrait as _, Iterable as _, QueryFilter as _};
use serde_json::json;

use super::Play;
use super::api::{Purchase, PurchaseToken};
use super::word::{self, Listed, NoWord};
use crate::app::App;
use crate::audit;
use crate::purchase::entity::snapshot;
use crate::purchase::settle::{self, Heard};
use crate::purchase::word::{Event, Provider, Word, World};
use crate::web::error::Error;

/// The store's way to Google.
///
/// # Errors
/// `provider_disabled` where the store does not take Google's purchases.
pub fn play(app: &App) -> Result<&Play, Error> {
    app.google.as_ref().ok_or_else(|| {
        Error::refused("provider_disabled", "this store does not take purchases of Google Play")
    })
}

/// Looks a purchase up and makes its word.
///
/// # Errors
/// `invalid_receipt`, `provider_away`, `provider_refuses`.
pub async fn ask(
    play: &Play,
    token: &PurchaseToken,
    listed: Listed,
) -> Result<(Purchase, Result<Word, NoWord>), Error> {
    let purchase = play.api.purchase(token).await?;
    let word = word::of(token, &purchase, listed, play.terms);
    Ok((purchase, word))
}

/// What was last heard of a purchase, which Google knows by the same token in whichever of its worlds.
///
/// # Errors
/// As the database says.
pub async fn known(app: &App, token: &PurchaseToken) -> Result<Option<snapshot::Model>, Error> {
    // With the worlds the unique index finds it.
    let of_token = snapshot::Entity::find()
        .filter(snapshot::Column::Provider.eq(Provider::Google))
        .filter(snapshot::Column::World.is_in(World::iter()))
        .filter(snapshot::Column::TransactionId.eq(token.id()));
    Ok(of_token.one(&app.db).await?)
}

/// Hears what Google says of a purchase that somebody else than its buyer named. What becomes no word is kept with its trace, and
/// changes nothing.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn hear(
    app: &App,
    event: &Event,
    token: &PurchaseToken,
    word: Result<Word, NoWord>,
) -> Result<&'static str, Error> {
    match word {
        Ok(word) => {
            let Heard { outcome, .. } = settle::hear(app, event, &word, None).await?;
            Ok(outcome.name())
        }
        Err(reason) => {
            keep(app, event, &token.id(), reason.code()).await?;
            Ok(reason.code())
        }
    }
}

/// Keeps an event that changes nothing, once, with its row in the trace.
///
/// # Errors
/// [`Error`].
pub async fn keep(app: &App, event: &Event, subject: &str, outcome: &'static str) -> Result<(), Error> {
    let detail = json!({ "event": event.id, "kind": event.kind });
    if settle::note_event(app, event, outcome, &detail).await? {
        audit::refusal(app, event.source, "notification", subject, outcome, detail).await;
    }
    Ok(())
}
