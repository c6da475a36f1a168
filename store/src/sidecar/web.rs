//! What the sidecar answers. Whoever reaches it may ask: it listens on loopback.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::Shared;
use crate::telemetry::metrics;
use crate::token::check::{Checks, Known, MAX_BODY};
use crate::token::web::json_answer;
use crate::web::error::{Error, ErrorBody};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/tokens/verify", post(verify).layer(DefaultBodyLimit::max(MAX_BODY)))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(counted))
        .method_not_allowed_fallback(crate::web::wrong_method)
        .fallback(crate::web::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), around))
        .with_state(shared)
}

async fn verify(
    State(shared): State<Arc<Shared>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let body = body?;
    let checks = Checks::read(&body)?;
    if !shared.is_ready() {
        // To refuse somebody who paid because nothing is known yet would be worse than no answer.
        let message = "this sidecar knows no keys, or has not heard of the revocations yet";
        return Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", message));
    }
    let now = shared.clock.now();
    Ok(json_answer(shared.verifier.with(|ring, denied| checks.answer(Known { now, ring, denied }))))
}

async fn live() -> axum::Json<Value> {
    axum::Json(json!({ "status": "live" }))
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, axum::Json<Value>) {
    let known = shared.verifier.freshness(shared.clock.now());
    let is_ready = shared.is_ready();
    let told = shared.told.lock().unwrap_or_else(PoisonError::into_inner);
    let no_keys = (known.keyring_age.is_some() && told.keys.is_empty()).then_some("no_keys");
    let answer = json!({
        "status": if is_ready { "ok" } else { "failing" },
        "keyring": { "key_ids": told.keys, "age_seconds": known.keyring_age, "problem": told.keyring_problem.or(no_keys) },
        "revocations": shared.has_feed.then(|| json!({
            "entries": known.entries,
            "cursor": shared.verifier.cursor(),
            "age_seconds": known.revocations_age,
            "problem": told.revocations_problem,
        })),
    });
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, axum::Json(answer))
}

async fn counted() -> impl IntoResponse {
    metrics::render()
}

/// Request ids, a time limit, counters, and the JSON of errors, as the store has them.
async fn around(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let id = shared.request_ids.next();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().clone();
    let mut response = match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Error::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the request did not come whole in time")
                .into_response()
        }
    };
    if let Some(body) = response.extensions_mut().remove::<ErrorBody>() {
        body.log(id.as_str(), path.path());
        let status = response.status();
        response = body.render(status, id.as_str());
    }
    metrics::answered(route.as_ref().map(MatchedPath::as_str), response.status().as_u16());
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// For what comes from the same machine and is answered from memory.
const TIME_LIMIT: Duration = Duration::from_secs(10);
