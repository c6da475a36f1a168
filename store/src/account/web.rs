//! Launching the store.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::token::UserId;

use super::client::LaunchClient;
use super::launch::{self, Guest};
use super::page::LaunchPage;
use super::session::{self, Buyer};
use crate::app::App;
use crate::web::error::{Error, Json};
use crate::web::layout;
use crate::web::page::Html;

pub(crate) fn api() -> Router<App> {
    Router::new().route("/v1/launch-codes", post(make_code))
}

pub(crate) fn pages() -> Router<App> {
    Router::new().route("/launch", get(launch_page).post(open))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    user: Option<String>,
    user_hex: Option<String>,
    locale: Option<String>,
    platform: Option<String>,
    partner: Option<String>,
    partner_hex: Option<String>,
}

async fn make_code(
    State(app): State<App>,
    _: LaunchClient,
    Json(request): Json<CodeRequest>,
) -> Result<(StatusCode, axum::Json<Value>), Error> {
    let user = user_of("user", request.user.as_deref(), request.user_hex.as_deref())?
        .ok_or_else(|| Error::refused("invalid_user", "`user` or `user_hex` is missing"))?;
    let partner = user_of("partner", request.partner.as_deref(), request.partner_hex.as_deref())?;
    if partner == Some(user) {
        return Err(Error::refused("invalid_partner", "`partner` is the user")
            .hint("name the user's partner, or leave it out"));
    }
    let platform = request.platform;
    if platform.as_deref().is_some_and(|platform| !PLATFORMS.contains(&platform)) {
        let known = PLATFORMS.join(", ");
        return Err(Error::refused("invalid_platform", format!("`platform` is one of {known}")));
    }
    let guest = Guest { user, locale: checked_locale(request.locale)?, platform, partner };
    let code = launch::make_code(&app, &guest, app.config.account.launch_code_seconds).await?;
    let launch_url = format!("{}/launch#{}", app.config.public_url(), code.code);
    let body = json!({ "code": code.code, "expires_at": code.expires_at / 1000, "launch_url": launch_url });
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// What the messenger runs on: it decides which app store sells, and whether gifts are sold.
const PLATFORMS: [&str; 3] = ["ios", "android", "web"];

fn checked_locale(locale: Option<String>) -> Result<Option<String>, Error> {
    let plain = |text: &String| {
        (2..=35).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if locale.as_ref().is_none_or(plain) {
        return Ok(locale);
    }
    let message = "`locale` is a language tag, such as ko or pt-BR";
    Err(Error::refused("invalid_locale", message))
}

/// A user from JSON: a text, or bytes in hexadecimal, not both.
pub(crate) fn user_of(field: &str, text: Option<&str>, hex: Option<&str>) -> Result<Option<UserId>, Error> {
    let user = match (text, hex) {
        (None, None) => return Ok(None),
        (Some(text), None) => UserId::from_text(text),
        (None, Some(hex)) => UserId::from_hex(hex),
        (Some(_), Some(_)) => {
            return Err(Error::refused(
                "invalid_user",
                format!("`{field}` and `{field}_hex` are both given"),
            ));
        }
    };
    user.map(Some).map_err(|error| Error::refused("invalid_user", format!("`{field}`: {error}")))
}

async fn launch_page(uri: Uri, headers: HeaderMap, buyer: Option<Buyer>) -> Html<LaunchPage> {
    Html(LaunchPage { layout: layout(&uri, &headers, buyer.as_ref()) })
}

#[derive(Deserialize)]
struct OpenForm {
    code: String,
}

async fn open(
    State(app): State<App>,
    jar: CookieJar,
    Form(form): Form<OpenForm>,
) -> Result<(CookieJar, Redirect), Error> {
    let expired = || Error::new(StatusCode::GONE, "code_expired", "the launch code is used up or too old");
    let secret = launch::open_session(&app, form.code.trim()).await?.ok_or_else(expired)?;
    Ok((jar.add(session::cookie(&app, secret)), Redirect::to("/")))
}
