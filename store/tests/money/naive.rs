//! A handler as somebody writes it who did not think of everything, to see that the schedules find what is wrong with it.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QuerySelect as _, Set,
};
use sticker_store::app::App;
use sticker_store::db;
use sticker_store::library::entity as grant;
use sticker_store::purchase::entity::{inbox, order, purchased, snapshot};
use sticker_store::purchase::settle::Submitter;
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::{Event, Standing, Word};
use sticker_store::web::error::Error;

/// What was not thought of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing: for orders as plain as can be this is right.
    None,
    /// Each event is acted on as it comes, however often and in whatever order.
    ActsOnWhatComes,
    /// Each event is acted on once, in whatever order.
    ActsOnWhatComesOnce,
    /// The latest word is taken for the newest.
    LooksAtNoVersion,
    /// A crash leaves a part of it.
    InSeveralTransactions,
    /// The app is believed whose payment it is.
    BelievesTheApp,
}

pub(crate) const FLAWS: [Flaw; 5] = [
    Flaw::ActsOnWhatComes,
    Flaw::ActsOnWhatComesOnce,
    Flaw::LooksAtNoVersion,
    Flaw::InSeveralTransactions,
    Flaw::BelievesTheApp,
];

pub(crate) async fn hear(
    app: &App,
    event: &Event,
    word: &Word,
    submitter: Option<Submitter<'_>>,
    flaw: Flaw,
) -> Result<(), Error> {
    if flaw == Flaw::InSeveralTransactions {
        return steps(app, &app.db, event, word, submitter, flaw).await;
    }
    db::retried(async || {
        let transaction = db::begin(&app.db).await?;
        steps(app, &transaction, event, word, submitter, flaw).await?;
        Ok(transaction.commit().await?)
    })
    .await
}

async fn steps(
    app: &App,
    db: &impl ConnectionTrait,
    event: &Event,
    word: &Word,
    submitter: Option<Submitter<'_>>,
    flaw: Flaw,
) -> Result<(), Error> {
    let named = submitter.map(|it| it.order_id.to_owned()).or(word.order.map(|order| order.to_string()));
    let Some(id) = named else { return Ok(keep_word(app, db, word, None, flaw).await.map(drop)?) };
    let order = order::Entity::find_by_id(id).lock_exclusive().one(db).await?.unwrap();
    let theirs = submitter.is_none_or(|submitter| order.user_id == submitter.user.as_bytes());
    let fits = theirs
        && order.id.parse().ok() == word.order
        && order.product_id == word.product
        && word.quantity == 1;
    if flaw != Flaw::BelievesTheApp && !fits {
        if submitter.is_some() {
            return Err(Error::refused("refused", "it does not fit"));
        }
        return Ok(keep_word(app, db, word, None, flaw).await.map(drop)?);
    }
    if flaw != Flaw::ActsOnWhatComes && !keep_event(app, db, event, &order).await? {
        return Ok(());
    }
    let known = keep_word(app, db, word, Some(&order), flaw).await?;
    let as_it_comes = matches!(flaw, Flaw::ActsOnWhatComes | Flaw::ActsOnWhatComesOnce);
    let standing = if as_it_comes { word.standing } else { known };
    follow(app, db, order, word, standing).await
}

/// `false` where it was there.
async fn keep_event(
    app: &App,
    db: &impl ConnectionTrait,
    event: &Event,
    order: &order::Model,
) -> Result<bool, Error> {
    let found = inbox::Entity::find().filter(inbox::Column::Source.eq(event.source));
    if found.filter(inbox::Column::EventId.eq(event.id.as_str())).one(db).await?.is_some() {
        return Ok(false);
    }
    let row = inbox::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        source: Set(event.source.to_owned()),
        event_id: Set(event.id.clone()),
        order_id: Set(order.id.clone()),
        received_at: Set(app.clock.now_ms()),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(true)
}

/// How the payment stands as far as is known.
async fn keep_word(
    app: &App,
    db: &impl ConnectionTrait,
    word: &Word,
    order: Option<&order::Model>,
    flaw: Flaw,
) -> Result<Standing, DbErr> {
    let found =
        snapshot::Entity::find().filter(snapshot::Column::TransactionId.eq(word.transaction.as_str()));
    let Some(found) = found.one(db).await? else {
        let row = snapshot::ActiveModel {
            id: Set(app.random.uuid().unwrap().to_string()),
            provider: Set(word.provider),
            world: Set(word.world),
            transaction_id: Set(word.transaction.clone()),
            order_id: Set(order.map(|order| order.id.clone())),
            standing: Set(word.standing),
            version: Set(word.version),
            payload: Set("{}".to_owned()),
            created_at: Set(0),
            updated_at: Set(0),
        };
        return Ok(row.insert(db).await?.standing);
    };
    if flaw != Flaw::LooksAtNoVersion && found.version >= word.version {
        return Ok(found.standing);
    }
    let mut row = found.into_active_model();
    row.standing = Set(word.standing);
    row.version = Set(word.version);
    Ok(row.update(db).await?.standing)
}

async fn follow(
    app: &App,
    db: &impl ConnectionTrait,
    order: order::Model,
    word: &Word,
    standing: Standing,
) -> Result<(), Error> {
    let held = grant::Entity::find().filter(grant::Column::OrderId.eq(order.id.as_str()));
    let held = held.filter(grant::Column::Active.eq(1)).one(db).await?;
    let state = match standing {
        Standing::Pending if order.state == State::Created => State::Pending,
        Standing::Pending => order.state,
        Standing::Revoked => {
            if let Some(held) = held {
                let mut ended = held.into_active_model();
                ended.active = Set(None);
                ended.update(db).await?;
            }
            State::Revoked
        }
        Standing::Paid => {
            buy(app, db, &order, word).await?;
            if held.is_none() {
                give(app, db, &order).await?;
            }
            State::Granted
        }
    };
    let mut next = order.into_active_model();
    next.state = Set(state);
    next.update(db).await?;
    Ok(())
}

async fn buy(app: &App, db: &impl ConnectionTrait, order: &order::Model, word: &Word) -> Result<(), Error> {
    let bought =
        purchased::Entity::find().filter(purchased::Column::TransactionId.eq(word.transaction.as_str()));
    if bought.one(db).await?.is_some() {
        return Ok(());
    }
    let row = purchased::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        provider: Set(word.provider),
        environment: Set(word.world),
        transaction_id: Set(word.transaction.clone()),
        order_id: Set(order.id.clone()),
        user_id: Set(order.user_id.clone()),
        pack_id: Set(order.pack_id),
        price_minor: Set(order.price_minor),
        currency: Set(order.currency.clone()),
        created_at: Set(0),
    };
    row.insert(db).await?;
    Ok(())
}

async fn give(app: &App, db: &impl ConnectionTrait, order: &order::Model) -> Result<(), Error> {
    let row = grant::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        user_id: Set(order.user_id.clone()),
        pack_id: Set(order.pack_id),
        order_id: Set(order.id.clone()),
        active: Set(Some(1)),
        granted_at: Set(0),
        revoked_at: Set(None),
        last_expiry: Set(0),
        tokens_after: Set(0),
    };
    row.insert(db).await?;
    Ok(())
}
