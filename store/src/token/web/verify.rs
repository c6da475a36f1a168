//! `POST /v1/tokens/verify`: checks for chat servers that prefer to ask. Answered from memory, also while the database is away.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::account::client::VerifyClient;
use crate::app::App;
use crate::token::check::{BodyError, Checks, Known, MAX_BODY};
use crate::web::error::Error;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/tokens/verify", post(verify)).layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn verify(
    State(app): State<App>,
    client: VerifyClient,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let body = body?;
    let checks = Checks::read(&body)?;
    app.check_rates.admit(&client.client_id, checks.len())?;
    let (now, ring, denied) = (app.clock.now(), app.tokens.ring(), app.tokens.denied());
    Ok(json_answer(checks.answer(Known { now, ring: &ring.keyring, denied: &denied })))
}

/// JSON that is written already.
pub(crate) fn json_answer(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], Bytes::from(text))
        .into_response()
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NotJson(_) => Self::bad_request("invalid_body", error.to_string()),
            BodyError::Shape(_) => Self::refused("invalid_body", error.to_string()),
            BodyError::TooMany => Self::refused("too_many", error.to_string()),
        }
    }
}
