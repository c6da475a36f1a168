//! What a transaction says, as a word that is settled.

use serde_json::{Value, json};

use super::claims::Transaction;
use crate::config::apple::AppStoreEnvironment;
use crate::money::Money;
use crate::purchase::word::{Provider, Standing, Word};
use crate::web::error::Error;

/// Why a transaction becomes no word. It is Apple's, and changes nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoWord {
    /// Somebody else of the family paid: the pack is of who did.
    #[error("the purchase is shared by the family, and belongs to who paid for it")]
    FamilyShared,
    /// A subscription; packs are bought for ever.
    #[error("the purchase is a subscription")]
    Subscription,
    /// A part of the money went back: the pack stays.
    #[error("a part of the payment was refunded")]
    PartialRefund,
    /// A claim is missing that Apple always sends.
    #[error("the transaction lacks the claim `{0}`")]
    Missing(&'static str),
}

impl NoWord {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FamilyShared => "family_shared",
            Self::Subscription => "wrong_product",
            Self::PartialRefund => "partial_refund",
            Self::Missing(_) => "malformed",
        }
    }
}

impl From<NoWord> for Error {
    fn from(reason: NoWord) -> Self {
        Self::refused(reason.code(), reason.to_string())
    }
}

/// Makes the word of a transaction that was verified.
///
/// # Errors
/// [`NoWord`].
pub fn of(transaction: &Transaction, environment: AppStoreEnvironment) -> Result<Word, NoWord> {
    let id = transaction.transaction_id.as_deref().filter(|id| is_id(id));
    let id = id.ok_or(NoWord::Missing("transactionId"))?;
    let product = transaction.product_id.clone().ok_or(NoWord::Missing("productId"))?;
    let version = transaction.signed_date.ok_or(NoWord::Missing("signedDate"))?;
    let quantity = transaction.quantity.ok_or(NoWord::Missing("quantity"))?;
    match transaction.in_app_ownership_type.as_deref() {
        Some("PURCHASED") => {}
        Some(_) => return Err(NoWord::FamilyShared),
        None => return Err(NoWord::Missing("inAppOwnershipType")),
    }
    if transaction.kind.as_deref().is_some_and(|kind| kind.contains("Subscription")) {
        return Err(NoWord::Subscription);
    }
    Ok(Word {
        provider: Provider::Apple,
        world: environment.world(),
        transaction: id.to_owned(),
        order: transaction.app_account_token.as_ref().and_then(|token| token.parse().ok()),
        product: Some(product),
        quantity,
        paid: paid(transaction),
        standing: standing(transaction)?,
        version,
        snapshot: snapshot(transaction),
        then: None,
    })
}

/// Apple's are numbers of 16 digits, and text by its documentation.
fn is_id(id: &str) -> bool {
    (1..=200).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn standing(transaction: &Transaction) -> Result<Standing, NoWord> {
    if transaction.revocation_date.is_none() {
        return Ok(Standing::Paid);
    }
    let whole = transaction.revocation_percentage.is_none_or(|percentage| percentage >= ALL);
    match transaction.revocation_type.as_deref() {
        Some("REFUND_PRORATED") | None if !whole => Err(NoWord::PartialRefund),
        _ => Ok(Standing::Revoked),
    }
}

/// A hundred percent, in thousandths.
const ALL: i64 = 100_000;

/// Apple counts in thousandths of the major unit; what is no whole number of minor units is left out.
fn paid(transaction: &Transaction) -> Option<Money> {
    let currency: crate::money::Currency = transaction.currency.as_ref()?.parse().ok()?;
    let tens = 10_i64.checked_pow(currency.decimals())?;
    let thousandths = transaction.price?.checked_mul(tens)?;
    let whole = thousandths >= 0 && thousandths % 1_000 == 0;
    whole.then_some(Money { minor: thousandths / 1_000, currency })
}

/// What is kept: neither the order's token, which is in a column, nor the id of the customer's copy of the app.
fn snapshot(transaction: &Transaction) -> Value {
    let Transaction {
        original_transaction_id,
        product_id,
        signed_date,
        purchase_date,
        quantity,
        kind,
        revocation_date,
        revocation_reason,
        revocation_type,
        revocation_percentage,
        transaction_reason,
        storefront,
        price,
        currency,
        ..
    } = transaction;
    let mut kept = json!({
        "originalTransactionId": original_transaction_id, "productId": product_id, "signedDate": signed_date,
        "purchaseDate": purchase_date, "quantity": quantity, "type": kind, "revocationDate": revocation_date,
        "revocationReason": revocation_reason, "revocationType": revocation_type,
        "revocationPercentage": revocation_percentage, "transactionReason": transaction_reason,
        "storefront": storefront, "price": price, "currency": currency,
    });
    if let Some(members) = kept.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::word::World;

    fn word(changes: &Value) -> Result<Word, NoWord> {
        let mut claims = json!({
            "transactionId": "2000000001", "productId": "tier1", "signedDate": 1_790_000_000_000_i64, "quantity": 1,
            "inAppOwnershipType": "PURCHASED", "type": "Non-Consumable", "price": 1_200_000, "currency": "KRW",
            "appAccountToken": "8F14E45F-CEEA-467F-A0E6-3F2B2F6C9A11", "appTransactionId": "7043",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        of(&serde_json::from_value(claims).unwrap(), AppStoreEnvironment::Sandbox)
    }

    #[test]
    fn a_transaction_is_a_word_about_its_order() {
        let word = word(&json!({})).unwrap();
        assert_eq!((word.provider, word.world, word.quantity), (Provider::Apple, World::Sandbox, 1));
        assert_eq!(word.order.unwrap().to_string(), "8f14e45f-ceea-467f-a0e6-3f2b2f6c9a11");
        assert_eq!((word.standing, word.version), (Standing::Paid, 1_790_000_000_000));
        assert_eq!(word.paid.unwrap().minor, 1_200);
        let kept = word.snapshot.to_string();
        assert!(!kept.contains("7043") && !kept.contains("ceea"), "{kept}");
    }

    #[test]
    fn prices_become_minor_units_or_nothing() {
        for (price, currency, minor) in [
            (990, "USD", Some(99)),
            (1_500, "KWD", Some(1_500)),
            (1_200_000, "JPY", Some(1_200)),
            (0, "EUR", Some(0)),
            (995, "USD", None),
            (500, "KRW", None),
            (-990, "USD", None),
            (i64::MAX, "USD", None),
            (990, "usd", None),
        ] {
            let paid = word(&json!({ "price": price, "currency": currency })).unwrap().paid;
            assert_eq!(paid.map(|paid| paid.minor), minor, "{price} {currency}");
        }
        assert_eq!(word(&json!({ "price": null })).unwrap().paid, None);
    }

    #[test]
    fn a_whole_refund_revokes_and_a_part_changes_nothing() {
        let revoked = |more: Value| {
            let mut changes = more;
            changes["revocationDate"] = 1_790_000_500_000_i64.into();
            word(&changes).map(|word| word.standing)
        };
        for whole in [
            json!({}),
            json!({ "revocationReason": 1 }),
            json!({ "revocationType": "REFUND_FULL", "revocationPercentage": 100_000 }),
            json!({ "revocationType": "REFUND_PRORATED", "revocationPercentage": 100_000 }),
            json!({ "revocationType": "FAMILY_REVOKE", "revocationPercentage": 0 }),
            json!({ "revocationType": "OF_NEXT_YEAR" }),
        ] {
            assert_eq!(revoked(whole.clone()), Ok(Standing::Revoked), "{whole}");
        }
        for part in [
            json!({ "revocationType": "REFUND_PRORATED", "revocationPercentage": 50_000 }),
            json!({ "revocationPercentage": 99_999 }),
        ] {
            assert_eq!(revoked(part.clone()), Err(NoWord::PartialRefund), "{part}");
        }
    }

    #[test]
    fn what_is_not_one_buyers_pack_becomes_no_word() {
        for (changes, reason) in [
            (json!({ "inAppOwnershipType": "FAMILY_SHARED" }), NoWord::FamilyShared),
            (json!({ "inAppOwnershipType": null }), NoWord::Missing("inAppOwnershipType")),
            (json!({ "type": "Auto-Renewable Subscription" }), NoWord::Subscription),
            (json!({ "type": "Non-Renewing Subscription" }), NoWord::Subscription),
            (json!({ "transactionId": null }), NoWord::Missing("transactionId")),
            (json!({ "transactionId": "" }), NoWord::Missing("transactionId")),
            (json!({ "transactionId": "a b" }), NoWord::Missing("transactionId")),
            (json!({ "productId": null }), NoWord::Missing("productId")),
            (json!({ "signedDate": null }), NoWord::Missing("signedDate")),
            (json!({ "quantity": null }), NoWord::Missing("quantity")),
        ] {
            assert_eq!(word(&changes).map(drop), Err(reason), "{changes}");
        }
        for no_order in [json!(null), json!(""), json!("alice")] {
            assert_eq!(word(&json!({ "appAccountToken": no_order })).unwrap().order, None);
        }
    }
}
