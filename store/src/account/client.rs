//! API clients: chat servers, designers and operators' programs, each with a secret and scopes.

mod known;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, Set,
};
use serde_json::json;
use sticker_protocol::Sha256;

use super::entity::client;
use super::hash_of;
use crate::app::App;
use crate::audit;
use crate::config::Environment;
use crate::db;
use crate::web::error::Error;
pub use known::Known;
use known::WhileAway;

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Make launch codes.
    Launch,
    /// Check tokens, and have every key, with which one could issue them too.
    Verify,
    /// Check tokens, and have public keys alone.
    VerifyPublic,
    /// Publish releases.
    Publish,
    /// Run the store.
    Operate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Launch, Self::Verify, Self::VerifyPublic, Self::Publish, Self::Operate];

    /// The name in commands and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Verify => "verify",
            Self::VerifyPublic => "verify_public",
            Self::Publish => "publish",
            Self::Operate => "operate",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A chat server that lets users into the store.
#[derive(Clone, Debug)]
pub struct LaunchClient;

/// A chat server that checks tokens: it may ask for checks, for the deny feed and for keys.
#[derive(Clone, Debug)]
pub struct VerifyClient {
    /// The client.
    pub client_id: Arc<str>,
    /// Whether it may have the keys that issue tokens too. Without it, public keys alone.
    pub may_mint: bool,
}

/// Somebody who publishes packs.
#[derive(Clone, Debug)]
pub struct Designer {
    /// The client, who owns what it publishes.
    pub client_id: String,
}

/// Who may read the metrics: in production a client with the scope `operate`, in development everybody.
#[derive(Clone, Debug)]
pub struct MetricsReader;

impl FromRequestParts<App> for LaunchClient {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        authenticate(parts, app, &[Scope::Launch], WhileAway::Refused).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for VerifyClient {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let scopes = [Scope::Verify, Scope::VerifyPublic];
        let client = authenticate(parts, app, &scopes, WhileAway::GoesOn).await?;
        let may_mint = client.scopes.contains(&Scope::Verify);
        Ok(Self { client_id: Arc::clone(&client.id), may_mint })
    }
}

impl FromRequestParts<App> for Designer {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let client = authenticate(parts, app, &[Scope::Publish], WhileAway::Refused).await?;
        Ok(Self { client_id: client.id.to_string() })
    }
}

impl FromRequestParts<App> for MetricsReader {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        if app.config.environment == Environment::Production {
            authenticate(parts, app, &[Scope::Operate], WhileAway::GoesOn).await?;
        }
        Ok(Self)
    }
}

/// A client as its row says.
#[derive(Debug)]
struct Client {
    id: Arc<str>,
    scopes: Vec<Scope>,
}

/// The client whose secret came with the request, where it has one of the scopes.
async fn authenticate(
    parts: &Parts,
    app: &App,
    scopes: &[Scope],
    while_away: WhileAway,
) -> Result<Arc<Client>, Error> {
    let unauthorized = || {
        Error::new(StatusCode::UNAUTHORIZED, "unauthorized", "this needs the secret of an API client")
            .hint("send it as `Authorization: Bearer sk_...`")
    };
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(unauthorized)?;
    // Looked up by the hash, in memory as in the database: what the comparison takes tells nothing about the secret.
    let hash = Sha256::of(secret.trim().as_bytes());
    let client = app.clients.find(app, hash, while_away).await?.ok_or_else(unauthorized)?;
    if client.scopes.iter().any(|scope| scopes.contains(scope)) {
        return Ok(client);
    }
    let names: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
    let message = format!("this needs a client with the scope {}", names.join(" or "));
    Err(Error::new(StatusCode::FORBIDDEN, "missing_scope", message))
}

/// The client with the secret of this hash, as the database has it now; a revoked one is none.
async fn by_secret(db: &impl ConnectionTrait, hash: Sha256) -> Result<Option<Client>, DbErr> {
    let found = client::Entity::find().filter(client::Column::SecretHash.eq(hash.to_string()));
    let live = found.one(db).await?.filter(|client| client.revoked_at.is_none());
    Ok(live.map(|client| Client {
        id: client.id.into(),
        scopes: client.scopes.split(',').filter_map(Scope::parse).collect(),
    }))
}

/// A client that was just made; the secret is nowhere else.
#[derive(Debug)]
pub struct NewClient {
    /// The client's id.
    pub id: String,
    /// What the client authenticates with.
    pub secret: String,
}

/// Makes a client.
///
/// # Errors
/// As the database says, or where the system gives no random bytes.
pub async fn add(app: &App, name: &str, scopes: &[Scope]) -> Result<NewClient, anyhow::Error> {
    let new = NewClient { id: app.random.uuid()?.to_string(), secret: app.random.secret("sk_")? };
    let names: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
    let row = client::ActiveModel {
        id: Set(new.id.clone()),
        name: Set(name.to_owned()),
        secret_hash: Set(hash_of(&new.secret)),
        scopes: Set(names.join(",")),
        created_at: Set(app.clock.now_ms()),
        revoked_at: Set(None),
    };
    let transaction = db::begin(&app.db).await?;
    row.insert(&transaction).await?;
    let detail = json!({ "name": name, "scopes": names });
    audit::note(app, &transaction, OPERATOR, "client_add", &format!("client:{}", new.id), &detail).await?;
    transaction.commit().await?;
    Ok(new)
}

/// Whom the trace names: clients come and go by commands.
const OPERATOR: &str = "operator";

/// Every client, oldest first.
///
/// # Errors
/// As the database says.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<client::Model>, DbErr> {
    client::Entity::find().order_by_asc(client::Column::CreatedAt).all(db).await
}

/// Ends a client's rights; `false` where there is no such client.
///
/// # Errors
/// As the database says.
pub async fn revoke(app: &App, id: &str) -> Result<bool, Error> {
    let transaction = db::begin(&app.db).await?;
    let change = client::ActiveModel {
        revoked_at: Set(Some(app.clock.now_ms())),
        ..<client::ActiveModel as Default>::default()
    };
    let of = client::Entity::update_many().set(change).filter(client::Column::Id.eq(id));
    if of.exec(&transaction).await?.rows_affected == 0 {
        return Ok(false);
    }
    audit::note(app, &transaction, OPERATOR, "client_revoke", &format!("client:{id}"), &json!({})).await?;
    transaction.commit().await?;
    Ok(true)
}
