//! The products that packs are sold as, among all that the same app sells.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::claims::Transaction;
use crate::config::apple::Apple;

/// What packs are sold as, and what was said of it.
#[derive(Debug)]
pub(super) struct Products {
    apple: Apple,
    told: Mutex<BTreeSet<String>>,
}

impl Products {
    pub(super) fn new(apple: &Apple) -> Self {
        Self { apple: apple.clone(), told: Mutex::default() }
    }

    /// Whether a product may be one of ours.
    pub(super) fn has(&self, product: &str) -> bool {
        self.apple.sells_as(product)
    }

    /// Says in the log, once for each product, that it is of a type that a customer can buy once, and stands for several packs. Whether it
    /// was said now.
    pub(super) fn look_at(&self, transaction: &Transaction) -> bool {
        let Transaction { product_id: Some(product), kind: Some(kind), .. } = transaction else {
            return false;
        };
        if !self.apple.sells_by_tier() || kind == CONSUMABLE || !self.has(product) {
            return false;
        }
        let new = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.len() < MOST_TOLD && told.insert(product.clone())
        };
        if new {
            tracing::error!(
                apple.product = product,
                apple.kind = kind,
                "a product that stands for every pack of a tier is not Consumable: nobody can buy a second pack of the tier. \
                 Have a consumable one in App Store Connect, or name {{slug}} or {{pack}} in purchase.apple.product"
            );
        }
        new
    }
}

/// As transactions and App Store Connect name it.
const CONSUMABLE: &str = "Consumable";
/// Far more than there are tiers.
const MOST_TOLD: usize = 1_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn products(pattern: &str) -> Products {
        let settings = [("STICKER_STORE__PURCHASE__APPLE__PRODUCT".to_owned(), pattern.to_owned())];
        Products::new(&Config::load(None, settings.into_iter()).unwrap().purchase.apple)
    }

    fn of(product: &str, kind: &str) -> Transaction {
        serde_json::from_value(json!({ "productId": product, "type": kind })).unwrap()
    }

    #[test]
    fn a_product_of_a_tier_that_can_be_bought_once_is_told_once() {
        let products = products("sticker_{tier}");
        assert!(!products.look_at(&of("sticker_tier1", "Consumable")));
        assert!(products.look_at(&of("sticker_tier1", "Non-Consumable")));
        assert!(!products.look_at(&of("sticker_tier1", "Non-Consumable")));
        assert!(products.look_at(&of("sticker_tier2", "Non-Renewing Subscription")));
        assert!(!products.look_at(&of("pro_version", "Non-Consumable")), "another product of the app");
    }

    #[test]
    fn a_product_of_one_pack_may_be_of_any_type() {
        for pattern in ["sticker_{slug}", "sticker_{pack}"] {
            assert!(!products(pattern).look_at(&of("sticker_7", "Non-Consumable")), "{pattern}");
        }
    }
}
