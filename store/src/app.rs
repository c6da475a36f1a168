//! The parts of a running store, wired together.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use moka::sync::Cache;
use sea_orm::DatabaseConnection;
use tower_http::catch_panic::CatchPanicLayer;

use crate::clock::Clock;
use crate::config::Config;
use crate::objects::Objects;
use crate::random::Random;
use crate::token::file::FileError;
use crate::token::keys::KeysError;
use crate::token::ring::RingError;
use crate::token::seal::{MasterKey, MasterKeyError};
use crate::{
    account, catalogue, db, delivery, health, library, migration, objects, publishing, purchase, token, web,
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
    /// The token keys and the deny list.
    pub tokens: token::live::Tokens,
    /// Becomes true when the store is to stop: whoever waits for news answers without them.
    pub stopping: tokio::sync::watch::Sender<bool>,
    /// Manifests by release id: a release never changes.
    pub(crate) manifests: Cache<String, Arc<sticker_protocol::release::Manifest>>,
    /// Hot objects.
    pub(crate) hot: Cache<sticker_protocol::Sha256, delivery::Bytes>,
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
    /// The ring cannot be used.
    #[error("the token keys cannot be used")]
    Ring(#[from] RingError),
    /// The system gives no random bytes.
    #[error(transparent)]
    NoRandom(#[from] crate::random::NoRandom),
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
                    | MasterKeyError::File(FileError::TooOpen(_) | FileError::Invalid { .. })
            ),
            Self::KeyFile(error) => !matches!(error, FileError::Io { .. }),
            Self::NoSigningKey(_) => true,
            Self::Keys(error) => error.is_refusal(),
            Self::Ring(error) => !matches!(error, RingError::Database(_)),
            Self::DataDir { .. } | Self::Database(_) | Self::NoRandom(_) | Self::Objects(_) => false,
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::DataDir { .. } => "check data_dir and its permissions",
            Self::Database(_) => "check database.url and that the server runs",
            Self::MasterKey(MasterKeyError::Malformed { .. }) => {
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
            Self::NoRandom(_) => "check the limits of this system",
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
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })?;
        let db = db::connect(&config.database_url(), config.database.max_connections).await?;
        migration::bring_up(&db).await?;
        let sealed = token::keys::any(&db).await?;
        let master = MasterKey::load(&config, &random, !sealed)?;
        let objects = Objects::open(&config).await?;
        let cache_bytes = config.delivery.cache_bytes as u64;
        let hot = Cache::builder().max_capacity(cache_bytes).weigher(delivery::weight).build();
        let manifests = Cache::new(MANIFESTS_IN_MEMORY);
        let check_rates = token::rate::CheckRates::new(config.token.checks_per_second);
        let request_ids = web::RequestIds::new(&random)?;
        let app = Arc::new(Self {
            config,
            db,
            objects,
            clock,
            random,
            request_ids,
            clients: account::client::Known::new(),
            check_rates,
            tokens: token::live::Tokens::new(master),
            stopping: tokio::sync::watch::Sender::new(false),
            manifests,
            hot,
        });
        token::live::make_first_keys(&app).await?;
        Ok(app)
    }
}

const MANIFESTS_IN_MEMORY: u64 = 2_000;

/// Every address of the store.
pub fn router(app: App) -> Router {
    let pages = Router::new()
        .merge(catalogue::web::pages())
        .merge(purchase::web::pages())
        .merge(library::web::pages())
        .merge(account::web::pages())
        .fallback(web::not_found)
        .layer(middleware::from_fn(web::language::remember))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), web::problem_pages));
    let api = Router::new()
        .merge(account::web::api())
        .merge(publishing::web::api())
        .merge(purchase::web::api())
        .merge(library::web::api())
        .merge(token::web::api())
        .merge(delivery::web::routes())
        .merge(health::routes());
    Router::new()
        .merge(api)
        .merge(web::assets::router())
        .merge(pages)
        // A fault in one request is that request's alone.
        .layer(CatchPanicLayer::custom(web::panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), web::around))
        .with_state(app)
}
