//! `GET /v1/keyring`: the ring for verifiers.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::account::client::VerifyClient;
use crate::app::App;
use crate::web::error::Error;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/keyring", get(keyring))
}

async fn keyring(State(app): State<App>, _: VerifyClient, headers: HeaderMap) -> Result<Response, Error> {
    let ring = app.tokens.ring();
    let tag = format!("\"{}\"", ring.tag);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], ring.file.for_verifiers().to_json()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|error| Error::internal(&error))?);
    Ok(response)
}
