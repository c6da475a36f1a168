//! The life of a release key: added, so that apps can ship it; signing; trusted, while what it signed is still given out; retired, when its
//! secret is erased. Each step is one transaction with its row in the trace.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::{Value, json};
use sticker_protocol::release::signed::{ReleaseKeyId, ReleaseKeys, ReleaseSigner};
use sticker_protocol::token::{PublicKey, Secret};

use super::entity::key::{self, Model};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::token::seal::Sealed;
use crate::web::error::Error;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Shown to whoever builds apps; signs nothing yet.
    Added,
    /// Signs every publication.
    Signing,
    /// Signed before; what it signed is given out until something newer takes its place.
    Trusted,
    /// The secret is gone, and nothing that it signed is given out.
    Retired,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Added, Self::Signing, Self::Trusted, Self::Retired];

    /// The name in rows and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Signing => "signing",
            Self::Trusted => "trusted",
            Self::Retired => "retired",
        }
    }
}

/// A key as an operator sees it; times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The id.
    pub id: ReleaseKeyId,
    /// Where it is in its life.
    pub stage: Stage,
    /// The half that apps ship.
    pub public: PublicKey,
    /// When it was made.
    pub made_at: i64,
    /// When it began to sign.
    pub signing_at: Option<i64>,
    /// When its secret was erased.
    pub retired_at: Option<i64>,
}

impl KeyRow {
    /// One object with times in Unix seconds.
    pub fn to_json(&self) -> Value {
        let seconds = |at: i64| at.div_euclid(1_000);
        json!({
            "id": self.id.0, "state": self.stage.name(), "public": self.public.to_hex(), "made_at": seconds(self.made_at),
            "signing_at": self.signing_at.map(seconds), "retired_at": self.retired_at.map(seconds),
        })
    }

    fn of(row: &Model) -> Result<Self, Error> {
        let damaged = || damaged(row.id);
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == row.state);
        let public = <[u8; 32]>::try_from(row.public_key.as_slice()).ok().map(PublicKey::new);
        Ok(Self {
            id: u16::try_from(row.id).map(ReleaseKeyId).ok().ok_or_else(damaged)?,
            stage: stage.ok_or_else(damaged)?,
            public: public.ok_or_else(damaged)?,
            made_at: row.made_at,
            signing_at: row.signing_at,
            retired_at: row.retired_at,
        })
    }
}

/// Every key that ever was, by id.
///
/// # Errors
/// As the database says, or 500 for a row that the store does not write.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<KeyRow>, Error> {
    let rows = key::Entity::find().order_by_asc(key::Column::Id).all(db).await?;
    rows.iter().map(KeyRow::of).collect()
}

/// The public keys for apps to ship: all but the retired ones.
///
/// # Errors
/// As [`list`].
pub async fn export(db: &impl ConnectionTrait) -> Result<ReleaseKeys, Error> {
    let mut keys = ReleaseKeys::default();
    for row in list(db).await?.into_iter().filter(|row| row.stage != Stage::Retired) {
        keys.add(row.id, row.public).map_err(|error| Error::internal(&error))?;
    }
    Ok(keys)
}

/// Makes a key that signs nothing yet.
///
/// # Errors
/// 409 `ids_used_up`; as the database says.
pub async fn add(app: &App, actor: Actor<'_>) -> Result<ReleaseKeyId, Error> {
    let transaction = db::begin(&app.db).await?;
    let highest = key::Entity::find().select_only().column_as(key::Column::Id.max(), "highest");
    let highest: Option<Option<i32>> = highest.into_tuple().one(&transaction).await?;
    let next = u16::try_from(highest.flatten().map_or(1, |highest| highest.saturating_add(1)));
    let id = next.map(ReleaseKeyId).ok().ok_or_else(|| {
        Error::conflict("ids_used_up", "65,536 release keys were made").hint("begin again with a new store")
    })?;
    insert(app, &transaction, id, Stage::Added).await?;
    note(app, &transaction, actor, "release_key_add", id, &json!({})).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Lets a key sign from now on; the one that signed is trusted still.
///
/// # Errors
/// 404 `no_such_key`, 409 `wrong_state`; as the database says.
pub async fn sign_with(app: &App, actor: Actor<'_>, id: ReleaseKeyId) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    let row = found(&transaction, id).await?;
    match KeyRow::of(&row)?.stage {
        Stage::Signing => return Ok(()),
        Stage::Added | Stage::Trusted => {}
        Stage::Retired => return Err(wrong_state(id, "is retired, and its secret is gone")),
    }
    key::Entity::update_many()
        .col_expr(key::Column::State, Expr::value(Stage::Trusted.name()))
        .col_expr(key::Column::Signing, Expr::value(Option::<i16>::None))
        .filter(key::Column::State.eq(Stage::Signing.name()))
        .exec(&transaction)
        .await?;
    let mut change = row.into_active_model();
    change.state = Set(Stage::Signing.name().to_owned());
    change.signing = Set(Some(1));
    change.signing_at = Set(Some(app.clock.now_ms()));
    change.update(&transaction).await?;
    note(app, &transaction, actor, "release_key_sign_with", id, &json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Erases a key's secret. What it vouched for is signed anew, and apps leave it out in their next version.
///
/// # Errors
/// 404 `no_such_key`, 409 `wrong_state` for the one that signs, 422 `invalid_reason`; as the database says.
pub async fn retire(app: &App, actor: Actor<'_>, id: ReleaseKeyId, reason: &str) -> Result<(), Error> {
    let reason = audit::checked_reason(reason)?;
    let transaction = db::begin(&app.db).await?;
    let row = found(&transaction, id).await?;
    match KeyRow::of(&row)?.stage {
        Stage::Retired => return Ok(()),
        Stage::Signing => return Err(wrong_state(id, "is the one that signs")),
        Stage::Added | Stage::Trusted => {}
    }
    let mut change = row.into_active_model();
    change.state = Set(Stage::Retired.name().to_owned());
    change.sealed = Set(None);
    change.retired_at = Set(Some(app.clock.now_ms()));
    change.update(&transaction).await?;
    note(app, &transaction, actor, "release_key_retire", id, &json!({ "reason": reason })).await?;
    Ok(transaction.commit().await?)
}

/// Gives a store without release keys its first, which signs. Of several processes one does it.
///
/// # Errors
/// As the database says.
pub async fn make_first(app: &App) -> Result<(), Error> {
    if key::Entity::find().one(&app.db).await?.is_some() {
        return Ok(());
    }
    let transaction = db::begin(&app.db).await?;
    let first = ReleaseKeyId(1);
    match insert(app, &transaction, first, Stage::Signing).await {
        Ok(()) => {}
        // Another process was quicker.
        Err(error) if error.code() == ID_TAKEN => return Ok(()),
        Err(error) => return Err(error),
    }
    note(app, &transaction, Actor("store"), "release_key_add", first, &json!({ "first": true })).await?;
    Ok(transaction.commit().await?)
}

/// The key that signs, opened.
///
/// # Errors
/// 503 `no_release_key` where none signs or it does not open; as the database says.
pub(super) async fn signer(app: &App, db: &impl ConnectionTrait) -> Result<ReleaseSigner, Error> {
    let none = || {
        let message = "no release key signs; nothing can be published";
        Error::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "no_release_key", message)
            .hint("`sticker-store admin release-keys list` shows the keys")
    };
    let row = key::Entity::find().filter(key::Column::State.eq(Stage::Signing.name())).one(db).await?;
    let row = row.ok_or_else(none)?;
    let id = KeyRow::of(&row)?.id;
    let sealed = row.sealed.as_deref().ok_or_else(|| damaged(row.id))?;
    let seed = app.tokens.master.open(Sealed::Release(id), sealed).map_err(|error| none().because(&error))?;
    ReleaseSigner::new(id, &seed).map_err(|error| Error::internal(&error))
}

async fn insert(
    app: &App,
    transaction: &DatabaseTransaction,
    id: ReleaseKeyId,
    stage: Stage,
) -> Result<(), Error> {
    let seed = Secret::new(app.random.bytes()?);
    let signer = ReleaseSigner::new(id, &seed).map_err(|error| Error::internal(&error))?;
    let public = signer.public().map_err(|error| Error::internal(&error))?;
    let now = app.clock.now_ms();
    let signs = stage == Stage::Signing;
    let row = key::ActiveModel {
        id: Set(i32::from(id.0)),
        state: Set(stage.name().to_owned()),
        signing: Set(signs.then_some(1)),
        public_key: Set(public.as_bytes().to_vec()),
        sealed: Set(Some(app.tokens.master.seal(&app.random, Sealed::Release(id), &seed)?)),
        made_at: Set(now),
        signing_at: Set(signs.then_some(now)),
        retired_at: Set(None),
    };
    match row.insert(transaction).await {
        Err(error) if db::is_duplicate(&error) => {
            Err(Error::conflict(ID_TAKEN, "another release key was made at the same moment")
                .hint("try again"))
        }
        done => Ok(done.map(drop)?),
    }
}

const ID_TAKEN: &str = "id_taken";

/// Locked, so that of two steps at the same moment the second sees what the first did.
async fn found(transaction: &DatabaseTransaction, id: ReleaseKeyId) -> Result<Model, Error> {
    let row = key::Entity::find_by_id(i32::from(id.0)).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| {
        let message = format!("there is no release key {id}");
        Error::new(axum::http::StatusCode::NOT_FOUND, "no_such_key", message).hint(LISTED)
    })
}

fn wrong_state(id: ReleaseKeyId, why: &str) -> Error {
    Error::conflict("wrong_state", format!("release key {id} {why}")).hint(LISTED)
}

const LISTED: &str = "`sticker-store admin release-keys list` shows every key and its state";

fn damaged(id: i32) -> Error {
    Error::internal(&std::io::Error::other(format!("the row of release key {id} is damaged")))
}

async fn note(
    app: &App,
    transaction: &DatabaseTransaction,
    actor: Actor<'_>,
    action: &str,
    id: ReleaseKeyId,
    detail: &Value,
) -> Result<(), Error> {
    audit::note(app, transaction, actor.0, action, &format!("release_key:{id}"), detail).await
}
