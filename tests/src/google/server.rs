//! The server behind [`PlayStore`](super::PlayStore).

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use super::{ACCOUNT, Asked, Call, Fault, PACKAGE, RsaKey, Signer, State};

/// Serves on a thread of its own until it is stopped, and gives the address.
pub(super) fn start(
    state: Arc<Mutex<State>>,
    held: Arc<watch::Sender<bool>>,
    stopped: oneshot::Receiver<()>,
) -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let base = url.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let server = Router::new().fallback(move |request: Request<Body>| {
                answer(Arc::clone(&state), held.subscribe(), base.clone(), request)
            });
            tokio::select! {
                served = axum::serve(listener, server).into_future() => served.expect("it serves"),
                _ = stopped => {}
            }
        });
    });
    url
}

async fn answer(
    state: Arc<Mutex<State>>,
    mut held: watch::Receiver<bool>,
    base: String,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let Some(call) = call_of(parts.method.as_str(), parts.uri.path()) else {
        return problem(404, "noSuchAddress");
    };
    let (fault, usual) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push(Asked {
            call,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        });
        let next = state.next.get_mut(&call).and_then(std::collections::VecDeque::pop_front);
        let fault = next.or_else(|| state.always.get(&call).cloned());
        let does = matches!(fault, None | Some(Fault::Held | Fault::Lost));
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let usual = does.then(|| usual(&mut state, call, &base, &parts.uri, authorization, &body));
        (fault, usual)
    };
    match (fault, usual) {
        (None, Some(usual)) => usual,
        (Some(Fault::Held), Some(usual)) => {
            // The answer is of the moment of the question.
            let _ = held.wait_for(|released| *released).await;
            usual
        }
        (Some(Fault::Status(status, retry_after)), _) => {
            let mut answer = problem(status, "backendError");
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            answer
        }
        (Some(Fault::Refusal(status, reason)), _) => problem(status, reason),
        (Some(Fault::Says(text)), _) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        (Some(Fault::Lost) | None, _) | (Some(Fault::Held), None) => problem(500, "lost"),
    }
}

fn call_of(method: &str, path: &str) -> Option<Call> {
    let api = path.strip_prefix(&format!("/androidpublisher/v3/applications/{PACKAGE}/purchases/"));
    match (method, path, api) {
        ("POST", "/token", _) => Some(Call::Token),
        ("GET", "/certs", _) => Some(Call::Keys),
        ("GET", _, Some("voidedpurchases")) => Some(Call::Voided),
        ("GET", _, Some(api)) if api.starts_with("productsv2/tokens/") => Some(Call::Lookup),
        ("POST", _, Some(api)) if api.ends_with(":acknowledge") => Some(Call::Acknowledge),
        ("POST", _, Some(api)) if api.ends_with(":consume") => Some(Call::Consume),
        _ => None,
    }
}

fn usual(
    state: &mut State,
    call: Call,
    base: &str,
    uri: &axum::http::Uri,
    authorization: Option<&str>,
    body: &[u8],
) -> Response {
    match call {
        Call::Token => return access_token(state, base, body),
        Call::Keys => {
            let keys: Vec<Value> = state.published.iter().map(Signer::published).collect();
            let fresh = format!("public, max-age={}, must-revalidate", state.max_age);
            return ([(header::CACHE_CONTROL, fresh)], axum::Json(json!({ "keys": keys }))).into_response();
        }
        _ => {}
    }
    let bearer = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !state.open.iter().any(|open| open == bearer) {
        return problem(401, "authError");
    }
    match call {
        Call::Voided => voided(state, uri.query().unwrap_or_default()),
        Call::Lookup => {
            let token = uri.path().rsplit('/').next().unwrap_or_default();
            match state.purchases.get(token) {
                Some(purchase) => axum::Json(purchase.clone()).into_response(),
                None => problem(404, "purchaseTokenNotFound"),
            }
        }
        _ => finished(state, call, uri.path()),
    }
}

/// RFC 7523: the assertion has to be the service account's, for this address, and of now.
fn access_token(state: &mut State, base: &str, body: &[u8]) -> Response {
    let form = String::from_utf8_lossy(body).into_owned();
    let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let refused =
        || (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": "invalid_grant" }))).into_response();
    if field("grant_type") != Some("urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer") {
        return refused();
    }
    let Some((signed, signature)) = field("assertion").and_then(|jwt| jwt.rsplit_once('.')) else {
        return refused();
    };
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode_to_vec(text).unwrap_or_default();
    let json = |text: &str| serde_json::from_slice::<Value>(&decoded(text)).unwrap_or_default();
    let (head, claims) = signed.split_once('.').unwrap_or_default();
    let (head, claims, now) = (json(head), json(claims), state.now());
    let fits = RsaKey::of_account().verifies(signed.as_bytes(), &decoded(signature))
        && head == json!({ "alg": "RS256", "typ": "JWT", "kid": "key-of-the-account" })
        && claims["iss"] == ACCOUNT
        && claims["scope"] == "https://www.googleapis.com/auth/androidpublisher"
        && claims["aud"] == format!("{base}/token")
        && (now - 60..=now + 60).contains(&claims["iat"].as_i64().unwrap_or_default())
        && claims["exp"].as_i64().is_some_and(|exp| exp > now && exp <= now + 3_660);
    if !fits {
        return refused();
    }
    state.tokens += 1;
    let token = format!("ya29.token-{}", state.tokens);
    state.open.push(token.clone());
    axum::Json(json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" })).into_response()
}

fn voided(state: &State, query: &str) -> Response {
    let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let number = |name| field(name).and_then(|value| value.parse::<i64>().ok());
    let (now, day) = (state.now() * 1_000, 86_400_000);
    let (Some(from), Some(until)) = (number("startTime"), number("endTime")) else {
        return problem(400, "required");
    };
    if from < now - 30 * day || until > now || from > until {
        return problem(400, "invalid");
    }
    let within = |voided: &&Value| {
        let at = voided["voidedTimeMillis"].as_str().and_then(|at| at.parse::<i64>().ok());
        at.is_some_and(|at| from <= at && at <= until)
    };
    let all: Vec<&Value> = state.voided.iter().filter(within).collect();
    let first = field("token").and_then(|token| token.strip_prefix("from-")?.parse().ok()).unwrap_or(0);
    let page: Vec<&Value> = all.iter().skip(first).take(state.page).copied().collect();
    let mut body = json!({ "voidedPurchases": page });
    if first + state.page < all.len() {
        body["tokenPagination"] = json!({ "nextPageToken": format!("from-{}", first + state.page) });
    }
    axum::Json(body).into_response()
}

fn finished(state: &mut State, call: Call, path: &str) -> Response {
    let named = path.rsplit_once(':').and_then(|(path, _)| {
        let (before, token) = path.rsplit_once("/tokens/")?;
        Some((before.rsplit('/').next()?, token))
    });
    let (product, token) = named.unwrap_or_default();
    let Some(purchase) = state.purchases.get_mut(token) else {
        return problem(404, "purchaseTokenNotFound");
    };
    let paid = purchase["purchaseStateContext"]["purchaseState"] == "PURCHASED";
    if !paid || purchase["productLineItem"][0]["productId"] != product {
        return problem(400, "invalid");
    }
    purchase["acknowledgementState"] = "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED".into();
    if call == Call::Consume {
        purchase["productLineItem"][0]["productOfferDetails"]["consumptionState"] =
            "CONSUMPTION_STATE_CONSUMED".into();
    }
    StatusCode::NO_CONTENT.into_response()
}

/// An error in Google's form.
fn problem(status: u16, reason: &str) -> Response {
    let error =
        json!({ "code": status, "message": "no", "errors": [{ "domain": "global", "reason": reason }] });
    let status = StatusCode::from_u16(status).expect("a status");
    (status, axum::Json(json!({ "error": error }))).into_response()
}
