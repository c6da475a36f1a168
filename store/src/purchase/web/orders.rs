//! `/v1/orders`

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::{checked_key, invalid_key, wish_of};
use crate::account::session::Buyer;
use crate::app::App;
use crate::purchase::entity::order;
use crate::purchase::gift::{self, Progress};
use crate::purchase::order::{self as orders, Recipient, Wish};
use crate::purchase::state::{GiftKind, Problem};
use crate::purchase::word::Provider;
use crate::web::error::{Error, Json};
use crate::web::extract::{Path, Query};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRequest {
    pack_id: PackId,
    provider: String,
    gift: Option<String>,
}

pub(super) async fn make(
    State(app): State<App>,
    buyer: Buyer,
    headers: HeaderMap,
    Json(request): Json<OrderRequest>,
) -> Result<(StatusCode, axum::Json<Value>), Error> {
    let key = match headers.get("idempotency-key").map(|key| key.to_str()) {
        None => None,
        Some(Ok(key)) => Some(checked_key(key)?),
        Some(Err(_)) => return Err(invalid_key()),
    };
    let provider = Provider::parse(&request.provider).filter(|&provider| provider != Provider::Manual);
    let provider = provider.ok_or_else(|| {
        Error::refused("unknown_provider", "`provider` is free, promotion, sandbox, apple or google")
    })?;
    let recipient = match request.gift.as_deref() {
        None => Recipient::Buyer,
        Some("partner") => Recipient::Partner,
        Some("code") => Recipient::WhoHasTheCode,
        Some(_) => return Err(Error::refused("invalid_body", "`gift` is partner or code")),
    };
    let wish = Wish { recipient, idempotency_key: key, ..wish_of(&buyer, request.pack_id, provider) };
    let made = orders::make(&app, &buyer.user, wish).await?;
    Ok((StatusCode::CREATED, axum::Json(described(&app, &made).await?)))
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    before: Option<String>,
    limit: Option<u64>,
}

/// Newest first; `next` is what `before` has to be for the orders that follow.
pub(super) async fn history(
    State(app): State<App>,
    buyer: Buyer,
    Query(asked): Query<HistoryQuery>,
) -> Result<axum::Json<Value>, Error> {
    let limit = asked.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::bad_request("invalid_limit", format!("`limit` is 1 to {MAX_LIMIT}")));
    }
    let page = orders::page_of(&app, &buyer.user, asked.before.as_deref(), limit).await?;
    let gifts = gift::progress(&app, &page.orders).await?;
    let shown: Vec<Value> =
        page.orders.iter().map(|order| description(order, gifts.get(&order.id))).collect();
    let next = page.more.then(|| page.orders.last().map(|order| order.id.as_str())).flatten();
    Ok(axum::Json(json!({ "orders": shown, "next": next })))
}

const USUAL_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 200;

pub(super) async fn one(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, Error> {
    let order = orders::of(&app, &buyer.user, &id).await?;
    described(&app, &order).await.map(axum::Json)
}

/// An order for its buyer, as it is now.
pub(super) async fn described(app: &App, order: &order::Model) -> Result<Value, Error> {
    let gifts = gift::progress(app, std::slice::from_ref(order)).await?;
    Ok(description(order, gifts.get(&order.id)))
}

fn description(order: &order::Model, progress: Option<&Progress>) -> Value {
    json!({
        "id": order.id, "pack_id": order.pack_id, "provider": order.provider.name(), "state": order.state.name(),
        "price": { "minor": order.price_minor, "currency": order.currency }, "created_at": order.created_at / 1_000,
        "product_id": order.product_id, "problem": order.problem.map(Problem::name),
        "shared": order.shared_with.is_some(), "gift": progress.map(|progress| gift_of(order, progress)),
    })
}

fn gift_of(order: &order::Model, progress: &Progress) -> Value {
    let mut gift = json!({ "kind": order.gift.map(GiftKind::name), "state": progress.name() });
    let Some(fields) = gift.as_object_mut() else { return gift };
    if let Progress::Waiting { code, expires_at } = progress {
        fields.insert("code".to_owned(), code.expose().into());
        fields.insert("expires_at".to_owned(), (expires_at / 1_000).into());
    }
    if let Some(partner) = gift::partner(order) {
        let (name, value) = named(&partner);
        fields.insert(name.to_owned(), value.into());
    }
    gift
}

/// As requests name a partner: text, or bytes in hexadecimal.
fn named(partner: &UserId) -> (&'static str, String) {
    match partner.as_text() {
        Some(text) => ("partner", text.to_owned()),
        None => ("partner_hex", partner.to_hex()),
    }
}
