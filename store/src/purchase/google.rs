//! Google Play: what it says about a purchase is asked for with the purchase's token, and nothing else is believed.
//!
//! A buyer's app submits a token ([`submission`], with the [`question`]s that are under way), a push names one ([`notification`], let in by [`oidc`]), and the list of voided
//! purchases has some ([`voided`]). Each is looked up ([`lookup`], by the [`api`] with the credentials of [`service_account`]) and
//! becomes a word ([`word`]) that is settled like any other provider's. What was granted is acknowledged ([`finish`]), and what waits is
//! seen to again and again ([`sweep`]).

pub mod api;
pub mod finish;
pub mod jwks;
pub mod lookup;
pub mod notification;
pub mod oidc;
pub mod question;
pub mod service_account;
pub mod submission;
pub mod sweep;
pub mod voided;
pub mod wire;
pub mod word;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use api::Api;
use oidc::Oidc;
use question::Questions;
use service_account::{AccountError, ServiceAccount};
use wire::Wire;
use word::Terms;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::purchase::rate::UserRates;
use crate::random::Random;

/// A store's way to Google Play.
#[derive(Debug)]
pub struct Play {
    /// What Google is asked.
    pub api: Api,
    /// Who may push; nobody where the configuration names none.
    pub oidc: Option<Oidc>,
    /// How purchases are taken.
    pub terms: Terms,
    /// What is being asked for users.
    pub questions: Questions,
    /// How often that may be for each of them.
    pub rates: UserRates,
}

impl Play {
    /// What the configuration names; `None` where this store does not take Google's purchases.
    ///
    /// # Errors
    /// [`AccountError`] for a service account that cannot be used.
    pub fn open(config: &Config, clock: &Clock, random: &Random) -> Result<Option<Self>, AccountError> {
        let google = &config.purchase.google;
        if !google.enabled {
            return Ok(None);
        }
        let wire = Arc::new(Wire::new(google.timeout()));
        let account = ServiceAccount::load(&google.service_account_file, Arc::clone(&wire), clock, random)?;
        let oidc = google.takes_pushes().then(|| Oidc::new(Arc::clone(&wire), google, clock));
        let terms = Terms { tests: google.test_purchases, consume: google.consume };
        let rates = UserRates::new(
            config.purchase.lookups_per_minute,
            "too many purchases were handed in; wait a moment",
        );
        Ok(Some(Self {
            api: Api::new(wire, account, google),
            oidc,
            terms,
            questions: Questions::default(),
            rates,
        }))
    }
}

pub(crate) fn api() -> Router<App> {
    let push = post(notification::push).layer(DefaultBodyLimit::max(notification::MOST_BYTES));
    Router::new().route("/v1/notifications/google", push)
}
