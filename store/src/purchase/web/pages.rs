//! `/orders` as pages.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Redirect;
use serde::Deserialize;
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::receipts::{sandbox_word, submit_word};
use super::{checked_key, wish_of};
use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue::page::{Missed, Price};
use crate::catalogue::query::{self, Shown};
use crate::catalogue::web::{colour_of, first_poster, price_of, title_of};
use crate::i18n::{Day, Locale};
use crate::library;
use crate::money::Money;
use crate::purchase::effect;
use crate::purchase::entity::order;
use crate::purchase::gift::{self, Progress};
use crate::purchase::order::{self as orders, Recipient, Wish};
use crate::purchase::page::{GiftTo, OrderPage, OrderState, OrderStep, OrderSummary, OrdersPage};
use crate::purchase::state::{self, GiftKind, Problem};
use crate::purchase::till;
use crate::purchase::word::Provider;
use crate::web::error::Error;
use crate::web::layout;
use crate::web::page::Html;

#[derive(Deserialize)]
pub(super) struct OrderForm {
    pack: String,
    idempotency_key: String,
    gift: Option<String>,
    event: Option<String>,
}

pub(super) async fn submit(
    State(app): State<App>,
    buyer: Buyer,
    Form(form): Form<OrderForm>,
) -> Result<Redirect, Error> {
    let shown =
        query::by_slug(&app, &form.pack).await?.ok_or_else(|| Error::not_found("there is no such pack"))?;
    let provider = match (form.event.is_some(), price_of(&app, &shown)) {
        (true, _) => Some(Provider::Promotion),
        (false, Price::Free) => Some(Provider::Free),
        (false, Price::Paid(_)) => till::of_platform(&app, buyer.platform.as_deref()),
    };
    let provider = provider
        .ok_or_else(|| Error::refused("not_for_sale", "this store sells nothing on this platform"))?;
    let recipient = match form.gift.as_deref() {
        Some("partner") => Recipient::Partner,
        Some("code") => Recipient::WhoHasTheCode,
        Some(_) => return Err(Error::bad_request("invalid_body", "`gift` is partner or code")),
        None => Recipient::Buyer,
    };
    let wish = wish_of(&buyer, shown.id, provider).once(checked_key(&form.idempotency_key)?);
    match orders::make(&app, &buyer.user, Wish { recipient, ..wish }).await {
        Ok(order) => Ok(Redirect::to(&format!("/orders/{}", order.id))),
        // What changed meanwhile is on the pack's page, or is told there.
        Err(error) if error.status() == StatusCode::CONFLICT => {
            let missed = Missed::of(error.code()).map(|missed| format!("?missed={}", missed.code()));
            Ok(Redirect::to(&format!("/packs/{}{}", form.pack, missed.unwrap_or_default())))
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn pay(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
) -> Result<Redirect, Error> {
    let order = orders::of(&app, &buyer.user, &id).await?;
    let pack = PackId::try_from(order.pack_id).map_err(|error| Error::internal(&error))?;
    let page = Redirect::to(&format!("/orders/{id}"));
    if query::by_id(&app, pack).await?.is_some_and(|pack| pack.taken_down) {
        // The order's page says so.
        return Ok(page);
    }
    if order.state == state::State::Created && owner_of(&app, &order).await?.is_some() {
        // So does this.
        return Ok(page);
    }
    if is_ours_to_finish(&order) {
        orders::settle_own(&app, &buyer.user, order).await?;
    } else {
        // The page's button is the sandbox's till: one payment for one order.
        let word = sandbox_word(&app, &order, &format!("till-{}", order.id))?;
        submit_word(&app, &buyer, &order, &word).await?;
    }
    Ok(page)
}

/// Whom the order is for, where they are known and own the pack.
async fn owner_of(app: &App, order: &order::Model) -> Result<Option<UserId>, Error> {
    let Some(recipient) = effect::recipient_of(order)? else { return Ok(None) };
    let owns = library::query::owns(&app.db, &recipient, effect::pack_of(order)?).await?;
    Ok(owns.then_some(recipient))
}

/// Nobody pays for it, and a crash came between the order and its settling.
fn is_ours_to_finish(order: &order::Model) -> bool {
    order.state == state::State::Created
        && matches!(order.provider, Provider::Free | Provider::Promotion | Provider::Manual)
}

pub(super) async fn list(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
) -> Result<Html<OrdersPage>, Error> {
    let layout = layout(&uri, &headers, Some(&buyer));
    let rows = orders::all_of(&app, &buyer.user).await?;
    let gifts = gift::progress(&app, &rows).await?;
    let ids: Vec<PackId> = rows.iter().filter_map(|row| PackId::try_from(row.pack_id).ok()).collect();
    let packs = query::by_ids(&app, &ids).await?;
    let pack_of = |row: &order::Model| packs.iter().find(|shown| shown.id.signed() == row.pack_id);
    let orders = rows
        .iter()
        .filter_map(|row| Some(summary(row, gifts.get(&row.id), pack_of(row)?, layout.locale)))
        .collect();
    Ok(Html(OrdersPage { layout, orders }))
}

pub(super) async fn one(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
    Path(id): Path<String>,
) -> Result<Html<OrderPage>, Error> {
    let layout = layout(&uri, &headers, Some(&buyer));
    let row = orders::of(&app, &buyer.user, &id).await?;
    let pack = PackId::try_from(row.pack_id).map_err(|error| Error::internal(&error))?;
    let pack = query::by_id(&app, pack).await?.ok_or_else(|| Error::not_found("the pack is gone"))?;
    let gifts = gift::progress(&app, std::slice::from_ref(&row)).await?;
    let progress = gifts.get(&row.id);
    let order = summary(&row, progress, &pack, layout.locale);
    let can_keep = progress.is_some() && !library::query::owns(&app.db, &buyer.user, pack.id).await?;
    let step = match progress {
        Some(progress) => step_of_gift(&app, progress, can_keep),
        None => None,
    };
    let step = match step {
        Some(step) => step,
        None => step_of(&row, &buyer.user, owner_of(&app, &row).await?, pack.taken_down),
    };
    Ok(Html(OrderPage { layout, order, step, paid_twice: row.problem == Some(Problem::PaidTwice) }))
}

/// What a giver can do; `None` where the gift makes no difference.
fn step_of_gift(app: &App, progress: &Progress, can_keep: bool) -> Option<OrderStep> {
    Some(match progress {
        Progress::NotPaid | Progress::Kept | Progress::Revoked => return None,
        Progress::Waiting { code, expires_at } => OrderStep::ShareCode {
            code: code.expose().to_owned(),
            link: format!("{}/redeem#{}", app.config.public_url(), code.expose()),
            until: Day::of_unix_ms(expires_at - 1),
        },
        Progress::Expired => OrderStep::CodeEnded { expired: true, can_keep },
        Progress::Returned => OrderStep::CodeEnded { expired: false, can_keep },
        Progress::PartnerOwns => OrderStep::PartnerOwns { can_keep },
        Progress::Redeemed | Progress::Given => OrderStep::Given,
    })
}

fn step_of(row: &order::Model, buyer: &UserId, owner: Option<UserId>, taken_down: bool) -> OrderStep {
    match row.state {
        state::State::Created if owner.is_some() => OrderStep::NothingToPay,
        state::State::Created if taken_down => OrderStep::TooLate,
        state::State::Created => match row.provider {
            Provider::Sandbox => OrderStep::PayWithTestMoney,
            Provider::Free | Provider::Promotion | Provider::Manual => OrderStep::Finish,
            Provider::Apple | Provider::Google => OrderStep::PayInApp {
                provider: row.provider.name(),
                product: row.product_id.clone().unwrap_or_default(),
            },
        },
        state::State::Paid if row.problem == Some(Problem::AlreadyOwned) => OrderStep::AlreadyOwned,
        state::State::Pending | state::State::Paid => OrderStep::Wait,
        state::State::Granted | state::State::Acknowledged => OrderStep::OpenLibrary,
        state::State::Revoked if owner.as_ref() == Some(buyer) => OrderStep::KeptByAnother,
        state::State::Revoked => OrderStep::BackToPack,
    }
}

fn summary(row: &order::Model, progress: Option<&Progress>, pack: &Shown, locale: Locale) -> OrderSummary {
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
        state: match row.state {
            state::State::Created => OrderState::Created,
            state::State::Pending => OrderState::Pending,
            state::State::Paid if matches!(progress, Some(Progress::Waiting { .. })) => OrderState::Waiting,
            state::State::Paid => OrderState::Paid,
            state::State::Granted | state::State::Acknowledged => match progress {
                Some(Progress::Given | Progress::Redeemed) => OrderState::Given,
                _ => OrderState::Granted,
            },
            state::State::Revoked => OrderState::Revoked,
        },
        gift: row.gift.map(|kind| match kind {
            GiftKind::Partner => GiftTo::Partner,
            GiftKind::Code => GiftTo::WhoHasTheCode,
        }),
        shared: row.shared_with.is_some(),
        taken_down: pack.taken_down,
        sandbox: row.provider == Provider::Sandbox,
    }
}
