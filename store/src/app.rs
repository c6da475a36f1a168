//! The parts of a running store, wired together.

use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use moka::sync::Cache;
use sea_orm::DatabaseConnection;
use tower_http::catch_panic::CatchPanicLayer;

use crate::clock::Clock;
use crate::config::Config;
use crate::objects::Objects;
use crate::purchase::apple::{AppStore, OpenError};
use crate::purchase::google::Play;
use crate::purchase::google::service_account::AccountError;
use crate::random::Random;
use crate::token::file::FileError;
use crate::token::keys::KeysError;
use crate::token::ring::RingError;
use crate::token::seal::{MasterKey, MasterKeyError};
use crate::{
    account, audit, catalogue, db, delivery, flight, health, library, migration, objects, publishing,
    purchase, signing, token, variants, web,
};

/// What handlers share. Cheap to clone.
pub type App = Arc<Parts>;

/// The parts of a store.
#[derive(Debug)]
pub struct Parts {
    /// What the operator set.
    pub config: Config,
    /// The rows.
    pub db: DatabaseConnection,
    /// The files.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
    /// Secrets and ids.
    pub random: Random,
    /// Names for requests.
    pub(crate) request_ids: web::RequestIds,
    /// API clients that were just here.
    pub(crate) clients: account::client::Known,
    /// Checks that clients may still ask for.
    pub(crate) check_rates: token::rate::CheckRates,
    /// Apple's App Store, where this store takes its payments.
    pub apple: Option<AppStore>,
    /// Google Play, where this store takes its purchases.
    pub google: Option<Play>,
    /// What the codes of gifts follow from.
    pub(crate) gift_codes: purchase::code::Codes,
    /// Codes that users may still try.
    pub(crate) code_rates: purchase::rate::UserRates,
    /// What the trace is written with.
    pub(crate) trace: audit::Trace,
    /// The token keys and the deny list.
    pub tokens: token::live::Tokens,
    /// Becomes true when the store is to stop: whoever waits for news answers without them.
    pub stopping: tokio::sync::watch::Sender<bool>,
    /// Manifests by release id: a release never changes.
    pub(crate) manifests: Cache<String, Arc<sticker_protocol::release::Manifest>>,
    /// What downloads are answered from.
    pub(crate) delivery: delivery::Delivery,
    /// What renders variants.
    pub(crate) variants: variants::Variants,
    /// Whose turn it is to have a release checked.
    pub(crate) checks: publishing::Turns,
    /// Releases that are being published.
    pub(crate) bringing: flight::Flights<sticker_protocol::Sha256, ()>,
}

/// Why a store does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot make the data folder {}", path.display())]
    DataDir {
        /// The folder.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database does not answer, or a migration failed.
    #[error("the database does not work")]
    Database(#[from] sea_orm::DbErr),
    /// There is no master key.
    #[error("the master key cannot be used")]
    MasterKey(#[from] MasterKeyError),
    /// A key file from before the database kept the keys is refused.
    #[error("the key file cannot be taken over")]
    KeyFile(#[from] FileError),
    /// A key file from before the database kept the keys has none that signs.
    #[error("no key of {} is marked as signing", .0.display())]
    NoSigningKey(std::path::PathBuf),
    /// The first keys cannot be made.
    #[error("the token keys cannot be made")]
    Keys(#[from] KeysError),
    /// The audit rows of an earlier version cannot be taken over.
    #[error("the audit chain cannot be used")]
    Audit(#[source] web::error::Error),
    /// The ring cannot be used.
    #[error("the token keys cannot be used")]
    Ring(#[from] RingError),
    /// The system gives no random bytes.
    #[error(transparent)]
    NoRandom(#[from] crate::random::NoRandom),
    /// What the App Store is believed or asked with cannot be used.
    #[error("the way to the App Store cannot be used")]
    Apple(#[from] OpenError),
    /// The service account for Google cannot be used.
    #[error("the service account for Google cannot be used")]
    Google(#[from] AccountError),
    /// The place for objects cannot be used.
    #[error("the objects cannot be used")]
    Objects(#[from] objects::ObjectError),
}

impl StartError {
    /// Whether something that was read is refused; otherwise something cannot be read, written or reached.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::MasterKey(error) => matches!(
                error,
                MasterKeyError::Malformed { .. }
                    | MasterKeyError::Another
                    | MasterKeyError::File(FileError::TooOpen(_) | FileError::Invalid { .. })
            ),
            Self::KeyFile(error) => !matches!(error, FileError::Io { .. }),
            Self::NoSigningKey(_) => true,
            Self::Apple(error) => error.is_refusal(),
            Self::Google(error) => !matches!(error, AccountError::File(FileError::Io { .. })),
            Self::Keys(error) => error.is_refusal(),
            Self::Ring(error) => !matches!(error, RingError::Database(_)),
            Self::DataDir { .. }
            | Self::Database(_)
            | Self::Audit(_)
            | Self::NoRandom(_)
            | Self::Objects(_) => false,
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::DataDir { .. } => "check data_dir and its permissions",
            Self::Database(_) => "check database.url and that the server runs",
            Self::MasterKey(MasterKeyError::Malformed { .. } | MasterKeyError::Another) => {
                "give the key that sealed the token keys; a new store makes its own where none is set"
            }
            Self::MasterKey(_) => "set token.master_key, or restore the file for its owner alone",
            Self::KeyFile(_) | Self::NoSigningKey(_) => {
                "give the file to its owner alone, in the form that protocol/README.md has, with a key that signs"
            }
            Self::Keys(error) => error.hint(),
            Self::Ring(RingError::DoesNotOpen(_)) => {
                "give the master key that sealed it; without one, `sticker-store keys` replaces the key"
            }
            Self::Ring(_) => {
                "restore the row from a backup, or replace the key with `sticker-store keys add`, publish and sign-with, and destroy it"
            }
            Self::Audit(_) => {
                "check that the database works; `admin audit verify` says what is wrong with the chain"
            }
            Self::NoRandom(_) => "check the limits of this system",
            Self::Apple(error) => error.hint(),
            Self::Google(error) => error.hint(),
            Self::Objects(_) => "check the section objects and the credentials",
        }
    }
}

impl Parts {
    /// Opens everything that the configuration names; makes what a first start needs. Whoever serves signs and refuses from the first
    /// request on.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(config: Config, clock: Clock, random: Random) -> Result<App, StartError> {
        let app = Self::open_without_ring(config, clock, random).await?;
        token::live::start(&app).await?;
        token::revocation::catch_up(&app).await?;
        Ok(app)
    }

    /// The same without the token keys and the deny list, for who signs and checks nothing: an operator's commands work where a key is
    /// damaged.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open_without_ring(config: Config, clock: Clock, random: Random) -> Result<App, StartError> {
        // It is too large for the stack of every command.
        Box::pin(Self::open_whole(config, clock, random)).await
    }

    async fn open_whole(config: Config, clock: Clock, random: Random) -> Result<App, StartError> {
        make_data_dir(&config)?;
        let db = db::connect(&config.database_url(), config.database.max_connections).await?;
        migration::bring_up(&db).await?;
        let sealed = token::keys::any(&db).await?;
        let master = MasterKey::load(&config, &random, !sealed)?;
        // One key or one row may be damaged: of a wrong master key both tell.
        let (opens, proves) =
            (token::keys::open_with(&db, &master).await?, audit::is_of(&db, &master).await?);
        if ![opens, proves].contains(&Some(true)) && [opens, proves].contains(&Some(false)) {
            return Err(MasterKeyError::Another.into());
        }
        let apple = AppStore::open(&config, &clock, &random)?;
        let google = Play::open(&config, &clock, &random)?;
        let parts = Box::pin(Self::assemble(config, db, clock, random, master)).await?;
        let app = Arc::new(Self { apple, google, ..parts });
        audit::begin(&app).await.map_err(StartError::Audit)?;
        token::live::make_first_keys(&app).await?;
        Ok(app)
    }

    /// Opens what downloads need and nothing else, whether or not the database is there: no table is made, no key of the store is
    /// read, and nothing can be signed.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open_for_delivery(config: Config, clock: Clock, random: Random) -> Result<App, StartError> {
        make_data_dir(&config)?;
        let db = db::connect_later(&config.database_url(), config.database.max_connections).await?;
        let index = delivery::index::Index::open(&config.data_dir);
        let nobodys = MasterKey::of_nobody(&random)?;
        let mut parts = Box::pin(Self::assemble(config, db, clock, random, nobodys)).await?;
        parts.delivery = delivery::Delivery::new(&parts.config, Some(index));
        Ok(Arc::new(parts))
    }

    /// Everything that needs no question to the database.
    async fn assemble(
        config: Config,
        db: DatabaseConnection,
        clock: Clock,
        random: Random,
        master: MasterKey,
    ) -> Result<Self, StartError> {
        let objects = Objects::open(&config).await?;
        let check_rates = token::rate::CheckRates::new(config.token.checks_per_second);
        let code_rates = purchase::rate::UserRates::new(
            config.purchase.codes_per_minute,
            "too many codes were tried; wait a moment",
        );
        let request_ids = web::RequestIds::new(&random)?;
        let delivery = delivery::Delivery::new(&config, None);
        let variants = variants::Variants::new(&config.delivery);
        let checks = publishing::Turns::new(&config.publishing);
        Ok(Self {
            config,
            db,
            objects,
            clock,
            random,
            request_ids,
            clients: account::client::Known::new(),
            check_rates,
            apple: None,
            google: None,
            gift_codes: purchase::code::Codes::new(&master),
            code_rates,
            trace: audit::Trace::new(&master),
            tokens: token::live::Tokens::new(master),
            stopping: tokio::sync::watch::Sender::new(false),
            manifests: Cache::new(MANIFESTS_IN_MEMORY),
            delivery,
            variants,
            checks,
            bringing: flight::Flights::new(),
        })
    }
}

fn make_data_dir(config: &Config) -> Result<(), StartError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })
}

const MANIFESTS_IN_MEMORY: u64 = 2_000;

/// A part of the store that can be served alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Pages, API and console: everything but downloads.
    Store,
    /// Downloads: `/dl` and `/media`.
    Delivery,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Store, Self::Delivery];
}

/// Every address of the store.
pub fn router(app: App) -> Router {
    router_of(app, &Role::ALL)
}

/// The addresses of these roles, and those for operators.
pub fn router_of(app: App, roles: &[Role]) -> Router {
    let (mut api, mut pages) = (health::routes(), Router::new());
    if roles.contains(&Role::Delivery) {
        api = api.merge(delivery::web::routes());
    }
    if roles.contains(&Role::Store) {
        api = api
            .merge(account::web::api())
            .merge(publishing::web::api())
            .merge(signing::web::api())
            .merge(purchase::web::api())
            .merge(purchase::apple::notification::api())
            .merge(purchase::google::api())
            .merge(library::web::api())
            .merge(token::web::api());
        pages = pages
            .merge(catalogue::web::pages())
            .merge(purchase::web::pages())
            .merge(library::web::pages())
            .merge(account::web::pages())
            .fallback(web::not_found)
            .layer(middleware::from_fn(web::language::remember))
            .layer(middleware::from_fn_with_state(Arc::clone(&app), web::problem_pages))
            .merge(web::assets::router());
        api = api.route("/v1/{*rest}", axum::routing::any(web::not_found));
    } else {
        pages = pages.fallback(web::not_found);
    }
    Router::new()
        .merge(api.method_not_allowed_fallback(web::wrong_method))
        .merge(pages)
        // A fault in one request is that request's alone.
        .layer(CatchPanicLayer::custom(web::panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), web::around))
        .with_state(app)
}
