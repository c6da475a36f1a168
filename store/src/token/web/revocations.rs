//! `GET /v1/revocations`: the deny feed, section 1.6 of the specification.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use sticker_protocol::limits::MAX_REVOCATIONS;

use crate::account::client::VerifyClient;
use crate::app::App;
use crate::token::revocation;
use crate::web::error::Error;
use crate::web::extract::Query;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/revocations", get(revocations))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    after: u64,
    #[serde(default = "usual_limit")]
    limit: usize,
    #[serde(default)]
    wait: u64,
}

async fn revocations(
    State(app): State<App>,
    _: VerifyClient,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let Asked { after, limit, wait } = checked(asked)?;
    // Another process may be ahead of this one; a chat server that asks both sees one feed.
    revocation::catch_up(&app).await?;
    let mut page = revocation::page(&app, after, limit).await?;
    if page.cursor == after && wait > 0 {
        revocation::wait(&app, after, Duration::from_secs(wait)).await;
        page = revocation::page(&app, after, limit).await?;
    }
    // Weak: whoever has this cursor knows everything up to it, though entries that have expired may be left out by now.
    let tag = format!("W/\"{}\"", page.cursor);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|tags| tags.split(','));
    let unchanged = known.map(str::trim).any(|known| known == "*" || is_same(known, &tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], page.to_json()).into_response()
    };
    let tag = HeaderValue::try_from(tag).map_err(|error| Error::internal(&error))?;
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_start_matches("W/") == other.trim_start_matches("W/")
}

fn checked(asked: Asked) -> Result<Asked, Error> {
    let invalid = |message: String| Error::bad_request("invalid_query", message);
    if asked.after > MAX_CURSOR {
        return Err(invalid(format!("`after` is a cursor, 0 to {MAX_CURSOR}")));
    }
    if !(1..=MAX_REVOCATIONS).contains(&asked.limit) {
        return Err(invalid(format!("`limit` is 1 to {MAX_REVOCATIONS}")));
    }
    if asked.wait > MAX_WAIT {
        return Err(invalid(format!("`wait` is 0 to {MAX_WAIT} seconds")));
    }
    Ok(asked)
}

const MAX_CURSOR: u64 = (1 << 53) - 1;
const MAX_WAIT: u64 = 30;

const fn usual_limit() -> usize {
    1_000
}
