//! What an order gives once it is paid, and what goes back when the payment does.
//!
//! A user owns a pack while some paid order gives it to them. One grant stands for that, held by one of the orders; where that order
//! is taken back and another one is there, the grant passes to the other, and nobody notices.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::{Value, json};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity::order;
use super::gift as gifts;
use super::redeem::already_owned;
use super::state::{GiftKind, Problem, State};
use crate::account::stored_user;
use crate::app::App;
use crate::audit;
use crate::catalogue::takedown;
use crate::db;
use crate::library::query as library;
use crate::token::revocation;
use crate::web::error::Error;

/// An order that has changed, with what is still to be written: the deny feed and the trace, in this order, since their rows are those
/// for which everybody waits.
#[derive(Debug)]
pub(super) struct Change {
    /// The order as it is now.
    pub(super) order: order::Model,
    notes: Vec<Note>,
    refused: Vec<Refused>,
}

#[derive(Debug)]
struct Note {
    action: &'static str,
    subject: String,
    detail: Value,
}

/// Tokens of this user for this pack are refused up to an expiry.
#[derive(Debug)]
struct Refused {
    user: UserId,
    pack: PackId,
    until: i64,
}

impl Change {
    /// The order as it was.
    pub(super) const fn none(order: order::Model) -> Self {
        Self { order, notes: Vec::new(), refused: Vec::new() }
    }

    /// With the payment that it follows from in each row of the trace; where nothing about the order changed, with a row of its own if
    /// something about the payment did.
    pub(super) fn about(mut self, payment: &Value, changed: bool) -> Self {
        if self.notes.is_empty() && changed {
            self = self.noted("payment", json!({}));
        }
        for fields in self.notes.iter_mut().filter_map(|note| note.detail.as_object_mut()) {
            fields.insert("payment".to_owned(), payment.clone());
        }
        self
    }

    /// With a row in the trace about the order.
    pub(super) fn noted(mut self, action: &'static str, detail: Value) -> Self {
        let subject = self.order.id.clone();
        self.notes.push(Note { action, subject, detail });
        self
    }

    /// Writes the feed and the trace: the last before the commit.
    pub(super) async fn written(
        self,
        app: &App,
        transaction: &DatabaseTransaction,
        actor: &str,
    ) -> Result<order::Model, Error> {
        for Refused { user, pack, until } in &self.refused {
            revocation::revoke(app, transaction, Some(user), *pack, *until).await?;
        }
        for note in &self.notes {
            audit::note(app, transaction, actor, note.action, &note.subject, &note.detail).await?;
        }
        Ok(self.order)
    }
}

/// The payment is promised.
pub(super) async fn waits(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
) -> Result<Change, Error> {
    let detail = detail(&order);
    Ok(Change::none(becomes(app, transaction, order, State::Pending, None).await?).noted("pending", detail))
}

/// The order is paid: the pack goes to its recipient and who shares it, or the gift gets its code. What was given stays as it is.
pub(super) async fn give(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    problem: Option<Problem>,
) -> Result<Change, Error> {
    if matches!(order.state, State::Granted | State::Acknowledged) {
        return noticed(app, transaction, order, problem).await;
    }
    let detail = detail(&order);
    let Some(recipient) = recipient_of(&order)? else {
        gifts::wrap(app, transaction, &order).await?;
        if order.state == State::Paid {
            return noticed(app, transaction, order, problem).await;
        }
        let order = becomes(app, transaction, order, State::Paid, problem).await?;
        return Ok(Change::none(order).noted("paid", detail));
    };
    let pack = pack_of(&order)?;
    let owned = !granted(app, transaction, &recipient, pack, &order).await?;
    if let Some(partner) = shared_with(&order)? {
        granted(app, transaction, &partner, pack, &order).await?;
    }
    // Of two problems the one that costs somebody money is told.
    let problem = problem.or(owned.then_some(Problem::AlreadyOwned));
    let state = if owned { State::Paid } else { State::Granted };
    if state == order.state && problem == order.problem {
        return Ok(Change::none(order));
    }
    let action = if owned { "paid" } else { "grant" };
    Ok(Change::none(becomes(app, transaction, order, state, problem).await?).noted(action, detail))
}

/// A problem that came up with an order that has given what it gives, or that is over.
async fn noticed(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    problem: Option<Problem>,
) -> Result<Change, Error> {
    if problem == order.problem {
        return Ok(Change::none(order));
    }
    let (state, detail) = (order.state, json!({ "problem": problem.map(Problem::name) }));
    Ok(Change::none(becomes(app, transaction, order, state, problem).await?).noted("problem", detail))
}

/// Gives the pack to whoever does not own it yet; says whether it did.
async fn granted(
    app: &App,
    transaction: &DatabaseTransaction,
    user: &UserId,
    pack: PackId,
    order: &order::Model,
) -> Result<bool, Error> {
    if library::owns_now(transaction, user, pack).await? {
        return Ok(false);
    }
    library::grant(app, transaction, user, pack, &order.id).await?;
    Ok(true)
}

/// A paid gift finds its owner: whoever redeemed the code, or the giver who keeps it.
///
/// # Errors
/// `already_owned`.
pub(super) async fn hand_over(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    owner: &UserId,
    action: &'static str,
) -> Result<Change, Error> {
    if !granted(app, transaction, owner, pack_of(&order)?, &order).await? {
        return Err(already_owned());
    }
    let problem = order.problem.filter(|&problem| problem != Problem::AlreadyOwned);
    let mut given = order.into_active_model();
    given.recipient_id = Set(Some(owner.as_bytes().to_vec()));
    let given =
        becomes(app, transaction, db::update(transaction, given).await?, State::Granted, problem).await?;
    let detail = detail(&given);
    Ok(Change::none(given).noted(action, detail))
}

/// The payment went back: so does what the order gave. The pack's row is held, shared, so that no release with new stickers is
/// published between our look at the stickers and our commit: the deny feed's entry would lack them.
pub(super) async fn take(
    app: &App,
    transaction: &DatabaseTransaction,
    order: order::Model,
    reason: Option<&str>,
) -> Result<Change, Error> {
    let pack = pack_of(&order)?;
    takedown::hold(transaction, &[pack]).await?;
    gifts::unwrap(app, transaction, &order).await?;
    let mut detail = detail(&order);
    let mut change = Change::none(becomes(app, transaction, order, State::Revoked, None).await?);
    for grant in library::held_by(transaction, &change.order.id).await? {
        let user = stored_user(&grant.user_id).ok_or_else(unreadable)?;
        if let Some(other) = successor(transaction, &change.order, &user).await? {
            library::pass_on(transaction, grant, &other.id).await?;
            let now_holds = json!({ "from": change.order.id, "user_hex": user.to_hex(), "pack": pack });
            change.notes.push(Note { action: "pass", subject: other.id.clone(), detail: now_holds });
            if other.state == State::Paid && recipient_of(&other)? == Some(user) {
                let problem = other.problem.filter(|&problem| problem != Problem::AlreadyOwned);
                becomes(app, transaction, other, State::Granted, problem).await?;
            }
            continue;
        }
        let until = library::end(app, transaction, grant).await?;
        change.refused.push(Refused { user, pack, until });
    }
    let refused: Vec<_> = change
        .refused
        .iter()
        .map(|refused| json!({ "user_hex": refused.user.to_hex(), "until": refused.until }))
        .collect();
    if let Some(fields) = detail.as_object_mut() {
        fields.insert("refused".to_owned(), refused.into());
        fields.insert("reason".to_owned(), reason.into());
    }
    Ok(change.noted(if reason.is_some() { "refund" } else { "revoke" }, detail))
}

/// Another paid order that gives this user the pack; locked.
async fn successor(
    transaction: &impl ConnectionTrait,
    taken: &order::Model,
    user: &UserId,
) -> Result<Option<order::Model>, Error> {
    let bytes = user.as_bytes();
    let to_user = Condition::any()
        .add(order::Column::RecipientId.eq(bytes))
        .add(order::Column::SharedWith.eq(bytes))
        .add(
            Condition::all()
                .add(order::Column::UserId.eq(bytes))
                .add(order::Column::RecipientId.is_null())
                .add(order::Column::Gift.is_null()),
        );
    let candidates: Vec<String> = order::Entity::find()
        .select_only()
        .column(order::Column::Id)
        .filter(order::Column::PackId.eq(taken.pack_id))
        .filter(order::Column::Id.ne(taken.id.as_str()))
        .filter(order::Column::State.is_in(GIVING))
        .filter(to_user)
        .order_by_asc(order::Column::Id)
        .into_tuple()
        .all(transaction)
        .await?;
    for id in candidates {
        let found = order::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
        let Some(found) = found.filter(|order| GIVING.contains(&order.state)) else { continue };
        if recipient_of(&found)? == Some(*user) || shared_with(&found)? == Some(*user) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// States in which an order is paid for.
const GIVING: [State; 3] = [State::Paid, State::Granted, State::Acknowledged];

/// Whom the pack goes to; nobody yet where a gift's code was not redeemed.
pub(super) fn recipient_of(order: &order::Model) -> Result<Option<UserId>, Error> {
    match (&order.recipient_id, order.gift) {
        (None, Some(GiftKind::Code | GiftKind::Partner)) => Ok(None),
        (None, None) => stored_user(&order.user_id).ok_or_else(unreadable).map(Some),
        (Some(recipient), _) => stored_user(recipient).ok_or_else(unreadable).map(Some),
    }
}

/// The buyer's partner, where the pack is one that couples share.
fn shared_with(order: &order::Model) -> Result<Option<UserId>, Error> {
    order.shared_with.as_deref().map(|partner| stored_user(partner).ok_or_else(unreadable)).transpose()
}

pub(super) fn pack_of(order: &order::Model) -> Result<PackId, Error> {
    PackId::try_from(order.pack_id).ok().ok_or_else(unreadable)
}

pub(super) fn unreadable() -> Error {
    Error::internal(&std::io::Error::other("the order's user or pack cannot be read"))
}

/// Writes the order's next state; a state that it has already is written with the problem alone.
pub(super) async fn becomes(
    app: &App,
    transaction: &impl ConnectionTrait,
    order: order::Model,
    state: State,
    problem: Option<Problem>,
) -> Result<order::Model, DbErr> {
    let mut next = order.into_active_model();
    next.state = Set(state);
    next.problem = Set(problem);
    next.updated_at = Set(app.clock.now_ms());
    db::update(transaction, next).await
}

fn detail(order: &order::Model) -> Value {
    let hex = |user: &Vec<u8>| UserId::new(user).ok().map(|user| user.to_hex());
    json!({
        "provider": order.provider.name(), "pack": order.pack_id, "user_hex": hex(&order.user_id),
        "recipient_hex": order.recipient_id.as_ref().and_then(hex),
        "shared_hex": order.shared_with.as_ref().and_then(hex), "minor": order.price_minor, "currency": order.currency,
    })
}
