//! Ordering and paying, for apps and as pages that work without scripts.

mod codes;
mod gifts;
mod orders;
mod pages;
mod receipts;

use axum::Router;
use axum::routing::{get, post};

use super::order::Wish;
use super::word::Provider;
use crate::account::session::Buyer;
use crate::app::App;
use crate::web::error::Error;
use sticker_protocol::PackId;

pub(crate) fn api() -> Router<App> {
    Router::new()
        .route("/v1/orders", get(orders::history).post(orders::make))
        .route("/v1/orders/{id}", get(orders::one))
        .route("/v1/orders/{id}/receipts", post(receipts::receipt))
        .route("/v1/orders/{id}/gift", post(gifts::act))
        .route("/v1/restore", post(receipts::restore))
        .route("/v1/codes", post(codes::redeem))
}

pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/orders", get(pages::list).post(pages::submit))
        .route("/orders/{id}", get(pages::one))
        .route("/orders/{id}/pay", post(pages::pay))
        .route("/orders/{id}/gift", post(gifts::submit))
        .route("/redeem", get(codes::page).post(codes::submit))
}

/// A wish of this user in this session.
fn wish_of(buyer: &Buyer, pack: PackId, provider: Provider) -> Wish<'_> {
    Wish { partner: buyer.partner, platform: buyer.platform.as_deref(), ..Wish::new(pack, provider) }
}

fn checked_key(key: &str) -> Result<&str, Error> {
    let plain = (1..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(key) } else { Err(invalid_key()) }
}

fn invalid_key() -> Error {
    Error::bad_request("invalid_idempotency_key", "an idempotency key is 1 to 100 visible ASCII characters")
}
