//! What every part of the web has in common.

pub mod assets;
pub mod csrf;
pub mod error;
pub mod language;
pub mod page;

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::account::session::Buyer;
use crate::app::App;
use error::{Error, ErrorBody};
use language::Wishes;
use page::{Html, Layout, Problem, ProblemPage};

/// Names a request in answers and logs.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The layout of a page for this request: its language, who reads it, where it is.
pub fn layout(uri: &axum::http::Uri, headers: &axum::http::HeaderMap, buyer: Option<&Buyer>) -> Layout {
    let session = buyer.and_then(|buyer| buyer.locale.as_deref());
    let path = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    Layout { locale: Wishes::of(uri, headers, session).choose(), path }
}

/// Outermost: a request id, a time limit, a line in the log, safe headers, and the JSON of errors.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.random.uuid().map(|id| id.to_string()).unwrap_or_default();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = app.clock.now_ms();
    let mut response = match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Error::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the store took too long").into_response()
        }
    };
    if let Some(body) = response.extensions_mut().remove::<ErrorBody>() {
        body.log(&id, &path);
        let headers = std::mem::take(response.headers_mut());
        response = body.render(response.status(), &id);
        response.headers_mut().extend(headers);
    }
    let status = response.status().as_u16();
    let took = app.clock.now_ms() - started;
    tracing::info!(http.method = %method, http.path = path, http.status = status, request.id = id, took_ms = took, "answered");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    response
}

/// Pages tell what went wrong in the reader's language instead of in JSON.
pub(crate) async fn problem_pages(State(_): State<App>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let mut response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        if let Some(body) = response.extensions_mut().remove::<ErrorBody>() {
            body.log(id.as_deref().unwrap_or_default(), uri.path());
        }
        let problem = Problem::of_status(status);
        return Html(ProblemPage { layout: layout(&uri, &headers, None), problem, request_id: id })
            .into_response();
    }
    response
}

/// No such address.
pub(crate) async fn not_found() -> Error {
    Error::not_found("there is nothing at this address")
}

/// What a fault in a handler becomes.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Error::internal(&std::io::Error::other("a handler panicked")).into_response()
}

/// Publishing a large pack takes longest.
const TIME_LIMIT: Duration = Duration::from_mins(2);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";
