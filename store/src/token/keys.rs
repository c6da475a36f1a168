//! The life of a token key: made, published to every verifier, signing, verifying only, destroyed. Each step is one transaction with
//! its row in the audit, and counts the ring up, so that every process and every verifier takes the new one.

use std::collections::BTreeSet;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::{Value, json};
use sticker_protocol::token::{Algorithm, KeyFile, KeyId, KeyMaterial, KeyState, Secret};

use super::entity::{self, Model};
use super::ring::Stage;
use super::seal::{MasterKey, Sealed};
use crate::app::App;
use crate::db::{self, Counter};
use crate::random::NoRandom;
use crate::{audit, library, web};

/// Why a key does not take a step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// No such id, and none was ever given out.
    #[error("there is no key {0}")]
    NoSuchKey(u16),
    /// The id was given to a key before, which may be destroyed since.
    #[error("the id {0} belongs to another key; an id is never used again")]
    IdTaken(u16),
    /// 65,536 keys were made.
    #[error("every id is used")]
    IdsUsedUp,
    /// The step does not begin where the key is.
    #[error("key {id} is {}, and only a key that is {wanted} can do this", stage.name())]
    WrongStage {
        /// The key.
        id: u16,
        /// Where it is.
        stage: Stage,
        /// Where it would have to be.
        wanted: &'static str,
    },
    /// Verifiers may not have it yet.
    #[error(
        "key {id} was published too short a while ago: verifiers may not have it for another {seconds} s"
    )]
    NotEverywhere {
        /// The key.
        id: u16,
        /// How long to wait.
        seconds: i64,
    },
    /// It signs.
    #[error("key {0} is the one that signs")]
    Signing(u16),
    /// A token that it signed may live.
    #[error("tokens that key {id} signed may live for another {seconds} s")]
    TokensLive {
        /// The key.
        id: u16,
        /// Until the last has expired and every clock agrees.
        seconds: i64,
    },
    /// The row is not what the store writes.
    #[error("the row of token key {0} is damaged")]
    Damaged(i32),
    /// The database does not answer.
    #[error("the database does not work")]
    Database(#[from] DbErr),
    /// No key could be made.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// Nobody would know why.
    #[error("a reason has 1 to 1,000 characters")]
    NoReason,
    /// The step could not be noted in the audit.
    #[error("the audit row could not be written")]
    Audit(#[source] web::error::Error),
}

impl KeysError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchKey(_) => "no_such_key",
            Self::IdTaken(_) => "id_taken",
            Self::IdsUsedUp => "ids_used_up",
            Self::WrongStage { .. } => "wrong_state",
            Self::NotEverywhere { .. } => "not_everywhere",
            Self::Signing(_) => "key_signs",
            Self::TokensLive { .. } => "tokens_live",
            Self::Damaged(_) => "damaged",
            Self::NoReason => "invalid_reason",
            Self::Database(_) | Self::Audit(_) => "database",
            Self::NoRandom(_) => "system",
        }
    }

    /// Whether the store refuses; otherwise something does not answer.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Database(_) | Self::Audit(_) | Self::NoRandom(_))
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoSuchKey(_) | Self::WrongStage { .. } => {
                "`sticker-store keys list` shows every key and its state"
            }
            Self::IdTaken(_) => "leave out --id to get the next free one",
            Self::IdsUsedUp => "begin again with a new store",
            Self::NotEverywhere { .. } => "wait, or say --without-waiting where an earlier key has leaked",
            Self::Signing(_) => {
                "let another key sign first: `sticker-store keys sign-with ID` retires this one"
            }
            Self::TokensLive { .. } => {
                "wait, or say --compromised REASON if it has leaked: its tokens are then refused at once"
            }
            Self::Damaged(_) => {
                "restore the row from a backup, or erase the key: `sticker-store keys destroy ID --compromised REASON`"
            }
            Self::NoReason => "say why, for who reads the trace later",
            Self::Database(_) | Self::Audit(_) => "check database.url and that the server runs",
            Self::NoRandom(_) => "check the limits of this system",
        }
    }
}

/// Where keys are.
pub const TABLE: &str = "token_keys";

/// What a step is noted under.
const OPERATOR: &str = "operator";
/// Verifiers' clocks and the store's may differ by this much.
const CLOCKS_DIFFER_SECONDS: i64 = 30;

/// A key as an operator sees it. Times are in ms, `last_expiry` in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The id.
    pub id: u16,
    /// The algorithm's name.
    pub algorithm: String,
    /// Where the key is in its life.
    pub stage: Stage,
    /// No token of the key expires later; `None` where it never signed.
    pub last_expiry: Option<i64>,
    /// When it was made, published, began to sign, was retired and destroyed.
    pub reached: [Option<i64>; 5],
}

impl KeyRow {
    /// One object with times in Unix seconds.
    pub fn to_json(&self) -> Value {
        let [made, published, signing, retired, destroyed] = self.reached.map(|at| at.map(|ms| ms / 1000));
        json!({
            "id": self.id, "algorithm": self.algorithm, "state": self.stage.name(), "last_expiry": self.last_expiry,
            "made_at": made, "published_at": published, "signing_at": signing, "retired_at": retired, "destroyed_at": destroyed,
        })
    }
}

/// Whether there ever was a key.
///
/// # Errors
/// As the database says.
pub async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(entity::Entity::find().one(db).await?.is_some())
}

/// Whether this is the master key that sealed a key that there is; `None` where there is none.
///
/// # Errors
/// As the database says.
pub(crate) async fn open_with(db: &impl ConnectionTrait, master: &MasterKey) -> Result<Option<bool>, DbErr> {
    let rows = entity::Entity::find().filter(entity::Column::Sealed.is_not_null()).all(db).await?;
    let opens = |row: &Model| {
        let id = u16::try_from(row.id).map(KeyId).ok()?;
        master.open(Sealed::Token(id, Algorithm::parse(&row.algorithm)?), row.sealed.as_deref()?).ok()
    };
    Ok((!rows.is_empty()).then(|| rows.iter().any(|row| opens(row).is_some())))
}

/// Every key that ever was, by id.
///
/// # Errors
/// [`KeysError`].
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<KeyRow>, KeysError> {
    let rows = entity::Entity::find().order_by_asc(entity::Column::Id).all(db).await?;
    let shown = |row: Model| {
        let stage = Stage::of(&row).ok_or(KeysError::Damaged(row.id))?;
        Ok(KeyRow {
            id: u16::try_from(row.id).ok().ok_or(KeysError::Damaged(row.id))?,
            stage,
            last_expiry: Some(row.last_expiry).filter(|&last| last > 0),
            reached: [Some(row.made_at), row.published_at, row.signing_at, row.retired_at, row.destroyed_at],
            algorithm: row.algorithm,
        })
    };
    rows.into_iter().map(shown).collect()
}

/// Makes a key with this id, or the next free one.
///
/// # Errors
/// [`KeysError`].
pub async fn add(app: &App, algorithm: Algorithm, id: Option<u16>) -> Result<u16, KeysError> {
    let transaction = begin(app).await?;
    let secret = Secret::new(app.random.bytes()?);
    let key = match algorithm {
        Algorithm::Ed25519 => KeyMaterial::ed25519_from_seed(secret).ok().ok_or(NoRandom)?,
        Algorithm::HmacSha256 => KeyMaterial::Hmac(secret),
    };
    let id = insert(app, &transaction, id, &key, Stage::Made).await?;
    note(app, &transaction, "key_add", id, &json!({ "algorithm": algorithm.name() })).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Puts a key into the ring that verifiers fetch.
///
/// # Errors
/// [`KeysError`].
pub async fn publish(app: &App, id: u16) -> Result<(), KeysError> {
    let transaction = begin(app).await?;
    let row = found(&transaction, id).await?;
    wanted(&row, Stage::Made, "made")?;
    let mut change = row.into_active_model();
    change.state = Set(Stage::Published.name().to_owned());
    change.published_at = Set(Some(app.clock.now_ms()));
    change.update(&transaction).await?;
    note(app, &transaction, "key_publish", id, &json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Lets a published key sign; the one of the same algorithm that signed is retired in the same moment. Refused while verifiers may
/// not have the key yet, unless `without_waiting`.
///
/// # Errors
/// [`KeysError`].
pub async fn sign_with(app: &App, id: u16, without_waiting: bool) -> Result<(), KeysError> {
    let transaction = begin(app).await?;
    let row = found(&transaction, id).await?;
    wanted(&row, Stage::Published, "published")?;
    let now = app.clock.now_ms();
    let propagation = i64::from(app.config.token.propagation_seconds) * 1000;
    let left = row.published_at.unwrap_or(now) + propagation - now;
    if left > 0 && !without_waiting {
        return Err(KeysError::NotEverywhere { id, seconds: (left + 999) / 1000 });
    }
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(Stage::Verify.name()))
        .col_expr(entity::Column::Signing, Expr::value(Option::<i16>::None))
        .col_expr(entity::Column::RetiredAt, Expr::value(now))
        .filter(entity::Column::Algorithm.eq(row.algorithm.as_str()))
        .filter(entity::Column::State.eq(Stage::Signing.name()))
        .exec(&transaction)
        .await?;
    let mut change = row.into_active_model();
    change.state = Set(Stage::Signing.name().to_owned());
    change.signing = Set(Some(1));
    change.signing_at = Set(Some(now));
    change.update(&transaction).await?;
    note(app, &transaction, "key_sign_with", id, &json!({ "without_waiting": without_waiting })).await?;
    Ok(transaction.commit().await?)
}

/// Takes a published key out of the running: it will verify and never sign. A key that signed is retired by [`sign_with`] of
/// the next one; retiring it again changes nothing.
///
/// # Errors
/// [`KeysError`].
pub async fn retire(app: &App, id: u16) -> Result<(), KeysError> {
    let transaction = begin(app).await?;
    let row = found(&transaction, id).await?;
    match Stage::of(&row) {
        Some(Stage::Verify) => return Ok(()),
        Some(Stage::Signing) => return Err(KeysError::Signing(id)),
        _ => wanted(&row, Stage::Published, "published or verify")?,
    }
    let mut change = row.into_active_model();
    change.state = Set(Stage::Verify.name().to_owned());
    change.retired_at = Set(Some(app.clock.now_ms()));
    change.update(&transaction).await?;
    note(app, &transaction, "key_retire", id, &json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Erases a key's secret. Refused while a token that it signed may live, unless it is `compromised`: then nobody may trust such a
/// token anyway. The key that signs is never destroyed.
///
/// # Errors
/// [`KeysError`].
pub async fn destroy(app: &App, id: u16, compromised: Option<&str>) -> Result<(), KeysError> {
    let compromised = compromised.map(audit::checked_reason).transpose().ok().ok_or(KeysError::NoReason)?;
    let transaction = begin(app).await?;
    let row = found(&transaction, id).await?;
    match Stage::of(&row) {
        Some(Stage::Destroyed) => return Ok(()),
        Some(Stage::Signing) => return Err(KeysError::Signing(id)),
        _ => {}
    }
    let now = app.clock.now_ms();
    let left = row.last_expiry + CLOCKS_DIFFER_SECONDS - now / 1000;
    if row.last_expiry > 0 && left > 0 && compromised.is_none() {
        return Err(KeysError::TokensLive { id, seconds: left });
    }
    let mut change = row.into_active_model();
    change.state = Set(Stage::Destroyed.name().to_owned());
    change.sealed = Set(None);
    change.destroyed_at = Set(Some(now));
    change.update(&transaction).await?;
    note(app, &transaction, "key_destroy", id, &json!({ "compromised": compromised })).await?;
    Ok(transaction.commit().await?)
}

/// The ring for a verifier that reads a key file: every key, or the public ones alone. Who took it is in the audit.
///
/// # Errors
/// [`KeysError`].
pub async fn export(app: &App, public: bool) -> Result<KeyFile, KeysError> {
    let ring = app.tokens.ring();
    let file = if public { ring.file.public_only() } else { ring.file.for_verifiers() };
    let transaction = db::begin(&app.db).await?;
    for key in file.keys() {
        note(app, &transaction, "key_export", key.id.0, &json!({ "public": public })).await?;
    }
    transaction.commit().await?;
    Ok(file)
}

/// Gives a store without keys its first: those of `earlier`, a key file from before the database kept them, or one that signs.
/// Of several processes that start at once one does it: `true`.
///
/// # Errors
/// [`KeysError`].
pub async fn make_first(app: &App, earlier: Option<&KeyFile>) -> Result<bool, KeysError> {
    if any(&app.db).await? {
        return Ok(false);
    }
    let transaction = begin(app).await?;
    if any(&transaction).await? {
        return Ok(false);
    }
    if let Some(file) = earlier {
        // The store of before noted no last expiry, neither with keys nor with grants: its tokens live for a lifetime at most.
        let until = app.clock.now_ms() / 1000 + i64::from(app.config.token.lifetime_seconds);
        library::query::cover_earlier_tokens(&transaction, until).await?;
        for record in file.keys() {
            let stage = match record.state {
                KeyState::Signing => Stage::Signing,
                KeyState::Published => Stage::Published,
                KeyState::Verify => Stage::Verify,
            };
            insert(app, &transaction, Some(record.id.0), &record.key, stage).await?;
            note(app, &transaction, "key_import", record.id.0, &json!({ "state": stage.name() })).await?;
        }
    } else {
        let key = KeyMaterial::Hmac(Secret::new(app.random.bytes()?));
        let id = insert(app, &transaction, Some(1), &key, Stage::Signing).await?;
        note(app, &transaction, "key_add", id, &json!({ "first": true })).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Begins a step: whoever changes the ring at the same time waits here.
async fn begin(app: &App) -> Result<DatabaseTransaction, KeysError> {
    let transaction = db::begin(&app.db).await?;
    db::count_up(&transaction, Counter::Keyring).await?;
    Ok(transaction)
}

async fn insert(
    app: &App,
    transaction: &DatabaseTransaction,
    id: Option<u16>,
    key: &KeyMaterial,
    stage: Stage,
) -> Result<u16, KeysError> {
    let id = match id {
        Some(id) => id,
        None => next_id(transaction).await?,
    };
    let algorithm = key.algorithm();
    let (secret, public) = match key {
        KeyMaterial::Hmac(secret) => (Some(secret), None),
        KeyMaterial::Ed25519 { public, seed } => (seed.as_ref(), Some(public.as_bytes().to_vec())),
    };
    let what = Sealed::Token(KeyId(id), algorithm);
    let sealed = secret.map(|secret| app.tokens.master.seal(&app.random, what, secret)).transpose()?;
    let now = app.clock.now_ms();
    let at = |reached: bool| reached.then_some(now);
    // An imported key may have signed until this moment, for as long as tokens live.
    let signed = matches!(stage, Stage::Signing | Stage::Verify);
    let row = entity::ActiveModel {
        id: Set(i32::from(id)),
        algorithm: Set(algorithm.name().to_owned()),
        state: Set(stage.name().to_owned()),
        signing: Set((stage == Stage::Signing).then_some(1)),
        sealed: Set(sealed),
        public_key: Set(public),
        last_expiry: Set(if signed { now / 1000 + i64::from(app.config.token.lifetime_seconds) } else { 0 }),
        made_at: Set(now),
        published_at: Set(at(stage != Stage::Made)),
        signing_at: Set(at(stage == Stage::Signing)),
        retired_at: Set(at(stage == Stage::Verify)),
        destroyed_at: Set(None),
    };
    match row.insert(transaction).await {
        Err(error) if db::is_duplicate(&error) => Err(KeysError::IdTaken(id)),
        done => Ok(done.map(|_| id)?),
    }
}

/// One more than the highest; where there is none, the lowest that no key ever had.
async fn next_id(transaction: &DatabaseTransaction) -> Result<u16, KeysError> {
    let used = entity::Entity::find().select_only().column(entity::Column::Id);
    let used: BTreeSet<i32> = used.into_tuple::<i32>().all(transaction).await?.into_iter().collect();
    let next = used.last().map_or(1, |last| last + 1);
    let free = u16::try_from(next).ok().or_else(|| (0..=u16::MAX).find(|&id| !used.contains(&i32::from(id))));
    free.ok_or(KeysError::IdsUsedUp)
}

async fn found(transaction: &DatabaseTransaction, id: u16) -> Result<Model, KeysError> {
    entity::Entity::find_by_id(i32::from(id)).one(transaction).await?.ok_or(KeysError::NoSuchKey(id))
}

fn wanted(row: &Model, stage: Stage, wanted: &'static str) -> Result<(), KeysError> {
    let damaged = || KeysError::Damaged(row.id);
    let (at, id) = (Stage::of(row).ok_or_else(damaged)?, u16::try_from(row.id).ok().ok_or_else(damaged)?);
    if at == stage { Ok(()) } else { Err(KeysError::WrongStage { id, stage: at, wanted }) }
}

async fn note(
    app: &App,
    transaction: &DatabaseTransaction,
    action: &str,
    id: u16,
    detail: &Value,
) -> Result<(), KeysError> {
    audit::note(app, transaction, OPERATOR, action, &format!("key:{id}"), detail)
        .await
        .map_err(KeysError::Audit)
}
