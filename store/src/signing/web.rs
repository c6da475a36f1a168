//! `GET /v1/release-keys`: the public keys, for looking and for tools that pin what they see first.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::keys;
use crate::app::App;
use crate::web::error::Error;

pub(crate) fn api() -> Router<App> {
    Router::new().route("/v1/release-keys", get(release_keys))
}

async fn release_keys(State(app): State<App>) -> Result<Response, Error> {
    keys::make_first(&app).await?;
    let keys = keys::export(&app.db).await?.to_json();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    Ok((headers, keys).into_response())
}
