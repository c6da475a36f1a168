//! Through whom a buyer pays.

use super::word::{Provider, Word};
use crate::app::App;

/// Whether this store sells through a provider.
pub fn takes(app: &App, provider: Provider) -> bool {
    match provider {
        Provider::Free | Provider::Promotion => true,
        Provider::Sandbox => app.config.purchase.sandbox,
        Provider::Apple => app.apple.is_some(),
        Provider::Google => app.google.is_some(),
        Provider::Manual => false,
    }
}

/// Who takes the money on this platform, as the messenger named it at launch: its app store where this store sells through it, test money
/// where that is on.
pub fn of_platform(app: &App, platform: Option<&str>) -> Option<Provider> {
    let own = match platform {
        Some("ios") => Some(Provider::Apple),
        Some("android") => Some(Provider::Google),
        _ => None,
    };
    own.into_iter().chain([Provider::Sandbox]).find(|&provider| takes(app, provider))
}

/// Whether an app store may have sold this product for us. Other products of the same app, and what is paid for them, are no business of
/// ours.
pub fn sells_as(app: &App, word: &Word) -> bool {
    let purchase = &app.config.purchase;
    match (word.provider, &word.product) {
        (Provider::Apple, Some(product)) => purchase.apple.sells_as(product),
        (Provider::Google, Some(product)) => purchase.google.sells_as(product),
        _ => true,
    }
}
