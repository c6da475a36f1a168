//! The one way from a proof of payment to a grant: one transaction, whatever the provider, however often it comes.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QuerySelect as _, Set,
};
use serde_json::json;
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::entity::{inbox, order, purchased};
use crate::app::App;
use crate::audit;
use crate::db;
use crate::library;
use crate::web::error::Error;

/// What a provider vouches for.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The provider's name.
    pub provider: &'static str,
    /// The provider's environment.
    pub environment: &'static str,
    /// The provider's name for the payment, unique for ever.
    pub transaction: String,
}

impl Proof {
    /// Nothing was paid: the order vouches for itself.
    pub fn free(order_id: &str) -> Self {
        Self { provider: "free", environment: "production", transaction: order_id.to_owned() }
    }

    /// Test money.
    pub fn sandbox(transaction: &str) -> Self {
        Self { provider: "sandbox", environment: "sandbox", transaction: transaction.to_owned() }
    }
}

/// Settles an order with a proof: inbox, purchase, grant, order and trace are written together or not at all. The second time
/// gives what the first gave; a proof that settled another order is refused.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn settle(app: &App, user: &UserId, order_id: &str, proof: &Proof) -> Result<order::Model, Error> {
    db::retried(|| async {
        match settle_once(app, user, order_id, proof).await {
            // Somebody settled with the same proof at the same moment, and is done now: look again, and find it.
            Err(Attempt::Raced) => settle_once(app, user, order_id, proof).await,
            done => done,
        }
        .map_err(|attempt| match attempt {
            Attempt::Raced => {
                Error::conflict("already_owned", "the pack was granted by another order at the same moment")
            }
            Attempt::Failed(error) => error,
        })
    })
    .await
}

enum Attempt {
    Raced,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn settle_once(
    app: &App,
    user: &UserId,
    order_id: &str,
    proof: &Proof,
) -> Result<order::Model, Attempt> {
    let transaction = db::begin(&app.db).await?;
    let found = order::Entity::find_by_id(order_id)
        .filter(order::Column::UserId.eq(user.as_bytes()))
        .lock_exclusive()
        .one(&transaction)
        .await?;
    let found = found.ok_or_else(|| Error::not_found("there is no such order"))?;
    let before = purchased::Entity::find()
        .filter(purchased::Column::Provider.eq(proof.provider))
        .filter(purchased::Column::Environment.eq(proof.environment))
        .filter(purchased::Column::TransactionId.eq(proof.transaction.as_str()))
        .one(&transaction)
        .await?;
    match before {
        Some(before) if before.order_id == found.id => return Ok(found),
        Some(_) => {
            return Err(Error::conflict("transaction_taken", "the payment settled another order").into());
        }
        None => {}
    }
    if found.provider != proof.provider {
        return Err(Error::refused("wrong_provider", "the order is for another provider").into());
    }
    if found.state != "created" && found.state != "pending" {
        return Err(Error::conflict("already_settled", "the order was settled by another payment").into());
    }
    let pack = PackId::try_from(found.pack_id).map_err(|error| Error::internal(&error))?;
    if library::query::owns(&transaction, user, pack).await? {
        return Err(Error::conflict("already_owned", "the user owns the pack already").into());
    }
    let raced = |error: sea_orm::DbErr| if db::is_duplicate(&error) { Attempt::Raced } else { error.into() };
    let now = app.clock.now_ms();
    let event = inbox::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        source: Set(proof.provider.to_owned()),
        event_id: Set(proof.transaction.clone()),
        order_id: Set(found.id.clone()),
        received_at: Set(now),
    };
    event.insert(&transaction).await.map_err(raced)?;
    let purchase = purchased::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        provider: Set(proof.provider.to_owned()),
        environment: Set(proof.environment.to_owned()),
        transaction_id: Set(proof.transaction.clone()),
        order_id: Set(found.id.clone()),
        user_id: Set(found.user_id.clone()),
        pack_id: Set(found.pack_id),
        price_minor: Set(found.price_minor),
        currency: Set(found.currency.clone()),
        created_at: Set(now),
    };
    purchase.insert(&transaction).await.map_err(raced)?;
    library::query::grant(app, &transaction, user, pack, &found.id).await?;
    let mut settled = found.into_active_model();
    settled.state = Set("granted".to_owned());
    settled.updated_at = Set(now);
    let settled = settled.update(&transaction).await?;
    let detail = json!({ "provider": proof.provider, "pack": pack, "minor": settled.price_minor, "currency": settled.currency });
    audit::note(app, &transaction, &format!("user:{}", user.to_hex()), "grant", &settled.id, &detail).await?;
    transaction.commit().await?;
    Ok(settled)
}
