//! A buyer's app hands in a transaction.

use crate::app::App;
use crate::purchase::word::Word;
use crate::web::error::Error;

/// What a transaction says that Apple has signed: `VerificationResult.jwsRepresentation` of `StoreKit` 2. Whose it is, is for whoever
/// settles it to see. Nobody is asked.
///
/// # Errors
/// The codes of [`Refusal`](super::Refusal), `family_shared`, `partial_refund` and `wrong_product`.
pub fn word(app: &App, signed_transaction: &str) -> Result<Word, Error> {
    let store = super::store(app)?;
    let verified = store.verifier.transaction(signed_transaction, app.clock.now())?;
    Ok(store.word(&verified.claims)?)
}
