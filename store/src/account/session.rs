//! The user behind a request.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use sea_orm::EntityTrait as _;
use sticker_protocol::token::UserId;

use super::entity::session;
use super::{hash_of, stored_user};
use crate::app::App;
use crate::web::error::Error;

/// A signed-in user. A handler that takes one is for users alone; one that takes `Option<Buyer>` is for everybody.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// The user.
    pub user: UserId,
    /// The language that the user reads, as the chat server said at launch.
    pub locale: Option<String>,
    /// `ios`, `android` or `web`, as the chat server said at launch.
    pub platform: Option<String>,
    /// Whom the user's gifts go to, as the chat server said at launch.
    pub partner: Option<UserId>,
}

const COOKIE: &str = "session";

impl FromRequestParts<App> for Buyer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let jar = CookieJar::from_request_parts(parts, app)
            .await
            .unwrap_or_else(|never: Infallible| match never {});
        find(app, &jar).await?.ok_or_else(|| {
            Error::new(StatusCode::UNAUTHORIZED, "no_session", "nobody is signed in")
                .hint("open the store from the messenger")
        })
    }
}

impl OptionalFromRequestParts<App> for Buyer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Error> {
        let jar = CookieJar::from_request_parts(parts, app)
            .await
            .unwrap_or_else(|never: Infallible| match never {});
        find(app, &jar).await
    }
}

async fn find(app: &App, jar: &CookieJar) -> Result<Option<Buyer>, Error> {
    let Some(secret) = jar.get(COOKIE).map(Cookie::value) else { return Ok(None) };
    let found = session::Entity::find_by_id(hash_of(secret)).one(&app.db).await?;
    let live = found.filter(|session| session.expires_at > app.clock.now_ms());
    Ok(live.and_then(|session| {
        Some(Buyer {
            user: stored_user(&session.user_id)?,
            locale: session.locale,
            platform: session.platform,
            partner: session.partner_id.as_deref().and_then(stored_user),
        })
    }))
}

/// The cookie of a new session: out of reach for scripts, sent by our own pages, over https where the store has it.
pub(crate) fn cookie(app: &App, secret: String) -> Cookie<'static> {
    let mut cookie = Cookie::new(COOKIE, secret);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(app.config.public_url().starts_with("https://"));
    cookie
}
