//! A buyer's app hands in a purchase token.
//!
//! Whoever is signed in may hand in whatever they like, and Google answers a limited number of questions a day. So what is known already
//! is not asked again, those who hand in one token at the same moment share one question, and each user has so many in a minute.

use serde::Deserialize;
use sticker_protocol::token::UserId;

use super::api::PurchaseToken;
use super::lookup;
use super::word::{self, Listed};
use crate::app::App;
use crate::purchase::word::Word;
use crate::web::error::Error;

/// The body of `POST /v1/orders/{id}/receipts` for an order that Google is paid for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `Purchase.getPurchaseToken()` of the Play Billing Library.
    pub purchase_token: String,
}

/// What Google says of the purchase that a user hands in: now, or when it was last asked where the purchase was paid then and is an
/// order's, for which pushes and sweeps tell what changes. Whose it is, is for whoever settles it to see.
///
/// # Errors
/// `invalid_receipt`, `wrong_environment`, `wrong_product`, `partial_refund`; `rate_limited` (429) where the user has handed in too many;
/// `provider_away` or `provider_refuses` (503) where Google cannot be asked. After the last three the same may be handed in again.
pub async fn word(app: &App, user: &UserId, purchase_token: &str) -> Result<Word, Error> {
    let play = lookup::play(app)?;
    let token = PurchaseToken::parse(purchase_token).ok_or_else(|| {
        Error::refused("invalid_receipt", "`purchase_token` is not a purchase token of Google Play")
    })?;
    if let Some(word) = lookup::known(app, &token).await?.and_then(|row| word::settled(&row, play.terms)) {
        return Ok(word);
    }
    let purchase =
        play.questions.ask(&token, || play.rates.admit(user), || play.api.purchase(&token)).await?;
    Ok(word::of(&token, &purchase, Listed::Not, play.terms)?)
}
