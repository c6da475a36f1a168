//! API clients: chat servers, designers and operators' programs, each with a secret and scopes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, Set,
};

use super::entity::client;
use super::hash_of;
use crate::app::App;
use crate::web::error::Error;

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Make launch codes.
    Launch,
    /// Check tokens.
    Verify,
    /// Publish releases.
    Publish,
    /// Run the store.
    Operate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Launch, Self::Verify, Self::Publish, Self::Operate];

    /// The name in commands and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Verify => "verify",
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

/// A chat server that checks tokens.
#[derive(Clone, Debug)]
pub struct VerifyClient;

/// Somebody who publishes packs.
#[derive(Clone, Debug)]
pub struct Designer {
    /// The client, who owns what it publishes.
    pub client_id: String,
}

impl FromRequestParts<App> for LaunchClient {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        authenticate(parts, app, Scope::Launch).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for VerifyClient {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        authenticate(parts, app, Scope::Verify).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for Designer {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        authenticate(parts, app, Scope::Publish).await.map(|client| Self { client_id: client.id })
    }
}

async fn authenticate(parts: &Parts, app: &App, scope: Scope) -> Result<client::Model, Error> {
    let unauthorized = || {
        Error::new(StatusCode::UNAUTHORIZED, "unauthorized", "this needs the secret of an API client")
            .hint("send it as `Authorization: Bearer sk_...`")
    };
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(unauthorized)?;
    // Looked up by the hash: what the comparison takes tells nothing about the secret.
    let found = client::Entity::find().filter(client::Column::SecretHash.eq(hash_of(secret.trim())));
    let client =
        found.one(&app.db).await?.filter(|client| client.revoked_at.is_none()).ok_or_else(unauthorized)?;
    if client.scopes.split(',').any(|name| name == scope.name()) {
        return Ok(client);
    }
    let message = format!("this needs a client with the scope {}", scope.name());
    Err(Error::new(StatusCode::FORBIDDEN, "missing_scope", message))
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
    row.insert(&app.db).await?;
    Ok(new)
}

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
pub async fn revoke(app: &App, id: &str) -> Result<bool, DbErr> {
    let change = client::ActiveModel {
        revoked_at: Set(Some(app.clock.now_ms())),
        ..<client::ActiveModel as Default>::default()
    };
    let of = client::Entity::update_many().set(change).filter(client::Column::Id.eq(id));
    Ok(of.exec(&app.db).await?.rows_affected > 0)
}
