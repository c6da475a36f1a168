//! `GET /v1/keyring`: the ring for verifiers.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sticker_protocol::Sha256;

use crate::account::client::VerifyClient;
use crate::app::App;
use crate::token::live::Tokens;
use crate::web::error::Error;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/keyring", get(keyring))
}

async fn keyring(
    State(app): State<App>,
    client: VerifyClient,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let ring = Tokens::current_ring(&app).await?;
    let keys = if client.may_mint { ring.file.for_verifiers() } else { ring.file.public_only() };
    let json = keys.to_json();
    let tag = format!("\"{}\"", Sha256::of(json.as_bytes()));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let content_type = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, content_type)], json).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|error| Error::internal(&error))?);
    Ok(response)
}
