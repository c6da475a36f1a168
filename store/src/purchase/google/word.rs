//! What Google says of a purchase, as a word that is settled.

use serde_json::{Value, json};

use super::api::{AcknowledgementState, ConsumptionState, LineItem, Purchase, PurchaseState, PurchaseToken};
use super::finish;
use crate::purchase::entity::snapshot;
use crate::purchase::word::{Provider, Standing, Word, World};
use crate::web::error::Error;

/// Why a purchase becomes no word. It is real, and changes nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWord {
    /// A license tester's, and this store takes none.
    #[error("the purchase is a test, and this store takes none")]
    WrongEnvironment,
    /// Not exactly one product was bought.
    #[error("the purchase is not of one product")]
    WrongProduct,
    /// Some of several were refunded: of one thing that was sold nothing can be.
    #[error("a part of the purchase was refunded")]
    PartialRefund,
    /// It is in a state that this store does not know.
    #[error("the purchase is in a state that this store does not know")]
    UnknownState,
}

impl NoWord {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongEnvironment => "wrong_environment",
            Self::WrongProduct => "wrong_product",
            Self::PartialRefund => "partial_refund",
            Self::UnknownState => "unknown_state",
        }
    }
}

impl From<NoWord> for Error {
    fn from(reason: NoWord) -> Self {
        Self::refused(reason.code(), reason.to_string())
    }
}

/// What the list of voided purchases says beside the purchase itself. Google lists what was revoked alone, so it is as good as the
/// state of the purchase, which may be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The purchase was not found in a list.
    Not,
    /// It was voided: so many of it, or all.
    Voided(Option<i64>),
}

impl Listed {
    /// Whether that is all of what was bought.
    fn voids(self, quantity: i64) -> bool {
        matches!(self, Self::Voided(voided) if voided.is_none_or(|voided| voided >= quantity))
    }
}

/// How a store takes purchases, of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether those of license testers count.
    pub tests: bool,
    /// Whether they are consumed.
    pub consume: bool,
}

/// Makes the word of a purchase that was just looked up with this token.
///
/// # Errors
/// [`NoWord`].
pub fn of(token: &PurchaseToken, purchase: &Purchase, listed: Listed, terms: Terms) -> Result<Word, NoWord> {
    let test = purchase.test_purchase_context.is_some();
    if test && !terms.tests {
        return Err(NoWord::WrongEnvironment);
    }
    let [item] = purchase.product_line_item.as_slice() else { return Err(NoWord::WrongProduct) };
    let quantity = item.product_offer_details.quantity.unwrap_or(1);
    let standing = standing(purchase, item, quantity, listed)?;
    let version = version(standing, is_finished(purchase, terms));
    Ok(Word {
        provider: Provider::Google,
        world: if test { World::Sandbox } else { World::Production },
        transaction: token.id(),
        order: purchase.obfuscated_external_account_id.as_ref().and_then(|id| id.parse().ok()),
        product: Some(item.product_id.clone()),
        quantity,
        // A lookup does not say what was paid.
        paid: None,
        standing,
        version,
        snapshot: snapshot(token, purchase, item, quantity),
        then: (version == PAID).then(|| finish::job(token, terms.consume)),
    })
}

fn standing(purchase: &Purchase, item: &LineItem, quantity: i64, listed: Listed) -> Result<Standing, NoWord> {
    if listed.voids(quantity) {
        return Ok(Standing::Revoked);
    }
    match (purchase.purchase_state_context.purchase_state, listed) {
        (PurchaseState::Cancelled, _) => return Ok(Standing::Revoked),
        (PurchaseState::Pending, _) => return Ok(Standing::Pending),
        (PurchaseState::Unknown, _) => return Err(NoWord::UnknownState),
        (PurchaseState::Purchased, Listed::Voided(_)) => return Err(NoWord::PartialRefund),
        (PurchaseState::Purchased, Listed::Not) => {}
    }
    // Where Google does not say what is left, nothing was refunded as far as this lookup goes; the list of voided purchases has it
    // otherwise.
    match item.product_offer_details.refundable_quantity {
        Some(..=0) => Ok(Standing::Revoked),
        Some(left) if left < quantity => Err(NoWord::PartialRefund),
        _ => Ok(Standing::Paid),
    }
}

/// Whether Google knows that the purchase was granted, and it can be bought again where that is wanted.
pub fn is_finished(purchase: &Purchase, terms: Terms) -> bool {
    let consumed =
        |item: &LineItem| item.product_offer_details.consumption_state == ConsumptionState::Consumed;
    purchase.acknowledgement_state == AcknowledgementState::Acknowledged
        && (!terms.consume || purchase.product_line_item.iter().all(consumed))
}

/// Google numbers nothing, and its purchases go one way: pending, then paid, then finished, then revoked, with no way back from the
/// last. So the stage is the version, and a lookup whose answer was overtaken on its way changes nothing.
const fn version(standing: Standing, finished: bool) -> i64 {
    match (standing, finished) {
        (Standing::Pending, _) => PENDING,
        (Standing::Paid, false) => PAID,
        (Standing::Paid, true) => FINISHED,
        (Standing::Revoked, _) => REVOKED,
    }
}

/// The version of a promised purchase.
pub const PENDING: i64 = 0;
/// The version of a purchase that is paid, and that Google takes back unless it is acknowledged within three days.
pub const PAID: i64 = 1;
/// The version of a purchase that is acknowledged, and consumed where it is to be.
pub const FINISHED: i64 = 2;
/// The version of a purchase that was cancelled, refunded or charged back.
pub const REVOKED: i64 = 3;

/// The word of a purchase that is listed as voided, and of which nothing is known any more but what was heard before; `None` where that
/// cannot be read.
pub(super) fn remembered(row: &snapshot::Model, listed: Listed) -> Option<Result<Word, NoWord>> {
    let word = kept(row)?;
    if !listed.voids(word.quantity) {
        return Some(Err(NoWord::PartialRefund));
    }
    Some(Ok(Word { standing: Standing::Revoked, version: REVOKED, ..word }))
}

/// The word that was last heard of a purchase that is, or was, paid for an order of ours: to hear it again changes nothing, and the job of
/// finishing it is in the outbox since the first time. `None` where Google has to be asked.
pub(super) fn settled(row: &snapshot::Model, terms: Terms) -> Option<Word> {
    let taken = terms.tests || row.world == World::Production;
    (taken && row.order_id.is_some() && row.version >= PAID).then(|| kept(row)).flatten()
}

/// What was last heard of a purchase, as it was; `None` where that cannot be read.
fn kept(row: &snapshot::Model) -> Option<Word> {
    let snapshot: Value = serde_json::from_str(&row.payload).ok()?;
    Some(Word {
        provider: Provider::Google,
        world: row.world,
        transaction: row.transaction_id.clone(),
        order: row.order_id.as_ref().and_then(|id| id.parse().ok()),
        product: snapshot.get("product").and_then(Value::as_str).map(str::to_owned),
        quantity: snapshot.get("quantity")?.as_i64()?,
        paid: None,
        standing: row.standing,
        version: row.version,
        snapshot,
        then: None,
    })
}

/// What is kept: with the token, for the purchase has to be named to Google when it is acknowledged and looked up again.
fn snapshot(token: &PurchaseToken, purchase: &Purchase, item: &LineItem, quantity: i64) -> Value {
    json!({
        "purchase_token": token.expose(),
        "product": item.product_id,
        "quantity": quantity,
        "refundable_quantity": item.product_offer_details.refundable_quantity,
        "google_order_id": purchase.order_id,
        "region": purchase.region_code,
        "completed_at": purchase.purchase_completion_time,
        "acknowledged": purchase.acknowledgement_state == AcknowledgementState::Acknowledged,
        "consumed": item.product_offer_details.consumption_state == ConsumptionState::Consumed,
        "test": purchase.test_purchase_context.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::api::OfferDetails;
    use super::*;

    fn purchase(state: &str, offer: &Value) -> Purchase {
        let purchase = json!({
            "purchaseStateContext": { "purchaseState": state },
            "productLineItem": [{ "productId": "sticker_tier1", "productOfferDetails": offer }],
            "orderId": "GPA.1", "obfuscatedExternalAccountId": ORDER,
        });
        serde_json::from_value(purchase).unwrap()
    }

    const ORDER: &str = "018f3c9a-1122-4333-8444-5566778899aa";
    const TERMS: Terms = Terms { tests: false, consume: true };

    fn token() -> PurchaseToken {
        PurchaseToken::parse("a-purchase-token").unwrap()
    }

    fn heard(purchase: &Purchase, listed: Listed) -> Result<(Standing, i64), NoWord> {
        of(&token(), purchase, listed, TERMS).map(|word| (word.standing, word.version))
    }

    #[test]
    fn a_word_names_the_purchase_by_the_hash_of_its_token_and_says_which_order_it_is_for() {
        let word = of(&token(), &purchase("PURCHASED", &json!({})), Listed::Not, TERMS).unwrap();
        assert_eq!(word.transaction, token().id());
        assert_eq!(word.order.map(|order| order.to_string()).as_deref(), Some(ORDER));
        assert_eq!((word.product.as_deref(), word.quantity), (Some("sticker_tier1"), 1));
        assert_eq!((word.provider, word.world), (Provider::Google, World::Production));
        assert_eq!(word.snapshot["purchase_token"], "a-purchase-token");
        assert_eq!(word.snapshot["google_order_id"], "GPA.1");
    }

    #[test]
    fn each_state_is_a_later_version_than_the_one_before() {
        let one = json!({ "quantity": 1, "refundableQuantity": 1 });
        let none_left = json!({ "quantity": 1, "refundableQuantity": 0 });
        assert_eq!(heard(&purchase("PENDING", &one), Listed::Not), Ok((Standing::Pending, PENDING)));
        assert_eq!(heard(&purchase("PURCHASED", &one), Listed::Not), Ok((Standing::Paid, PAID)));
        assert_eq!(heard(&purchase("PURCHASED", &json!({})), Listed::Not), Ok((Standing::Paid, PAID)));
        for revoked in [purchase("CANCELLED", &one), purchase("PURCHASED", &none_left)] {
            assert_eq!(heard(&revoked, Listed::Not), Ok((Standing::Revoked, REVOKED)));
        }
        assert_eq!(
            heard(&purchase("PURCHASED", &one), Listed::Voided(None)),
            Ok((Standing::Revoked, REVOKED))
        );
        assert_eq!(heard(&purchase("LENT", &one), Listed::Not), Err(NoWord::UnknownState));
    }

    #[test]
    fn a_purchase_is_finished_once_it_is_acknowledged_and_consumed_where_it_is_to_be() {
        let offer = |state| json!({ "consumptionState": format!("CONSUMPTION_STATE_{state}") });
        let mut purchase = purchase("PURCHASED", &offer("YET_TO_BE_CONSUMED"));
        let keeping = Terms { consume: false, ..TERMS };
        let versions = |purchase: &Purchase| {
            [TERMS, keeping].map(|terms| of(&token(), purchase, Listed::Not, terms).unwrap().version)
        };
        assert_eq!(versions(&purchase), [PAID, PAID]);
        purchase.acknowledgement_state = AcknowledgementState::Acknowledged;
        assert_eq!(versions(&purchase), [PAID, FINISHED]);
        purchase.product_line_item[0].product_offer_details.consumption_state = ConsumptionState::Consumed;
        assert_eq!(versions(&purchase), [FINISHED, FINISHED]);
    }

    #[test]
    fn what_is_no_orders_id_is_no_order() {
        let mut purchase = purchase("PURCHASED", &json!({}));
        for said in [None, Some("somebody".to_owned())] {
            purchase.obfuscated_external_account_id = said;
            assert_eq!(of(&token(), &purchase, Listed::Not, TERMS).unwrap().order, None);
        }
    }

    #[test]
    fn a_partial_refund_is_no_word() {
        let left = json!({ "quantity": 3, "refundableQuantity": 2 });
        assert_eq!(heard(&purchase("PURCHASED", &left), Listed::Not), Err(NoWord::PartialRefund));
        let whole = json!({ "quantity": 3, "refundableQuantity": 3 });
        assert_eq!(
            heard(&purchase("PURCHASED", &whole), Listed::Voided(Some(1))),
            Err(NoWord::PartialRefund)
        );
        assert_eq!(of(&token(), &purchase("PURCHASED", &whole), Listed::Not, TERMS).unwrap().quantity, 3);
    }

    #[test]
    fn a_test_purchase_is_of_another_world_and_is_taken_only_where_that_is_allowed() {
        let mut test = purchase("PURCHASED", &json!({}));
        test.test_purchase_context = serde_json::from_str(r#"{"fopType":"TEST"}"#).unwrap();
        assert_eq!(heard(&test, Listed::Not), Err(NoWord::WrongEnvironment));
        assert_eq!(
            of(&token(), &test, Listed::Not, Terms { tests: true, ..TERMS }).unwrap().world,
            World::Sandbox
        );
    }

    #[test]
    fn a_purchase_of_several_products_or_of_none_is_refused() {
        let mut several = purchase("PURCHASED", &json!({}));
        several.product_line_item.push(LineItem {
            product_id: "other".to_owned(),
            product_offer_details: OfferDetails::default(),
        });
        assert_eq!(heard(&several, Listed::Not), Err(NoWord::WrongProduct));
        several.product_line_item.clear();
        assert_eq!(heard(&several, Listed::Not), Err(NoWord::WrongProduct));
    }
}
