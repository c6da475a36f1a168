//! The one way from what a provider says to who owns what: one transaction for each event, whoever brings it, however often it comes,
//! and in whatever order.
//!
//! What follows is computed from the latest word about each payment, never from what has just changed. A payment that was refunded
//! before anybody submitted it leaves its word here, and the later submission finds it.

mod event;
mod fit;
mod payment;

use axum::http::StatusCode;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait as _, QuerySelect as _};
use serde_json::json;
use sticker_protocol::token::UserId;

use super::effect::{self, Change};
use super::entity::order;
use super::state::{Problem, State};
use super::till;
use super::word::{Event, Standing, Word, World};
use crate::app::App;
use crate::audit;
use crate::db;
use crate::outbox;
use crate::token::revocation;
use crate::web::error::Error;
use event::{again, event_before, heard_before, is_about, keep_event};
pub use event::{note_event, submission};
use fit::fits;
pub(super) use payment::bound_order;
use payment::{Taken, note_purchase, payments_of, purchase_of, snapshot_of, take_word};
pub use payment::{Worth, worth};

/// Who hands a payment in: the user, and the order that it should be for.
#[derive(Clone, Copy, Debug)]
pub struct Submitter<'a> {
    /// The user of the session.
    pub user: &'a UserId,
    /// The order of the address.
    pub order_id: &'a str,
}

/// What became of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The order that it is about, as it is now.
    pub order: Option<order::Model>,
    /// What followed.
    pub outcome: Outcome,
}

/// What followed from a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order is paid, and who was to get the pack has it, or can take it.
    Settled,
    /// The payment is promised: nothing is given yet.
    Pending,
    /// What the order gave, or would have given, is taken back.
    Revoked,
    /// An operator took the order back: the provider's word gives nothing.
    Withheld,
    /// The same was heard before.
    Repeated,
    /// A newer word about the payment was heard before.
    Stale,
    /// The payment is for none of our orders.
    NoOrder,
    /// Nor is it for a product of ours: something else that the same app sells.
    OtherProduct,
    /// The payment does not fit the order, by this code.
    Refused(&'static str),
}

impl Outcome {
    /// The name in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::Withheld => "withheld",
            Self::Repeated => "repeated",
            Self::Stale => "stale",
            Self::NoOrder => "no_order",
            Self::OtherProduct => OTHER_PRODUCT,
            Self::Refused(code) => code,
        }
    }
}

/// The outcome of what is about another product of the same app.
pub(super) const OTHER_PRODUCT: &str = "other_product";

/// Hears a word. With a submitter it is refused unless it fits the submitter's order; without one (a notification, a sweep) it is kept
/// whatever it says, and what does not fit has no effect.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn hear(
    app: &App,
    event: &Event,
    word: &Word,
    submitter: Option<Submitter<'_>>,
) -> Result<Heard, Error> {
    let heard = if let Some(heard) = heard_before(app, event, submitter).await? {
        heard
    } else {
        let mut looks = Looks::AtWhatIsUsual;
        let attempt =
            || hear_once(app, event, word, submitter, std::mem::replace(&mut looks, Looks::AtEverything));
        db::retried(attempt).await?
    };
    match heard.outcome {
        Outcome::Revoked => revocation::notice(app).await,
        Outcome::Repeated if submitter.is_none() => note_repeated(app, event, word).await,
        _ => {}
    }
    Ok(heard)
}

async fn note_repeated(app: &App, event: &Event, word: &Word) {
    let detail = json!({ "event": event.id, "kind": event.kind });
    audit::refusal(app, event.source, "notification", &word.transaction, "repeated", detail).await;
}

/// A word of our own about an order that no app store sells: free, test money, a promotion, an operator's gift.
pub fn own_word(order: &order::Model, world: World, transaction: &str) -> Word {
    Word {
        provider: order.provider,
        world,
        transaction: transaction.to_owned(),
        order: order.id.parse().ok(),
        product: None,
        quantity: 1,
        paid: None,
        standing: Standing::Paid,
        version: 1,
        snapshot: json!({}),
        then: None,
    }
}

/// What is looked at before anything is written. Unique keys tell of the rest, and who meets one begins again and looks at everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    /// The event was not there a moment ago, and a payment of which nothing was said bought nothing.
    AtWhatIsUsual,
    /// Somebody else was there at the same moment.
    AtEverything,
}

/// Rows are locked in the order order, snapshot, pack, other orders and grants, counter of the feed, head of the trace; and by locks
/// before any plain read, since on MySQL that read would go on showing how it was before we had the lock.
async fn hear_once(
    app: &App,
    event: &Event,
    word: &Word,
    submitter: Option<Submitter<'_>>,
    looks: Looks,
) -> Result<Heard, Error> {
    // Before the transaction: who holds one connection and waits for another may wait for ever.
    let named = named_order(app, word, submitter).await?;
    let transaction = db::begin(&app.db).await?;
    let found = match named {
        Some(id) => order::Entity::find_by_id(id).lock_exclusive().one(&transaction).await?,
        None => None,
    };
    if let Some(submitter) = submitter
        && found.as_ref().is_none_or(|order| order.user_id != submitter.user.as_bytes())
    {
        return Err(no_such_order());
    }
    if looks == Looks::AtEverything
        && let Some(before) = event_before(&transaction, event).await?
        && is_about(&before, found.as_ref())
    {
        return Ok(Heard { order: found, outcome: again(&before) });
    }
    let before = snapshot_of(word).lock_exclusive().one(&transaction).await?;
    if found.is_none() && before.is_none() && !till::sells_as(app, word) {
        // An app may sell much else: neither the word nor a row of the trace is kept of it.
        keep_event(app, &transaction, event, "", OTHER_PRODUCT, None).await?;
        transaction.commit().await?;
        return Ok(Heard { order: None, outcome: Outcome::OtherProduct });
    }
    let bound = before.as_ref().and_then(|before| before.order_id.as_deref());
    let bought = match (looks, &before) {
        (Looks::AtWhatIsUsual, None) => None,
        _ => purchase_of(word).one(&transaction).await?,
    };
    let taken_by = bound.or(bought.as_ref().map(|bought| bought.order_id.as_str()));
    let fits = match &found {
        // Known to be this order's: whatever else a later word says, how the payment stands is how this order stands.
        Some(order) if submitter.is_none() && bound == Some(order.id.as_str()) => Ok(()),
        Some(order) => fits(order, word, taken_by),
        None => Ok(()),
    };
    if let (Some(_), Err(misfit)) = (submitter, fits) {
        return Err(misfit.error());
    }
    if let (Some(order), Some(bound)) = (&found, bound)
        && order.id != bound
    {
        // It became another order's since we looked for it: that is the one to lock.
        return Err(changed_meanwhile());
    }
    let taken = take_word(app, &transaction, word, before, found.as_ref().filter(|_| fits.is_ok())).await?;
    let (change, outcome) = match (found, fits) {
        (Some(order), Ok(())) => {
            if taken.standing == Standing::Paid && bought.is_none() {
                note_purchase(app, &transaction, &order, word).await?;
            }
            follow(app, &transaction, order, word, taken).await?
        }
        (None, _) => (None, Outcome::NoOrder),
        (Some(order), Err(misfit)) => (Some(Change::none(order)), Outcome::Refused(misfit.code)),
    };
    let order_id = change.as_ref().map_or("", |change| change.order.id.as_str());
    keep_event(app, &transaction, event, order_id, outcome.name(), None).await?;
    if let (Outcome::Settled, Some(job)) = (outcome, &word.then) {
        outbox::put(app, &transaction, job).await?;
    }
    let actor = match submitter {
        Some(Submitter { user, .. }) => format!("user:{}", user.to_hex()),
        None => word.provider.name().to_owned(),
    };
    let order = match change {
        Some(change) => Some(change.written(app, &transaction, &actor).await?),
        None => None,
    };
    if matches!(outcome, Outcome::NoOrder | Outcome::Refused(_) | Outcome::Stale | Outcome::Withheld) {
        let subject = order.as_ref().map_or(word.transaction.as_str(), |order| order.id.as_str());
        let detail = json!({ "event": event.id, "kind": event.kind, "transaction": word.transaction });
        audit::note(app, &transaction, &actor, outcome.name(), subject, &detail).await?;
    }
    transaction.commit().await?;
    Ok(Heard { order, outcome })
}

fn no_such_order() -> Error {
    Error::not_found("there is no such order")
}

fn changed_meanwhile() -> Error {
    Error::new(StatusCode::SERVICE_UNAVAILABLE, db::BUSY, "the payment was bound to an order at this moment")
}

/// The order that a word is about: the submitter's; else the one that an earlier word of the same payment was for, which goes on
/// standing or falling with it; else the one that the provider names.
async fn named_order(
    app: &App,
    word: &Word,
    submitter: Option<Submitter<'_>>,
) -> Result<Option<String>, DbErr> {
    if let Some(submitter) = submitter {
        return Ok(Some(submitter.order_id.to_owned()));
    }
    let before = snapshot_of(word).one(&app.db).await?;
    Ok(before.and_then(|before| before.order_id).or_else(|| word.order.map(|order| order.to_string())))
}

/// Brings the order to where its payments say it is.
async fn follow(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    word: &Word,
    taken: Taken,
) -> Result<(Option<Change>, Outcome), Error> {
    let payment = json!({
        "transaction": word.transaction, "world": word.world.name(), "standing": taken.standing.name(),
        "minor": word.paid.map(|paid| paid.minor), "currency": word.paid.map(|paid| paid.currency.to_string()),
    });
    let payments = match order.state {
        // The first payment takes an order on from here: there is no other.
        State::Created => vec![taken.standing],
        _ => payments_of(transaction, &order.id).await?,
    };
    let paid = payments.iter().filter(|&&standing| standing == Standing::Paid).count();
    let before = order.state;
    let (change, outcome) = if paid > 0 {
        if order.withheld_at.is_some() || (before == State::Revoked && !order.provider.is_app_store()) {
            return Ok((Some(Change::none(order).about(&payment, taken.changed)), Outcome::Withheld));
        }
        let twice = (paid > 1).then_some(Problem::PaidTwice);
        (effect::give(app, transaction, order, twice).await?, Outcome::Settled)
    } else if payments.contains(&Standing::Pending) && matches!(before, State::Created | State::Pending) {
        let change = match before {
            State::Created => effect::waits(app, transaction, order).await?,
            _ => Change::none(order),
        };
        (change, Outcome::Pending)
    } else {
        // Also where another payment is promised: what was given goes back until that one comes.
        let change = match before {
            State::Revoked => Change::none(order),
            _ => effect::take(app, transaction, order, None).await?,
        };
        (change, Outcome::Revoked)
    };
    let stale = !taken.newer && change.order.state == before;
    let change = change.about(&payment, taken.changed);
    Ok((Some(change), if stale { Outcome::Stale } else { outcome }))
}
