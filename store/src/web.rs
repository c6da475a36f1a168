//! What every part of the web has in common.

pub mod assets;
pub mod csrf;
pub mod error;
pub(crate) mod extract;
pub mod language;
pub mod page;
pub mod peer;
pub(crate) mod sendfile;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::account::session::Buyer;
use crate::app::App;
use crate::delivery;
use crate::random::{NoRandom, Random};
use crate::telemetry::metrics;
use error::{Error, ErrorBody};
use language::Wishes;
use page::{Html, Layout, Problem, ProblemPage};

/// Names a request in answers and logs: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Counts requests from a random start: unlike for a random number each, there is no system call, and two processes do not meet.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    /// Begins somewhere.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn new(random: &Random) -> Result<Self, NoRandom> {
        Ok(Self(AtomicU64::new(u64::from_be_bytes(random.bytes()?))))
    }

    pub(crate) fn next(&self) -> RequestId {
        let mut number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut digits = [b'0'; 16];
        for digit in digits.iter_mut().rev() {
            let value = u8::try_from(number & 0xf).unwrap_or_default();
            *digit = if value < 10 { b'0' + value } else { b'a' - 10 + value };
            number >>= 4;
        }
        RequestId(digits)
    }
}

/// Marks an answer that has all its headers and is for everybody: caches keep it, and the next reader has another request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished;

/// The layout of a page for this request: its language, who reads it, where it is.
pub fn layout(uri: &Uri, headers: &axum::http::HeaderMap, buyer: Option<&Buyer>) -> Layout {
    let session = buyer.and_then(|buyer| buyer.locale.as_deref());
    let path = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    Layout { locale: Wishes::of(uri, headers, session).choose(), path }
}

/// Outermost: a request id, no requests of other sites, a time limit, a line in the log, safe headers, and the JSON of errors.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.request_ids.next();
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let started = app.clock.now_ms();
    // A layer of its own would cost every check of a token an allocation.
    let mut response = match csrf::check(&app, &request).and_then(|()| without_nul(&uri)) {
        Ok(()) => match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Error::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the store took too long")
                .into_response(),
        },
        Err(refused) => refused.into_response(),
    };
    if let Some(body) = response.extensions_mut().remove::<ErrorBody>() {
        body.log(id.as_str(), uri.path());
        let headers = std::mem::take(response.headers_mut());
        response = body.render(response.status(), id.as_str());
        response.headers_mut().extend(headers);
    }
    let (status, route) = (response.status().as_u16(), route.as_ref().map(MatchedPath::as_str));
    metrics::answered(route, status);
    let (id, path, took_ms) = (id.as_str(), uri.path(), app.clock.now_ms() - started);
    if route.is_some_and(|route| is_counted_alone(route, response.status())) {
        tracing::debug!(http.method = %method, http.path = path, http.status = status, request.id = id, took_ms, "answered");
    } else {
        tracing::info!(http.method = %method, http.path = path, http.status = status, request.id = id, took_ms, "answered");
    }
    if response.extensions_mut().remove::<Finished>().is_some() {
        return response;
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // No browser shows JSON as a page, and a chat server's every check would carry what only pages need.
    if headers.get(header::CONTENT_TYPE).is_none_or(|content| content != "application/json") {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    }
    response
}

/// No id, slug or word has a zero byte, and not every database can be asked for one.
fn without_nul(uri: &Uri) -> Result<(), Error> {
    let address = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    if address.contains("%00") {
        return Err(Error::bad_request("invalid_address", "the address has a zero byte in it"));
    }
    Ok(())
}

/// Pages tell what went wrong in the reader's language instead of in JSON.
pub(crate) async fn problem_pages(State(_): State<App>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = next.run(request).await;
    let status = response.status();
    // A page that says what went wrong with its own form says it better.
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == page::CONTENT_TYPE);
    if !is_page && (status.is_client_error() || status.is_server_error()) {
        let body = response.extensions_mut().remove::<ErrorBody>();
        if let Some(body) = &body {
            body.log(id.as_ref().map_or("", RequestId::as_str), uri.path());
        }
        let mut page = Html(ProblemPage {
            layout: layout(&uri, &headers, None),
            problem: Problem::of_status(status),
            request_id: id.map(|id| id.as_str().to_owned()),
        })
        .into_response();
        if let Some(seconds) = body.and_then(|body| body.retry_after(status)) {
            page.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        return page;
    }
    response
}

/// No such address.
pub(crate) async fn not_found() -> Error {
    Error::not_found("there is nothing at this address")
}

/// The address is there, for other methods: axum names them in `Allow`.
pub(crate) async fn wrong_method() -> Error {
    Error::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "the address does not take this method")
        .hint("the header Allow names those that it takes")
}

/// What a fault in a handler becomes.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Error::internal(&std::io::Error::other("a handler panicked")).into_response()
}

/// What comes many times a second is no news while it succeeds: the metrics count it, and the log has it from `debug` on. So do downloads
/// of what is not there, which anybody may ask for as often as they like.
fn is_counted_alone(route: &str, status: StatusCode) -> bool {
    COUNTED_ALONE.contains(&route) && status.is_success()
        || delivery::web::ROUTES.contains(&route) && !status.is_server_error()
}

const COUNTED_ALONE: [&str; 4] = ["/v1/tokens/verify", "/health/live", "/health/ready", "/metrics"];

/// Publishing a large pack takes longest.
const TIME_LIMIT: Duration = Duration::from_mins(2);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";
