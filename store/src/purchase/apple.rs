//! What Apple's App Store signs: transactions of `StoreKit` 2, renewals, and App Store Server Notifications V2.
//!
//! An [`UntrustedJws`] becomes a [`TrustedJws`] by [`Chains`], and claims that are about our app by a [`Verifier`]. Everything that is
//! refused is a [`Refusal`] with one of five codes. What a transaction says becomes a word ([`word`]), handed in by a buyer's app
//! ([`submission`]), brought by a [`notification`], found in Apple's history of them ([`sweep`]), or asked for ([`lookup`]) over its
//! [`api`]; what Apple asks about a purchase is answered ([`consumption`]).

pub mod api;
mod api_key;
mod certificate;
mod chain;
pub mod claims;
pub mod consumption;
mod jws;
pub mod lookup;
pub mod notification;
mod product;
mod refusal;
mod root;
pub mod submission;
pub mod sweep;
mod verifier;
pub mod word;

use std::path::PathBuf;

use api::Api;
pub use api_key::{ApiKey, CannotSign, KeyError};
pub use chain::Chains;
pub use jws::{MAX_BYTES, TrustedJws, UntrustedJws};
pub use refusal::{AppFault, ChainFault, EnvironmentFault, Malformed, Place, Refusal, SignatureFault};
pub use root::{Root, RootError};
pub use verifier::{Expected, Notification, Verified, Verifier, environment};

use claims::Transaction;
use product::Products;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::apple::{AppStoreEnvironment, Apple};
use crate::purchase::word::Word;
use crate::random::Random;
use crate::token::file::FileError;
use crate::web::error::Error;

/// A store's way to the App Store.
#[derive(Debug)]
pub struct AppStore {
    /// Who is believed, and about what.
    pub verifier: Verifier,
    /// The world that is sold in.
    pub environment: AppStoreEnvironment,
    /// What Apple is asked; nothing where there is no key.
    pub api: Option<Api>,
    products: Products,
}

/// Why what the configuration names cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file of roots cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of roots has none.
    #[error("{} is refused", path.display())]
    Root {
        /// The file, or where the built-in one would be.
        path: PathBuf,
        /// Why.
        #[source]
        source: RootError,
    },
    /// The key for the API cannot be used.
    #[error("the key for the App Store Server API is refused")]
    Key(#[from] KeyError),
}

impl OpenError {
    /// Whether something that was read is refused; otherwise something cannot be read.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unreadable { .. } | Self::Key(KeyError::File(FileError::Io { .. })))
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Root { .. } => {
                "purchase.apple.roots names files with certificates, DER or PEM; without any it is Apple's"
            }
            Self::Key(_) => {
                "purchase.apple.key_file is the .p8 file of App Store Connect, for its owner alone"
            }
        }
    }
}

impl AppStore {
    /// What the configuration names; `None` where this store does not take Apple's payments.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(config: &Config, clock: &Clock, random: &Random) -> Result<Option<Self>, OpenError> {
        let apple = &config.purchase.apple;
        if !apple.enabled {
            return Ok(None);
        }
        let expected = Expected {
            bundle_id: apple.bundle_id.clone(),
            app_id: apple.app_id(),
            world: apple.environment.world(),
        };
        let verifier = Verifier::new(roots(apple)?, expected);
        let key = if apple.has_key() { Some(ApiKey::load(apple, random)?) } else { None };
        let api = key.map(|key| Api::new(apple, key, clock.clone()));
        Ok(Some(Self { verifier, environment: apple.environment, api, products: Products::new(apple) }))
    }

    /// The word of a transaction that was verified. A product that cannot be sold as it should is told in the log.
    ///
    /// # Errors
    /// [`NoWord`](word::NoWord).
    pub fn word(&self, transaction: &Transaction) -> Result<Word, word::NoWord> {
        self.products.look_at(transaction);
        word::of(transaction, self.environment)
    }

    /// Whether a transaction is for something else that the same app sells.
    fn is_of_others(&self, transaction: &Transaction) -> bool {
        transaction.product_id.as_deref().is_some_and(|product| !self.products.has(product))
    }

    /// The way to Apple's API.
    ///
    /// # Errors
    /// `provider_disabled` where there is no key for it.
    pub fn api(&self) -> Result<&Api, Error> {
        self.api.as_ref().ok_or_else(|| {
            Error::refused("provider_disabled", "this store has no key for the App Store Server API")
                .hint("set purchase.apple.issuer_id, key_id and key_file")
        })
    }
}

/// What is not to be believed is told with its code, and without what it says.
impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let reason = std::error::Error::source(&refusal).map(|reason| format!(": {reason}"));
        let message = format!("{refusal}{}", reason.unwrap_or_default());
        // Those of `receipt inspect` speak of its arguments.
        let hint = match &refusal {
            Refusal::Malformed(_) => "hand in `jwsRepresentation` of StoreKit 2 unchanged",
            Refusal::Chain(ChainFault::NotYetValid(_) | ChainFault::Expired(_)) => {
                "have StoreKit 2 give the transaction again; is the store's clock right?"
            }
            _ => refusal.hint(),
        };
        Self::refused(refusal.code(), message).hint(hint)
    }
}

/// The store's way to the App Store.
///
/// # Errors
/// `provider_disabled` where the store does not take Apple's payments.
pub fn store(app: &App) -> Result<&AppStore, Error> {
    app.apple.as_ref().ok_or_else(|| {
        Error::refused("provider_disabled", "this store does not take payments of the App Store")
    })
}

fn roots(apple: &Apple) -> Result<Vec<Root>, OpenError> {
    let refused = |path: PathBuf| move |source| OpenError::Root { path, source };
    if apple.roots.is_empty() {
        return Ok(vec![Root::apple().map_err(refused("AppleRootCA-G3.cer".into()))?]);
    }
    let mut roots = Vec::new();
    for path in &apple.roots {
        let bytes =
            std::fs::read(path).map_err(|source| OpenError::Unreadable { path: path.clone(), source })?;
        roots.extend(Root::of_file(&bytes).map_err(refused(path.clone()))?);
    }
    Ok(roots)
}
