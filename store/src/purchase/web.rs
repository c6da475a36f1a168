//! Ordering and paying, for apps and as pages that work without scripts.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::PackId;

use super::entity::order;
use super::order::{Provider, Wish};
use super::page::{OrderPage, OrderState, OrderStep, OrderSummary, OrdersPage};
use super::settle::{self, Proof};
use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue::page::Price;
use crate::catalogue::query::{self, Shown};
use crate::catalogue::web::{colour_of, first_poster, price_of, title_of};
use crate::i18n::{Day, Locale};
use crate::money::Money;
use crate::web::error::{Error, Json};
use crate::web::layout;
use crate::web::page::Html;

pub(crate) fn api() -> Router<App> {
    Router::new().route("/v1/orders", post(make)).route("/v1/orders/{id}/receipts", post(receipt))
}

pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/orders", get(list).post(submit))
        .route("/orders/{id}", get(one))
        .route("/orders/{id}/pay", post(pay))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderRequest {
    pack_id: PackId,
    provider: String,
}

async fn make(
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
    let provider = Provider::parse(&request.provider)
        .ok_or_else(|| Error::refused("unknown_provider", "`provider` is free or sandbox"))?;
    let wish = Wish { pack: request.pack_id, provider, idempotency_key: key };
    let made = super::order::make(&app, &buyer.user, wish).await?;
    Ok((StatusCode::CREATED, axum::Json(shown(&made))))
}

fn checked_key(key: &str) -> Result<&str, Error> {
    let plain = (1..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(key) } else { Err(invalid_key()) }
}

fn invalid_key() -> Error {
    Error::bad_request("invalid_idempotency_key", "an idempotency key is 1 to 100 visible ASCII characters")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptRequest {
    transaction: String,
}

async fn receipt(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
    Json(request): Json<ReceiptRequest>,
) -> Result<axum::Json<Value>, Error> {
    super::order::of(&app, &buyer.user, &id).await?;
    let plain = request.transaction.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || !(1..=100).contains(&request.transaction.len()) {
        return Err(Error::refused("invalid_receipt", "`transaction` is 1 to 100 visible ASCII characters"));
    }
    sandbox_is_on(&app)?;
    let settled = settle::settle(&app, &buyer.user, &id, &Proof::sandbox(&request.transaction)).await?;
    Ok(axum::Json(shown(&settled)))
}

fn sandbox_is_on(app: &App) -> Result<(), Error> {
    if app.config.purchase.sandbox {
        return Ok(());
    }
    Err(Error::refused("provider_disabled", "this store takes no test money"))
}

fn shown(order: &order::Model) -> Value {
    json!({
        "id": order.id, "pack_id": order.pack_id, "provider": order.provider, "state": order.state,
        "price": { "minor": order.price_minor, "currency": order.currency }, "created_at": order.created_at / 1000,
    })
}

#[derive(Deserialize)]
struct OrderForm {
    pack: String,
    idempotency_key: String,
}

async fn submit(
    State(app): State<App>,
    buyer: Buyer,
    Form(form): Form<OrderForm>,
) -> Result<Redirect, Error> {
    let shown =
        query::by_slug(&app, &form.pack).await?.ok_or_else(|| Error::not_found("there is no such pack"))?;
    let provider = match price_of(&app, &shown) {
        Price::Free => Provider::Free,
        Price::Paid(_) => Provider::Sandbox,
    };
    let wish = Wish { pack: shown.id, provider, idempotency_key: Some(checked_key(&form.idempotency_key)?) };
    match super::order::make(&app, &buyer.user, wish).await {
        Ok(order) => Ok(Redirect::to(&format!("/orders/{}", order.id))),
        Err(error) if error.code() == "already_owned" => Ok(Redirect::to(&format!("/packs/{}", form.pack))),
        Err(error) => Err(error),
    }
}

async fn pay(State(app): State<App>, buyer: Buyer, Path(id): Path<String>) -> Result<Redirect, Error> {
    sandbox_is_on(&app)?;
    let order = super::order::of(&app, &buyer.user, &id).await?;
    let pack = PackId::try_from(order.pack_id).map_err(|error| Error::internal(&error))?;
    if query::by_id(&app, pack).await?.is_some_and(|pack| pack.taken_down) {
        return Err(Error::refused("taken_down", "the pack was taken down"));
    }
    // The page's button is the sandbox's till: one payment for one order.
    let proof = Proof::sandbox(&format!("till-{}", order.id));
    match settle::settle(&app, &buyer.user, &order.id, &proof).await {
        Err(error) if !matches!(error.code(), "already_settled" | "already_owned") => Err(error),
        _ => Ok(Redirect::to(&format!("/orders/{}", order.id))),
    }
}

async fn list(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
) -> Result<Html<OrdersPage>, Error> {
    let layout = layout(&uri, &headers, Some(&buyer));
    let rows = super::order::all_of(&app, &buyer.user).await?;
    let ids: Vec<PackId> = rows.iter().filter_map(|row| PackId::try_from(row.pack_id).ok()).collect();
    let packs = query::by_ids(&app, &ids).await?;
    let pack_of = |row: &order::Model| packs.iter().find(|shown| shown.id.signed() == row.pack_id);
    let orders = rows.iter().filter_map(|row| Some(summary(row, pack_of(row)?, layout.locale))).collect();
    Ok(Html(OrdersPage { layout, orders }))
}

async fn one(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
    Path(id): Path<String>,
) -> Result<Html<OrderPage>, Error> {
    let layout = layout(&uri, &headers, Some(&buyer));
    let row = super::order::of(&app, &buyer.user, &id).await?;
    let pack = PackId::try_from(row.pack_id).map_err(|error| Error::internal(&error))?;
    let pack = query::by_id(&app, pack).await?.ok_or_else(|| Error::not_found("the pack is gone"))?;
    let order = summary(&row, &pack, layout.locale);
    let step = match order.state {
        OrderState::Created if order.sandbox => OrderStep::PayWithTestMoney,
        OrderState::Created | OrderState::Pending | OrderState::Paid => OrderStep::Wait,
        OrderState::Granted => OrderStep::OpenLibrary,
        OrderState::Revoked => OrderStep::BackToPack,
    };
    Ok(Html(OrderPage { layout, order, step }))
}

fn summary(row: &order::Model, pack: &Shown, locale: Locale) -> OrderSummary {
    let release = &pack.release;
    let money = row.currency.parse().ok().map(|currency| Money { minor: row.price_minor, currency });
    OrderSummary {
        id: row.id.clone(),
        slug: release.slug.to_string(),
        title: title_of(pack, locale),
        artist: release.artist.name.clone(),
        poster: first_poster(pack),
        colour: colour_of(pack),
        price: money.filter(|money| money.minor > 0).map_or(Price::Free, Price::Paid),
        day: Day::of_unix_ms(row.created_at),
        state: match row.state.as_str() {
            "pending" => OrderState::Pending,
            "paid" => OrderState::Paid,
            "granted" | "acknowledged" => OrderState::Granted,
            "revoked" => OrderState::Revoked,
            _ => OrderState::Created,
        },
        sandbox: row.provider == Provider::Sandbox.name(),
    }
}
