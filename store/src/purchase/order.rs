//! Making orders.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::json;
use sticker_protocol::token::UserId;
use sticker_protocol::{PackId, Sha256};
use uuid::Uuid;

use super::entity::order;
use super::promotion;
use super::redeem::already_owned;
use super::settle::{self, Submitter};
use super::state::{GiftKind, State};
use super::till;
use super::word::{Provider, World};
use crate::app::App;
use crate::catalogue;
use crate::catalogue::query::Shown;
use crate::db;
use crate::library;
use crate::money::Money;
use crate::web::error::Error;

/// The wish for a pack.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The pack.
    pub pack: PackId,
    /// Who will vouch for the payment.
    pub provider: Provider,
    /// For whom it is.
    pub recipient: Recipient,
    /// The partner whom the messenger named: shares what couples share.
    pub partner: Option<UserId>,
    /// `ios`, `android` or `web`, as the messenger said.
    pub platform: Option<&'a str>,
    /// Makes a repeated request the same order.
    pub idempotency_key: Option<&'a str>,
}

/// For whom a pack is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// For who orders it.
    Buyer,
    /// A gift to the partner.
    Partner,
    /// A gift to whoever gets the code.
    WhoHasTheCode,
}

impl Recipient {
    const fn gift(self) -> Option<GiftKind> {
        match self {
            Self::Buyer => None,
            Self::Partner => Some(GiftKind::Partner),
            Self::WhoHasTheCode => Some(GiftKind::Code),
        }
    }
}

impl<'a> Wish<'a> {
    /// A pack for who orders it.
    pub const fn new(pack: PackId, provider: Provider) -> Self {
        Self {
            pack,
            provider,
            recipient: Recipient::Buyer,
            partner: None,
            platform: None,
            idempotency_key: None,
        }
    }

    /// The same under an idempotency key.
    #[must_use]
    pub const fn once(self, key: &'a str) -> Self {
        Self { idempotency_key: Some(key), ..self }
    }

    /// What has to be the same under the same key.
    pub(super) fn digest(&self) -> String {
        let content = json!({
            "pack": self.pack, "provider": self.provider.name(), "gift": self.recipient.gift().map(GiftKind::name),
            "partner": self.partner.filter(|_| self.recipient == Recipient::Partner).map(|partner| partner.to_hex()),
        });
        Sha256::of(content.to_string().as_bytes()).to_string()
    }
}

/// Makes an order; a free one is settled at once. The same key gives the same order.
///
/// # Errors
/// [`Error`].
pub async fn make(app: &App, user: &UserId, wish: Wish<'_>) -> Result<order::Model, Error> {
    if let Some(before) = repeated(app, user, wish).await? {
        return Ok(before);
    }
    if wish.provider == Provider::Promotion {
        return promotion::join(app, user, wish).await;
    }
    let shown = catalogue::query::by_id(app, wish.pack).await?;
    let shown = shown.ok_or_else(|| Error::not_found("there is no such pack"))?;
    if shown.taken_down {
        return Err(Error::refused("taken_down", "the pack was taken down"));
    }
    let recipient = match checked_recipient(app, user, wish).await {
        // Perhaps by the same request, which came twice at once.
        Err(owned) if matches!(owned.code(), "already_owned" | "recipient_owns") => {
            return repeated(app, user, wish).await?.ok_or(owned);
        }
        checked => checked?,
    };
    let price = price(app, wish, &shown)?;
    let row = order::ActiveModel {
        recipient_id: Set(recipient.map(|recipient| recipient.as_bytes().to_vec())),
        gift: Set(wish.recipient.gift()),
        shared_with: Set(sharer(&shown, user, wish).map(|partner| partner.as_bytes().to_vec())),
        platform: Set(wish.platform.map(str::to_owned)),
        product_id: Set(product(app, wish.provider, &shown)),
        idempotency_key: Set(wish.idempotency_key.map(str::to_owned)),
        digest: Set(Some(wish.digest())),
        ..new(app, user, wish.pack, wish.provider, price)?
    };
    let made = match db::insert(&app.db, row).await {
        Ok(made) => made,
        // The same request came twice at once: both get the one order.
        Err(error) if db::is_duplicate(&error) => {
            return repeated(app, user, wish).await?.ok_or_else(|| Error::from(error));
        }
        Err(error) => return Err(error.into()),
    };
    match wish.provider {
        Provider::Free => settle_own(app, user, made).await,
        _ => Ok(made),
    }
}

/// A row for an order of this user, for themselves.
pub(super) fn new(
    app: &App,
    user: &UserId,
    pack: PackId,
    provider: Provider,
    price: Option<Money>,
) -> Result<order::ActiveModel, Error> {
    let now = app.clock.now_ms();
    Ok(order::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        user_id: Set(user.as_bytes().to_vec()),
        pack_id: Set(pack.signed()),
        provider: Set(provider),
        state: Set(State::Created),
        price_minor: Set(price.map_or(0, |price| price.minor)),
        currency: Set(app.config.purchase.currency.clone()),
        idempotency_key: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        recipient_id: Set(None),
        gift: Set(None),
        shared_with: Set(None),
        platform: Set(None),
        product_id: Set(None),
        promotion_id: Set(None),
        problem: Set(None),
        withheld_at: Set(None),
        digest: Set(None),
    })
}

/// Settles an order that nobody pays for: it vouches for itself.
pub(super) async fn settle_own(app: &App, user: &UserId, made: order::Model) -> Result<order::Model, Error> {
    let word = settle::own_word(&made, World::Production, &made.id);
    let submitter = Submitter { user, order_id: &made.id };
    let heard = settle::hear(app, &settle::submission(&word), &word, Some(submitter)).await?;
    Ok(heard.order.unwrap_or(made))
}

/// Whom a gift goes to, if it is one for somebody named; refuses what nobody would want to pay for.
async fn checked_recipient(app: &App, user: &UserId, wish: Wish<'_>) -> Result<Option<UserId>, Error> {
    let recipient = match wish.recipient {
        Recipient::Buyer => {
            if library::query::owns(&app.db, user, wish.pack).await? {
                return Err(already_owned());
            }
            return Ok(None);
        }
        Recipient::WhoHasTheCode => None,
        Recipient::Partner => {
            let missing = || {
                Error::refused("no_partner", "the messenger named no partner for this user")
                    .hint("the messenger names one when it asks for a launch code; otherwise give a code")
            };
            Some(wish.partner.filter(|partner| partner != user).ok_or_else(missing)?)
        }
    };
    // Where the money is taken counts as well as where the store was opened.
    let till = match wish.provider {
        Provider::Apple => Some("ios"),
        Provider::Google => Some("android"),
        _ => wish.platform,
    };
    let gifts = &app.config.purchase.gifts;
    if !gifts.on(wish.platform) || !gifts.on(till) {
        let message = "this store sells no gifts on this platform";
        return Err(Error::refused("gifts_disabled", message));
    }
    if wish.provider == Provider::Free {
        let message = "a free pack is no gift: everybody can have it";
        return Err(Error::refused("not_a_gift", message));
    }
    if let Some(partner) = &recipient
        && library::query::owns(&app.db, partner, wish.pack).await?
    {
        return Err(Error::conflict("recipient_owns", "the partner owns the pack already"));
    }
    Ok(recipient)
}

/// The partner who gets the pack as well, where it is one that couples share and it is not a gift.
fn sharer(shown: &Shown, user: &UserId, wish: Wish<'_>) -> Option<UserId> {
    wish.partner
        .filter(|partner| shown.couple_shared && wish.recipient == Recipient::Buyer && partner != user)
}

/// What the pack costs, where this provider may be paid for it; `None` for nothing.
fn price(app: &App, wish: Wish<'_>, shown: &Shown) -> Result<Option<Money>, Error> {
    let price = app.config.price(&shown.price_tier);
    let price = price.ok_or_else(|| Error::refused("not_for_sale", "the pack has no price in this store"))?;
    // An order for a promotion is made where the promotion counts it.
    let enabled = wish.provider != Provider::Promotion && till::takes(app, wish.provider);
    if !enabled {
        let message = format!("this store takes no orders for the provider {}", wish.provider.name());
        return Err(Error::refused("provider_disabled", message));
    }
    match (wish.provider == Provider::Free, price) {
        (true, Some(_)) => Err(Error::refused("not_free", "the pack is not free")),
        (false, None) => {
            Err(Error::refused("is_free", "the pack is free").hint("order it with the provider free"))
        }
        _ => Ok(price),
    }
}

/// What the app store sells the pack as.
fn product(app: &App, provider: Provider, shown: &Shown) -> Option<String> {
    let (tier, slug, purchase) = (&shown.price_tier, shown.release.slug.as_str(), &app.config.purchase);
    match provider {
        Provider::Apple => Some(purchase.apple.product_id(tier, slug, shown.id)),
        Provider::Google => Some(purchase.google.product_id(tier, slug, shown.id)),
        Provider::Free | Provider::Sandbox | Provider::Promotion | Provider::Manual => None,
    }
}

async fn repeated(app: &App, user: &UserId, wish: Wish<'_>) -> Result<Option<order::Model>, Error> {
    let Some(key) = wish.idempotency_key else { return Ok(None) };
    let before = order::Entity::find()
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .filter(order::Column::IdempotencyKey.eq(key))
        .one(&app.db)
        .await?;
    let Some(before) = before else { return Ok(None) };
    let same = match &before.digest {
        Some(digest) => *digest == wish.digest(),
        // Made by the version before, which knew no gifts.
        None => {
            before.pack_id == wish.pack.signed()
                && before.provider == wish.provider
                && wish.recipient == Recipient::Buyer
        }
    };
    if !same {
        return Err(Error::refused("idempotency_key_reused", "the key was used for another order")
            .hint("make a new key for each wish, and use it again only to repeat that wish"));
    }
    // A crash may have come between the order and its settling.
    if before.state == State::Created && matches!(wish.provider, Provider::Free | Provider::Promotion) {
        return settle_own(app, user, before).await.map(Some);
    }
    Ok(Some(before))
}

/// One order of this user.
///
/// # Errors
/// [`Error`], not found for somebody else's.
pub async fn of(app: &App, user: &UserId, id: &str) -> Result<order::Model, Error> {
    let found = order::Entity::find_by_id(checked_id(id)?)
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .one(&app.db)
        .await?;
    found.ok_or_else(no_such_order)
}

/// An id that an address or a request names, as the store writes it: phones write a UUID in capitals.
///
/// # Errors
/// [`Error`], not found for what is no UUID.
pub(super) fn checked_id(id: &str) -> Result<String, Error> {
    Ok(Uuid::try_parse(id).map_err(|_not_a_uuid| no_such_order())?.to_string())
}

pub(super) fn no_such_order() -> Error {
    Error::not_found("there is no such order")
}

/// Some orders of a user.
#[derive(Clone, Debug)]
pub struct Orders {
    /// Newest first.
    pub orders: Vec<order::Model>,
    /// Whether there are older ones.
    pub more: bool,
}

/// The user's latest orders, or those that come before an order of theirs; newest first, at most `limit`.
///
/// # Errors
/// [`Error`], not found where `before` is no order of the user's.
pub async fn page_of(app: &App, user: &UserId, before: Option<&str>, limit: u64) -> Result<Orders, Error> {
    let mut rows = order::Entity::find()
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .order_by_desc(order::Column::CreatedAt)
        .order_by_desc(order::Column::Id);
    if let Some(before) = before {
        let last = of(app, user, before).await?;
        let same_moment = Condition::all()
            .add(order::Column::CreatedAt.eq(last.created_at))
            .add(order::Column::Id.lt(last.id));
        rows =
            rows.filter(Condition::any().add(order::Column::CreatedAt.lt(last.created_at)).add(same_moment));
    }
    let mut orders = rows.limit(limit.saturating_add(1)).all(&app.db).await?;
    let more = orders.len() as u64 > limit;
    orders.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Orders { orders, more })
}

/// The user's latest orders, newest first.
///
/// # Errors
/// [`Error`].
pub async fn all_of(app: &App, user: &UserId) -> Result<Vec<order::Model>, Error> {
    Ok(page_of(app, user, None, LATEST).await?.orders)
}

const LATEST: u64 = 200;

/// How a user came to what an order gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They ordered it.
    Own,
    /// Somebody gave it to them.
    Gift,
    /// Their partner ordered it, and couples share the pack.
    Shared,
}

impl Origin {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Gift => "gift",
            Self::Shared => "shared",
        }
    }
}

/// How a user came to what these orders gave them, by the order's id.
///
/// # Errors
/// [`Error`].
pub async fn origins(app: &App, user: &UserId, ids: &[&str]) -> Result<HashMap<String, Origin>, Error> {
    let mut origins = HashMap::with_capacity(ids.len());
    for some in ids.chunks(ORDERS_AT_ONCE) {
        let found = order::Entity::find().filter(order::Column::Id.is_in(some.iter().copied()));
        for order in found.all(&app.db).await? {
            let origin = match (&order.gift, &order.shared_with) {
                _ if order.user_id == user.as_bytes() => Origin::Own,
                (None, Some(partner)) if partner == user.as_bytes() => Origin::Shared,
                _ => Origin::Gift,
            };
            origins.insert(order.id, origin);
        }
    }
    Ok(origins)
}

/// Few enough for the parameters that a statement may have.
const ORDERS_AT_ONCE: usize = 500;
