//! Whether a payment is for an order.

use uuid::Uuid;

use crate::purchase::entity::order;
use crate::purchase::word::Word;
use crate::web::error::Error;

/// Why a payment is not for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) code: &'static str,
    message: &'static str,
    conflict: bool,
}

impl Misfit {
    const PROVIDER: Self = Self::new("wrong_provider", "the order is for another provider");
    const NO_ACCOUNT: Self = Self::new("missing_account", "the payment does not say for which order it is");
    const PRODUCT: Self = Self::new("wrong_product", "the payment is for another product than the order");
    const QUANTITY: Self = Self::new("wrong_quantity", "the payment is for another quantity than one");
    const ACCOUNT: Self = Self {
        conflict: true,
        ..Self::new("wrong_account", "the payment is for another order, which may be another user's")
    };
    const TAKEN: Self =
        Self { conflict: true, ..Self::new("transaction_taken", "the payment settled another order") };

    const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message, conflict: false }
    }

    pub(super) fn error(self) -> Error {
        let error = if self.conflict { Error::conflict } else { Error::refused };
        error(self.code, self.message).hint(match self.code {
            "missing_account" | "wrong_account" => {
                "the app passes the order's id to the app store when it starts the payment"
            }
            "transaction_taken" => "one payment buys one pack: look at the user's other orders",
            "wrong_product" => "the app sells what the order's `product_id` says",
            "wrong_quantity" => "sell one at a time",
            _ => "hand the payment in for the order that it was made for",
        })
    }
}

/// Whether a payment is for an order; `taken_by` is the order that it settled, if it did.
pub(super) fn fits(order: &order::Model, word: &Word, taken_by: Option<&str>) -> Result<(), Misfit> {
    if order.provider != word.provider {
        return Err(Misfit::PROVIDER);
    }
    match word.order {
        None => return Err(Misfit::NO_ACCOUNT),
        Some(named) if order.id.parse::<Uuid>() != Ok(named) => return Err(Misfit::ACCOUNT),
        Some(_) => {}
    }
    if order.product_id != word.product {
        return Err(Misfit::PRODUCT);
    }
    if word.quantity != 1 {
        return Err(Misfit::QUANTITY);
    }
    match taken_by {
        Some(taken_by) if taken_by != order.id => Err(Misfit::TAKEN),
        _ => Ok(()),
    }
}
