//! `/v1/orders/{id}/receipts` and `/v1/restore`: what an app store gave the app, handed in for an order, or for whatever orders it names.

use axum::extract::State;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::orders::described;
use crate::account::session::Buyer;
use crate::app::App;
use crate::audit;
use crate::purchase::entity::{order, snapshot};
use crate::purchase::rate::RATE_LIMITED;
use crate::purchase::settle::{self, Submitter, Worth};
use crate::purchase::word::{Provider, Standing, Word, World};
use crate::purchase::{apple, google, order as orders, state, till};
use crate::web::error::{Error, Json};
use crate::web::extract::Path;

/// What an app has in hand once somebody paid.
#[derive(Clone, Copy)]
enum Proof<'a> {
    /// Of test money: a name for the payment.
    Transaction(&'a str),
    /// Of Apple: a transaction as StoreKit 2 signs it.
    SignedTransaction(&'a str),
    /// Of Google: the purchase's token.
    PurchaseToken(&'a str),
}

impl Proof<'_> {
    /// Refuses what no app store gives: what is far too long, or has a zero byte.
    fn bounded(self) -> Result<Self, Error> {
        let (Self::Transaction(text) | Self::SignedTransaction(text) | Self::PurchaseToken(text)) = self;
        if text.len() > MAX_PROOF_BYTES {
            let message = format!("a proof has at most {MAX_PROOF_BYTES} bytes");
            return Err(Error::refused("invalid_receipt", message));
        }
        // Not every database can be asked for one.
        if text.contains('\0') {
            return Err(Error::refused("invalid_receipt", "a proof has no zero byte"));
        }
        Ok(self)
    }
}

/// A signed transaction has its chain of certificates in it, and about 10,000 bytes.
const MAX_PROOF_BYTES: usize = 65_536;

/// What the order's provider says of a proof that is handed in for the order.
async fn word_for(app: &App, buyer: &Buyer, order: &order::Model, proof: Proof<'_>) -> Result<Word, Error> {
    match (order.provider, proof) {
        (Provider::Sandbox, Proof::Transaction(transaction)) => sandbox_word(app, order, transaction),
        (Provider::Apple, Proof::SignedTransaction(signed)) => apple::submission::word(app, signed),
        (Provider::Google, Proof::PurchaseToken(token)) => {
            google::submission::word(app, &buyer.user, token).await
        }
        _ => Err(Error::refused("wrong_provider", "the order is for another provider")),
    }
}

/// What a proof says by itself; the word names the order.
async fn word_of(app: &App, buyer: &Buyer, proof: Proof<'_>) -> Result<Word, Error> {
    match proof {
        Proof::Transaction(transaction) => sandbox_word_of(app, transaction).await,
        Proof::PurchaseToken(token) => google::submission::word(app, &buyer.user, token).await,
        Proof::SignedTransaction(signed) => apple::submission::word(app, signed),
    }
}

/// Of the three fields one is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptRequest {
    transaction: Option<String>,
    signed_transaction: Option<String>,
    purchase_token: Option<String>,
}

impl ReceiptRequest {
    fn proof(&self) -> Result<Proof<'_>, Error> {
        match (&self.transaction, &self.signed_transaction, &self.purchase_token) {
            (Some(transaction), None, None) => Ok(Proof::Transaction(transaction)),
            (None, Some(signed), None) => Ok(Proof::SignedTransaction(signed)),
            (None, None, Some(token)) => Ok(Proof::PurchaseToken(token)),
            _ => Err(Error::refused(
                "invalid_body",
                "one of `transaction`, `signed_transaction` and `purchase_token` is given",
            )),
        }
    }
}

pub(super) async fn receipt(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
    request: Result<Json<ReceiptRequest>, Error>,
) -> Result<axum::Json<Value>, Error> {
    match handed_in(&app, &buyer, &id, request).await {
        Ok(order) => described(&app, &order).await.map(axum::Json),
        Err(error) => {
            note_refused(&app, &buyer, &id, &error).await;
            Err(error)
        }
    }
}

async fn handed_in(
    app: &App,
    buyer: &Buyer,
    id: &str,
    request: Result<Json<ReceiptRequest>, Error>,
) -> Result<order::Model, Error> {
    let Json(request) = request?;
    let order = orders::of(app, &buyer.user, id).await?;
    let word = word_for(app, buyer, &order, request.proof()?.bounded()?).await?;
    submit_word(app, buyer, &order, &word).await
}

/// What our own fault, or its number, kept from being settled is no refusal: the app hands it in again.
async fn note_refused(app: &App, buyer: &Buyer, subject: &str, error: &Error) {
    if !error.is_fault() && error.code() != RATE_LIMITED {
        let (user, detail) = (format!("user:{}", buyer.user.to_hex()), json!({ "message": error.message() }));
        audit::refusal(app, &user, "receipt_refused", subject, error.code(), detail).await;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreRequest {
    #[serde(default)]
    transactions: Vec<String>,
    #[serde(default)]
    signed_transactions: Vec<String>,
    #[serde(default)]
    purchase_tokens: Vec<String>,
}

/// A result for each proof, in the order of the request: one that is refused spoils no other.
pub(super) async fn restore(
    State(app): State<App>,
    buyer: Buyer,
    request: Result<Json<RestoreRequest>, Error>,
) -> Result<axum::Json<Value>, Error> {
    let Json(request) = match request {
        Ok(request) => request,
        Err(error) => {
            note_refused(&app, &buyer, "restore", &error).await;
            return Err(error);
        }
    };
    let RestoreRequest { transactions, signed_transactions, purchase_tokens } = &request;
    if transactions.len() + signed_transactions.len() + purchase_tokens.len() > MAX_PROOFS {
        return Err(Error::refused(
            "too_many",
            format!("there are at most {MAX_PROOFS} proofs in a request"),
        ));
    }
    Ok(axum::Json(json!({
        "transactions": restored(&app, &buyer, transactions, Proof::Transaction).await,
        "signed_transactions": restored(&app, &buyer, signed_transactions, Proof::SignedTransaction).await,
        "purchase_tokens": restored(&app, &buyer, purchase_tokens, Proof::PurchaseToken).await,
    })))
}

const MAX_PROOFS: usize = 100;

async fn restored<'a>(
    app: &App,
    buyer: &Buyer,
    texts: &'a [String],
    proof: fn(&'a str) -> Proof<'a>,
) -> Vec<Value> {
    let mut results = Vec::with_capacity(texts.len());
    for text in texts {
        results.push(match restore_one(app, buyer, proof(text)).await {
            Ok(order) => {
                json!({ "order_id": order.id, "pack_id": order.pack_id, "state": order.state.name() })
            }
            Err(error) => {
                note_refused(app, buyer, "restore", &error).await;
                refused(&error)
            }
        });
    }
    results
}

fn refused(error: &Error) -> Value {
    let mut refused = json!({ "code": error.code(), "message": error.message() });
    if let (Some(fields), Some(seconds)) = (refused.as_object_mut(), error.try_again_after()) {
        fields.insert("retry_after".to_owned(), seconds.into());
    }
    refused
}

async fn restore_one(app: &App, buyer: &Buyer, proof: Proof<'_>) -> Result<order::Model, Error> {
    let word = word_of(app, buyer, proof.bounded()?).await?;
    let named = word
        .order
        .ok_or_else(|| Error::refused("missing_account", "the payment does not say for which order it is"))?;
    let order = orders::of(app, &buyer.user, &named.to_string()).await.map_err(|error| {
        if error.is_fault() {
            error
        } else {
            Error::conflict("wrong_account", "the payment is for another user's order")
        }
    })?;
    submit_word(app, buyer, &order, &word).await
}

/// Settles the user's order with a payment, and says what became of the order.
pub(super) async fn submit_word(
    app: &App,
    buyer: &Buyer,
    order: &order::Model,
    word: &Word,
) -> Result<order::Model, Error> {
    let submitter = Submitter { user: &buyer.user, order_id: &order.id };
    let heard = settle::hear(app, &settle::submission(word), word, Some(submitter)).await?;
    let now = heard.order.ok_or_else(|| Error::not_found("there is no such order"))?;
    match (now.state, word.standing) {
        (state::State::Pending, _) | (state::State::Revoked, Standing::Pending) => {
            Err(Error::conflict("pending", "the payment is promised and has not come yet")
                .hint("wait: the pack is granted as soon as the provider says that it was paid"))
        }
        // Whether it takes back or comes late, a payment that stands revoked now pays for nothing.
        (state::State::Revoked, Standing::Revoked) => Err(revoked()),
        (state::State::Revoked, Standing::Paid) => match settle::worth(&app.db, &now, word).await? {
            Worth::Counted => Ok(now),
            Worth::Nothing => Err(revoked()),
            Worth::Withheld => {
                let message = "the order was taken back before the payment came, which gave nothing";
                Err(Error::conflict("withheld", message)
                    .hint("the operator pays it back: `admin orders show` has the payment"))
            }
        },
        _ => Ok(now),
    }
}

fn revoked() -> Error {
    Error::conflict("revoked", "the payment was refunded or taken back before it was handed in")
}

/// Whoever has an order for test money says themselves that it was paid.
pub(super) fn sandbox_word(app: &App, order: &order::Model, transaction: &str) -> Result<Word, Error> {
    checked_sandbox(app, transaction)?;
    if order.provider != Provider::Sandbox {
        return Err(Error::refused("wrong_provider", "the order is for another provider"));
    }
    Ok(settle::own_word(order, World::Sandbox, transaction))
}

/// A payment with test money names the order that it paid for before.
async fn sandbox_word_of(app: &App, transaction: &str) -> Result<Word, Error> {
    checked_sandbox(app, transaction)?;
    let paid = snapshot::Entity::find()
        .filter(snapshot::Column::Provider.eq(Provider::Sandbox))
        .filter(snapshot::Column::World.eq(World::Sandbox))
        .filter(snapshot::Column::TransactionId.eq(transaction));
    let order_id = paid.one(&app.db).await?.and_then(|paid| paid.order_id);
    let order = match order_id {
        Some(id) => order::Entity::find_by_id(id).one(&app.db).await?,
        None => None,
    };
    let order = order.ok_or_else(|| Error::not_found("there is no such payment"))?;
    sandbox_word(app, &order, transaction)
}

fn checked_sandbox(app: &App, transaction: &str) -> Result<(), Error> {
    if !till::takes(app, Provider::Sandbox) {
        return Err(Error::refused("provider_disabled", "this store takes no test money"));
    }
    let plain = transaction.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || !(1..=100).contains(&transaction.len()) {
        return Err(Error::refused("invalid_receipt", "`transaction` is 1 to 100 visible ASCII characters"));
    }
    Ok(())
}
