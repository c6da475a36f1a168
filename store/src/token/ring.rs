//! The ring as the database has it: loaded whole, and taken only if every key opens and the ring makes sense.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use sticker_protocol::Expiry;
use sticker_protocol::token::{
    Algorithm, Claims, IssueError, KeyFile, KeyFileError, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring,
    PublicKey, Token, Version,
};

use super::entity::{self, Model};
use super::seal::{DoesNotOpen, MasterKey, Sealed};
use crate::app::App;
use crate::web::error::Error;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Made, and known to the store alone.
    Made,
    /// In every verifier's ring soon; does not sign yet.
    Published,
    /// Signs new tokens.
    Signing,
    /// Signs no more; its tokens still live.
    Verify,
    /// The secret is gone.
    Destroyed,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Made, Self::Published, Self::Signing, Self::Verify, Self::Destroyed];

    /// The name in rows, commands and, where it is in key files, there.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Verify => "verify",
            Self::Destroyed => "destroyed",
        }
    }

    /// Of a row.
    pub fn of(row: &Model) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == row.state)
    }

    const fn in_ring(self) -> Option<KeyState> {
        match self {
            Self::Published => Some(KeyState::Published),
            Self::Signing => Some(KeyState::Signing),
            Self::Verify => Some(KeyState::Verify),
            Self::Made | Self::Destroyed => None,
        }
    }
}

/// Why the database's ring is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// The database does not answer.
    #[error("the token keys cannot be read")]
    Database(#[from] DbErr),
    /// A key is sealed by another master key.
    #[error(transparent)]
    DoesNotOpen(#[from] DoesNotOpen),
    /// A row is not what the store writes.
    #[error("the row of token key {0} is damaged")]
    Damaged(i32),
    /// The keys do not go together.
    #[error("the token keys make no ring")]
    Refused(#[from] KeyFileError),
}

/// A ring, ready to sign and verify.
#[derive(Debug)]
pub struct Ring {
    /// Counts the changes of the keys; never goes back.
    pub version: u64,
    /// The keys with their secrets, for verifiers that may have them.
    pub file: KeyFile,
    /// The keys, prepared.
    pub keyring: Keyring,
    /// For each signing key, up to which expiry the database knows that it signs.
    reserved: [AtomicU64; 2],
}

impl Ring {
    /// No keys: every token is refused, none is issued.
    pub fn empty() -> Self {
        Self::new(0, KeyFile::default())
    }

    fn new(version: u64, file: KeyFile) -> Self {
        Self { version, keyring: Keyring::new(&file), file, reserved: Default::default() }
    }

    /// Loads the ring. `version` is the counter as it was read before: a change in between is seen the next time.
    ///
    /// # Errors
    /// [`RingError`].
    pub async fn load(
        db: &impl ConnectionTrait,
        master: &MasterKey,
        version: u64,
    ) -> Result<Self, RingError> {
        let rows = entity::Entity::find().order_by_asc(entity::Column::Id).all(db).await?;
        let records =
            rows.iter().filter_map(|row| record(row, master).transpose()).collect::<Result<_, _>>()?;
        Ok(Self::new(version, KeyFile::new(records)?))
    }

    fn reserved(&self, version: Version) -> &AtomicU64 {
        let [first, second] = &self.reserved;
        match version {
            Version::V2 => second,
            Version::V1 => first,
        }
    }
}

/// What a row is in a ring, if it is.
fn record(row: &Model, master: &MasterKey) -> Result<Option<KeyRecord>, RingError> {
    let damaged = || RingError::Damaged(row.id);
    let Some(state) = Stage::of(row).ok_or_else(damaged)?.in_ring() else { return Ok(None) };
    let id = KeyId(u16::try_from(row.id).ok().ok_or_else(damaged)?);
    let algorithm = Algorithm::parse(&row.algorithm).ok_or_else(damaged)?;
    let secret = master.open(Sealed::Token(id, algorithm), row.sealed.as_deref().ok_or_else(damaged)?)?;
    let key = match algorithm {
        Algorithm::Ed25519 => {
            let public = row.public_key.as_deref().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            KeyMaterial::Ed25519 { public: PublicKey::new(public.ok_or_else(damaged)?), seed: Some(secret) }
        }
        Algorithm::HmacSha256 => KeyMaterial::Hmac(secret),
    };
    Ok(Some(KeyRecord { id, key, state }))
}

/// Signs, the one place where the store does. Before a key signs, the database knows up to which expiry it does, so that no key is
/// destroyed while a token of its may live, even where another process is a moment late to hear of a new ring.
///
/// # Errors
/// 503 `no_signing_key` or 422 `version_unavailable` where no key of the version signs; else as the database says.
pub async fn sign(app: &App, version: Version, claims: &[Claims]) -> Result<Vec<Token>, Error> {
    let last = claims.iter().map(|claims| claims.expires).max().unwrap_or(Expiry(0));
    for _ in 0..ATTEMPTS {
        let ring = app.tokens.ring();
        let Some(id) = ring.keyring.signing_key(version) else { break };
        if reserve(app, ring.reserved(version), id, last).await? {
            let tokens: Result<_, IssueError> =
                claims.iter().map(|claims| ring.keyring.issue_with(id, claims)).collect();
            return tokens.map_err(|error| Error::internal(&error));
        }
        // Another process has changed the ring a moment ago.
        super::live::refresh(app).await?;
    }
    Err(no_signing_key(version))
}

/// A ring that changes more often than this between two looks at it is not to be had.
const ATTEMPTS: usize = 3;

fn no_signing_key(version: Version) -> Error {
    let message = format!("no key of this store signs tokens of version {}", version.number());
    match version {
        Version::V2 => {
            Error::refused("version_unavailable", message).hint("ask for version 1, or leave `version` out")
        }
        Version::V1 => Error::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "no_signing_key", message),
    }
}

/// `false` where the key signs no longer.
async fn reserve(app: &App, reserved: &AtomicU64, id: KeyId, last: Expiry) -> Result<bool, Error> {
    let last = u64::from(last.0);
    if last <= reserved.load(Ordering::Relaxed) {
        return Ok(true);
    }
    // Some time ahead, so that this is one write in a while and not one for each token.
    let ahead = last + u64::from((app.config.token.lifetime_seconds / 4).min(AN_HOUR));
    let until = i64::try_from(ahead).unwrap_or(i64::MAX);
    let signing = entity::Entity::update_many()
        .col_expr(entity::Column::LastExpiry, Expr::value(until))
        .filter(entity::Column::Id.eq(i32::from(id.0)))
        .filter(entity::Column::State.eq(Stage::Signing.name()));
    let raised = signing.filter(entity::Column::LastExpiry.lt(until)).exec(&app.db).await?.rows_affected > 0;
    let holds = raised || {
        let row = entity::Entity::find_by_id(i32::from(id.0)).one(&app.db).await?;
        row.is_some_and(|row| Stage::of(&row) == Some(Stage::Signing) && row.last_expiry >= until)
    };
    if holds {
        reserved.fetch_max(ahead, Ordering::Relaxed);
    }
    Ok(holds)
}

const AN_HOUR: u32 = 3_600;
