//! The history of orders, one order with its next step, and codes that somebody types.

use askama::Template;
use axum::http::StatusCode;

use sticker_protocol::sticker::Rgb;

use crate::catalogue::page::{PackCard, Price};
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
    /// Whether more than one payment came for it.
    pub paid_twice: bool,
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
    /// Whether it is a gift, and how it finds its recipient.
    pub gift: Option<GiftTo>,
    /// Whether the buyer's partner has the pack by it as well.
    pub shared: bool,
    /// Whether the operator took the pack down: it has no page any more.
    pub taken_down: bool,
    /// Whether the money is play money.
    pub sandbox: bool,
}

/// For whom a gift is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiftTo {
    /// The partner whom the messenger named.
    Partner,
    /// Whoever has the code.
    WhoHasTheCode,
}

/// How far an order has come, in the words of a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Made, not paid.
    Created,
    /// The provider waits for money.
    Pending,
    /// Paid, and the buyer has to look at it.
    Paid,
    /// A paid gift that nobody has taken yet.
    Waiting,
    /// The pack is the buyer's (granted or acknowledged).
    Granted,
    /// The pack is whose it was meant to be by a gift.
    Given,
    /// Refunded or taken back.
    Revoked,
}

/// What the user can do about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderStep {
    /// Post the form to `/orders/{id}/pay`: the sandbox provider says that it was paid.
    PayWithTestMoney,
    /// The app around the page takes the payment: the bridge of `templates/README.md`.
    PayInApp {
        /// `apple` or `google`.
        provider: &'static str,
        /// What the app store calls what is sold.
        product: String,
    },
    /// Post the form to `/orders/{id}/pay`: something went wrong between the order and the pack, which costs nothing.
    Finish,
    /// The pack was taken down before it was paid.
    TooLate,
    /// Whom the order is for has the pack meanwhile; nobody paid for the order.
    NothingToPay,
    /// Nothing but wait for the provider.
    Wait,
    /// Look at the library.
    OpenLibrary,
    /// Go back to the pack, where it can be ordered again.
    BackToPack,
    /// The order is refunded, and another one gives the buyer the pack.
    KeptByAnother,
    /// Hand the code on, or post `take_back` to `/orders/{id}/gift`.
    ShareCode {
        /// The code.
        code: String,
        /// The address that has the code in its fragment.
        link: String,
        /// The last day on which it gives.
        until: Day,
    },
    /// The code gives nothing any more: post `new_code` or `keep` to `/orders/{id}/gift`.
    CodeEnded {
        /// By its time, and not by the giver.
        expired: bool,
        /// Whether the giver can keep the pack, which they do not own.
        can_keep: bool,
    },
    /// The partner had the pack already: post `new_code` or `keep` to `/orders/{id}/gift`.
    PartnerOwns {
        /// Whether the giver can keep the pack, which they do not own.
        can_keep: bool,
    },
    /// The gift has found its owner.
    Given,
    /// The buyer had the pack already when the payment came.
    AlreadyOwned,
}

/// `GET /redeem`: a code of a gift or a promotion, and what it gave. The fragment of the address may have the code.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/redeem.html")]
pub struct RedeemPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// How far it has come.
    pub step: RedeemStep,
}

/// How far somebody is with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedeemStep {
    /// Nobody is signed in: open the store from the messenger.
    SignedOut,
    /// Post the form field `code` to `/redeem`.
    Form {
        /// What was typed.
        typed: String,
        /// Why it gave nothing.
        problem: Option<RedeemProblem>,
    },
    /// The pack is the user's.
    Done {
        /// The pack.
        pack: Box<PackCard>,
    },
}

/// Why a code gave nothing, as far as who typed it can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeemProblem {
    /// Mistyped, taken back, or refunded.
    Invalid,
    /// Too old.
    Expired,
    /// Somebody was faster.
    Used,
    /// The user has the pack.
    AlreadyOwned,
    /// The promotion begins later.
    NotBegun,
    /// The promotion is over.
    Over,
    /// The promotion gave everything away.
    UsedUp,
    /// The user took part in the promotion before.
    PromotionUsed,
    /// The pack is not on sale at the moment.
    TakenDown,
    /// Too many attempts.
    TooMany,
}

impl RedeemProblem {
    /// All problems, for tests and galleries.
    pub const ALL: [Self; 10] = [
        Self::Invalid,
        Self::Expired,
        Self::Used,
        Self::AlreadyOwned,
        Self::NotBegun,
        Self::Over,
        Self::UsedUp,
        Self::PromotionUsed,
        Self::TakenDown,
        Self::TooMany,
    ];

    /// The problem that an error's code tells.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }

    /// The code of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "code_invalid",
            Self::Expired => "code_expired",
            Self::Used => "code_used",
            Self::AlreadyOwned => "already_owned",
            Self::NotBegun => "promotion_not_begun",
            Self::Over => "promotion_over",
            Self::UsedUp => "promotion_used_up",
            Self::PromotionUsed => "promotion_used",
            Self::TakenDown => "taken_down",
            Self::TooMany => "rate_limited",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Invalid | Self::TakenDown => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Expired
            | Self::Used
            | Self::AlreadyOwned
            | Self::NotBegun
            | Self::Over
            | Self::UsedUp
            | Self::PromotionUsed => StatusCode::CONFLICT,
        }
    }
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

impl Page for RedeemPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn status(&self) -> StatusCode {
        match self.step {
            RedeemStep::Form { problem: Some(problem), .. } => problem.status(),
            RedeemStep::Form { problem: None, .. } | RedeemStep::SignedOut | RedeemStep::Done { .. } => {
                Self::STATUS
            }
        }
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
