//! The history of orders, and one order with its next step.

use askama::Template;
use axum::http::StatusCode;

use sticker_protocol::sticker::Rgb;

use crate::catalogue::page::Price;
use crate::i18n::{Day, LocalText};
use crate::web::page::{CachePolicy, Layout, Page, Picture};

/// `GET /orders`: what the user ordered.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/orders.html")]
pub struct OrdersPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The orders, newest first.
    pub orders: Vec<OrderSummary>,
}

/// `GET /orders/{id}`: one order; with the sandbox provider, also the till.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/order.html")]
pub struct OrderPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The order.
    pub order: OrderSummary,
    /// What the user can do next.
    pub step: OrderStep,
}

/// An order and the pack it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSummary {
    /// The order's id (a UUID).
    pub id: String,
    /// The slug of the pack.
    pub slug: String,
    /// The pack's title in the nearest language there is.
    pub title: LocalText,
    /// The artist's name.
    pub artist: String,
    /// The still picture of the pack's first sticker.
    pub poster: Picture,
    /// The colour behind the picture.
    pub colour: Rgb,
    /// What was, or is to be, paid.
    pub price: Price,
    /// The day of the order (UTC).
    pub day: Day,
    /// How far it has come.
    pub state: OrderState,
    /// Whether the money is play money.
    pub sandbox: bool,
}

/// How far an order has come, in the words of a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Made, not paid.
    Created,
    /// The provider waits for money.
    Pending,
    /// Paid; the grant follows.
    Paid,
    /// The pack is the buyer's (granted or acknowledged).
    Granted,
    /// Refunded or taken back.
    Revoked,
}

/// What the user can do about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStep {
    /// Post the form to `/orders/{id}/pay`: the sandbox provider says that it was paid.
    PayWithTestMoney,
    /// Nothing but wait for the provider.
    Wait,
    /// Look at the library.
    OpenLibrary,
    /// Go back to the pack, where it can be ordered again.
    BackToPack,
}

impl Page for OrdersPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Page for OrderPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
