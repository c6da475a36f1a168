//! A payment: the latest word about it, and what it bought.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QuerySelect as _, Set,
};

use crate::app::App;
use crate::db;
use crate::purchase::entity::{order, purchased, snapshot};
use crate::purchase::word::{Standing, Word};
use crate::web::error::Error;

/// What a payment for an order came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts, or did until it was taken back.
    Counted,
    /// It was taken back before it could count.
    Nothing,
    /// It came after an operator had taken the order back, and gave nothing.
    Withheld,
}

/// What the payment of this word came to.
///
/// # Errors
/// As the database says.
pub async fn worth(db: &impl ConnectionTrait, order: &order::Model, word: &Word) -> Result<Worth, DbErr> {
    let purchase = purchase_of(word).one(db).await?.filter(|purchase| purchase.order_id == order.id);
    Ok(match purchase {
        None => Worth::Nothing,
        Some(purchase) if order.withheld_at.is_some_and(|at| purchase.created_at > at) => Worth::Withheld,
        Some(_) => Worth::Counted,
    })
}

/// The order that a payment was found to be for: that of its latest word, not of those that named an order and did not fit it.
///
/// # Errors
/// As the database says.
pub(in crate::purchase) async fn bound_order(
    db: &impl ConnectionTrait,
    word: &Word,
) -> Result<Option<String>, DbErr> {
    Ok(snapshot_of(word).one(db).await?.and_then(|row| row.order_id))
}

pub(super) fn snapshot_of(word: &Word) -> sea_orm::Select<snapshot::Entity> {
    snapshot::Entity::find()
        .filter(snapshot::Column::Provider.eq(word.provider))
        .filter(snapshot::Column::World.eq(word.world))
        .filter(snapshot::Column::TransactionId.eq(word.transaction.as_str()))
}

pub(super) fn purchase_of(word: &Word) -> sea_orm::Select<purchased::Entity> {
    purchased::Entity::find()
        .filter(purchased::Column::Provider.eq(word.provider))
        .filter(purchased::Column::Environment.eq(word.world))
        .filter(purchased::Column::TransactionId.eq(word.transaction.as_str()))
}

/// How a payment stands once a word about it was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// By the newest word that there is.
    pub(super) standing: Standing,
    /// Whether that is the one that was just heard.
    pub(super) newer: bool,
    /// Whether it stands otherwise than before.
    pub(super) changed: bool,
}

/// Keeps the word if it is newer than what is known of the payment, which is locked. Of two words with one version the one that is
/// further on its way counts: promised, paid, taken back.
pub(super) async fn take_word(
    app: &App,
    transaction: &impl ConnectionTrait,
    word: &Word,
    before: Option<snapshot::Model>,
    order: Option<&order::Model>,
) -> Result<Taken, Error> {
    let now = app.clock.now_ms();
    let Some(before) = before else {
        let row = snapshot::ActiveModel {
            id: Set(app.random.uuid()?.to_string()),
            provider: Set(word.provider),
            world: Set(word.world),
            transaction_id: Set(word.transaction.clone()),
            order_id: Set(order.map(|order| order.id.clone())),
            standing: Set(word.standing),
            version: Set(word.version),
            payload: Set(word.snapshot.to_string()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        db::insert(transaction, row).await?;
        return Ok(Taken { standing: word.standing, newer: true, changed: true });
    };
    let newer = (word.version, word.standing) > (before.version, before.standing);
    let bound = order.filter(|_| before.order_id.is_none()).map(|order| order.id.clone());
    let standing = if newer { word.standing } else { before.standing };
    let changed = standing != before.standing;
    if newer || bound.is_some() {
        let mut row = before.into_active_model();
        if newer {
            row.standing = Set(word.standing);
            row.version = Set(word.version);
            row.payload = Set(word.snapshot.to_string());
        }
        if bound.is_some() {
            row.order_id = Set(bound);
        }
        row.updated_at = Set(now);
        db::update(transaction, row).await?;
    }
    Ok(Taken { standing, newer, changed })
}

pub(super) async fn note_purchase(
    app: &App,
    transaction: &DatabaseTransaction,
    order: &order::Model,
    word: &Word,
) -> Result<(), Error> {
    let paid = word.paid;
    let purchase = purchased::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        provider: Set(word.provider),
        environment: Set(word.world),
        transaction_id: Set(word.transaction.clone()),
        order_id: Set(order.id.clone()),
        user_id: Set(order.user_id.clone()),
        pack_id: Set(order.pack_id),
        price_minor: Set(paid.map_or(order.price_minor, |paid| paid.minor)),
        currency: Set(paid.map_or_else(|| order.currency.clone(), |paid| paid.currency.to_string())),
        created_at: Set(app.clock.now_ms()),
    };
    db::insert(transaction, purchase).await?;
    Ok(())
}

/// How each payment for an order stands. The order's lock keeps others from adding to them.
pub(super) async fn payments_of(
    transaction: &impl ConnectionTrait,
    order_id: &str,
) -> Result<Vec<Standing>, DbErr> {
    let rows = snapshot::Entity::find()
        .filter(snapshot::Column::OrderId.eq(order_id))
        .lock_shared()
        .all(transaction);
    Ok(rows.await?.into_iter().map(|row| row.standing).collect())
}
