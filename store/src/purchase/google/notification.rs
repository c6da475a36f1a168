//! `POST /v1/notifications/google`: Real-time developer notifications, which Pub/Sub pushes.
//!
//! <https://developer.android.com/google/play/billing/rtdn-reference>. A push is let in by its OIDC token. What it says is a hint:
//! the purchase that it names is looked up, and the lookup is heard. An answer of 200 means that it is kept; after any other Pub/Sub
//! sends it again.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{StatusCode, header};
use base64_simd::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::Play;
use super::api::{self, PurchaseToken};
use super::lookup;
use super::wire::Failure;
use super::word::{self, Listed};
use crate::app::App;
use crate::audit;
use crate::purchase::settle;
use crate::purchase::word::Event;
use crate::web::error::Error;

/// The body of a push.
#[derive(Deserialize)]
struct Push {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    data: String,
    message_id: String,
}

/// `DeveloperNotification`, of which one part is there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    package_name: String,
    /// When it happened, in milliseconds since 1970.
    #[serde(default, deserialize_with = "api::number_or_text")]
    event_time_millis: i64,
    #[serde(rename = "oneTimeProductNotification")]
    one_time_product: Option<OneTimeProduct>,
    #[serde(rename = "voidedPurchaseNotification")]
    voided_purchase: Option<VoidedPurchase>,
    #[serde(rename = "testNotification")]
    test: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneTimeProduct {
    notification_type: i64,
    purchase_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoidedPurchase {
    purchase_token: String,
    product_type: i64,
}

/// What a notification is about.
enum About {
    /// This purchase has changed.
    Purchase(&'static str, PurchaseToken),
    /// Nothing that changes anything, with what became of it.
    Nothing(&'static str, &'static str),
}

pub(super) async fn push(State(app): State<App>, request: Request) -> Result<axum::Json<Value>, Error> {
    match taken(&app, request).await {
        Ok(outcome) => Ok(axum::Json(json!({ "outcome": outcome }))),
        Err(error) => {
            if !error.is_fault() {
                let detail = json!({ "message": error.message() });
                audit::refusal(&app, SOURCE, "notification", "push", error.code(), detail).await;
            }
            Err(error)
        }
    }
}

async fn taken(app: &App, request: Request) -> Result<&'static str, Error> {
    let play = lookup::play(app)?;
    let oidc = play.oidc.as_ref().ok_or_else(|| {
        Error::refused("provider_disabled", "this store takes no pushes of Google")
            .hint("set purchase.google.push_audience and push_email")
    })?;
    // Whoever is not let in does not get to send anything.
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    oidc.check(authorization).await?;
    let body = Bytes::from_request(request, &()).await?;
    receive(app, play, &body).await
}

async fn receive(app: &App, play: &Play, body: &[u8]) -> Result<&'static str, Error> {
    let Push { message } = serde_json::from_slice(body).ok().ok_or_else(malformed)?;
    let plain = message.message_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || !(1..=200).contains(&message.message_id.len()) {
        return Err(malformed());
    }
    let data = STANDARD.decode_to_vec(&message.data).ok().ok_or_else(malformed)?;
    let notification: Notification = serde_json::from_slice(&data).ok().ok_or_else(malformed)?;
    let happened_at = notification.event_time_millis;
    let about = if notification.package_name == app.config.purchase.google.package {
        about(notification)?
    } else {
        tracing::error!("a notification of Google's is for another app: is purchase.google.package right?");
        About::Nothing("OTHER_APP", "wrong_app")
    };
    let (About::Purchase(kind, _) | About::Nothing(kind, _)) = &about;
    let event = Event { source: SOURCE, id: message.message_id, kind: (*kind).to_owned() };
    match about {
        About::Purchase(_, token) => look(app, play, &event, (&token, happened_at)).await,
        About::Nothing(_, outcome @ "wrong_app") => {
            lookup::keep(app, &event, &event.id, outcome).await?;
            Ok(outcome)
        }
        About::Nothing(_, outcome) => {
            settle::note_event(app, &event, outcome, &json!({})).await?;
            Ok(outcome)
        }
    }
}

/// Looks up the purchase with this token, to which something happened then.
async fn look(
    app: &App,
    play: &Play,
    event: &Event,
    (token, happened_at): (&PurchaseToken, i64),
) -> Result<&'static str, Error> {
    match play.api.purchase(token).await {
        Ok(purchase) => {
            let word = word::of(token, &purchase, Listed::Not, play.terms);
            lookup::hear(app, event, token, word).await
        }
        // A notification may be faster than the purchase that it is about; what is gone does not come back.
        Err(Failure::Unknown { status, .. })
            if status != GONE && app.clock.now_ms().saturating_sub(happened_at) < YOUNG_MS =>
        {
            let away = StatusCode::SERVICE_UNAVAILABLE;
            let error = Error::new(away, "purchase_unknown", "Google Play does not know the purchase yet");
            Err(error.retry_after(AFTER_A_MOMENT))
        }
        // Google says so, and will say so again.
        Err(Failure::Unknown { .. }) => {
            lookup::keep(app, event, &token.id(), UNKNOWN).await?;
            Ok(UNKNOWN)
        }
        Err(failure) => Err(failure.into()),
    }
}

fn about(notification: Notification) -> Result<About, Error> {
    let token = |text: &str| PurchaseToken::parse(text).ok_or_else(malformed);
    if let Some(product) = notification.one_time_product {
        let kind = match product.notification_type {
            1 => "ONE_TIME_PRODUCT_PURCHASED",
            2 => "ONE_TIME_PRODUCT_CANCELED",
            // Whatever it is, it is about a purchase.
            _ => "ONE_TIME_PRODUCT",
        };
        return Ok(About::Purchase(kind, token(&product.purchase_token)?));
    }
    if let Some(voided) = notification.voided_purchase {
        // The other one is a subscription.
        return if voided.product_type == ONE_TIME {
            Ok(About::Purchase("VOIDED_PURCHASE", token(&voided.purchase_token)?))
        } else {
            Ok(About::Nothing("VOIDED_SUBSCRIPTION", UNKNOWN_KIND))
        };
    }
    if notification.test.is_some() {
        return Ok(About::Nothing("TEST", "test"));
    }
    Ok(About::Nothing("UNKNOWN", UNKNOWN_KIND))
}

fn malformed() -> Error {
    Error::bad_request("malformed", "the body is not a push of a notification of Google Play")
}

/// What the inbox knows pushes by.
const SOURCE: &str = "google";
const UNKNOWN: &str = "invalid_receipt";
const UNKNOWN_KIND: &str = "unknown_type";
/// 410: Google knew the purchase, and knows it no longer.
const GONE: u16 = 410;
/// How old a notification is that Google ought to know the purchase of.
const YOUNG_MS: i64 = 600_000;
/// Seconds; Pub/Sub goes by its own.
const AFTER_A_MOMENT: u32 = 10;
/// `productType` of a one-time product.
const ONE_TIME: i64 = 2;
/// Google's notifications have less than one KiB.
pub(super) const MOST_BYTES: usize = 64 << 10;
