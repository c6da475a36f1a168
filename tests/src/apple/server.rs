//! The App Store Server API, as a real HTTP server on loopback.

use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64_simd::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{AppleAuthority, BUNDLE_ID};

/// Apple's server for one app: it knows transactions and the notifications that it has sent, and takes consumption information.
/// Stopped when dropped.
#[derive(Debug)]
pub struct AppStore {
    inner: Arc<Inner>,
    url: String,
    folder: TempDir,
    stop: watch::Sender<bool>,
}

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It answers as it should.
    Well,
    /// It takes requests and says nothing until its mood changes.
    Silent,
    /// 401, whatever the token.
    Unauthorized,
    /// 429, and after how many seconds it wants to be asked again, which Apple tells as a time in milliseconds.
    TooMany(u32),
    /// 500.
    Failing,
    /// 200, and no JSON.
    Babbling,
    /// What it says is signed by somebody else.
    Forging,
    /// Each notification of its history twice.
    Twice,
}

/// One request that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The method, a space, and the path with its query.
    pub what: String,
    /// The body, null where there is none.
    pub body: Value,
    /// Why its token is no good; `None` where it is.
    pub token_fault: Option<String>,
}

#[derive(Debug)]
struct Inner {
    authority: Arc<AppleAuthority>,
    stranger: AppleAuthority,
    key: Vec<u8>,
    state: Mutex<Known>,
    mood: watch::Sender<Mood>,
}

#[derive(Debug, Default)]
struct Known {
    transactions: Vec<Value>,
    notifications: Vec<Sent>,
    next_moods: VecDeque<Mood>,
    asked: Vec<Asked>,
    now_ms: Option<i64>,
}

/// A notification of its history.
#[derive(Debug)]
struct Sent {
    at_ms: i64,
    payload: Value,
    /// Whether it was answered with 200.
    came: bool,
}

impl AppStore {
    /// Starts it; what it says is signed by `authority`.
    pub fn start(authority: &Arc<AppleAuthority>) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("AuthKey.p8");
        fs::write(&file, key.serialize_pem()).expect("a key file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a private file");
        let inner = Arc::new(Inner {
            authority: Arc::clone(authority),
            stranger: AppleAuthority::new(),
            key: key.public_key_raw().to_vec(),
            state: Mutex::default(),
            mood: watch::Sender::new(Mood::Well),
        });
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener for tokio");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, mut stopped) = watch::channel(false);
        let router = router(Arc::clone(&inner));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                // The other side is dropped with the server.
                let stopped = async move { _ = stopped.changed().await };
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("it serves"),
                    () = stopped => {}
                }
            });
        });
        Self { inner, url, folder, stop }
    }

    /// The address without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The private key for its API, a PEM file for its owner alone.
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("AuthKey.p8")
    }

    /// The root of what it signs, a file as DER.
    pub fn root_file(&self) -> PathBuf {
        let file = self.folder.path().join("root.cer");
        fs::write(&file, self.inner.authority.root()).expect("a root file");
        file
    }

    /// Settings of a store that sells through it, each the name of an environment variable and its value.
    pub fn settings(&self) -> Vec<(String, String)> {
        let set = |name: &str, value: String| (format!("STICKER_STORE__PURCHASE__APPLE__{name}"), value);
        vec![
            set("ENABLED", "true".to_owned()),
            set("BUNDLE_ID", BUNDLE_ID.to_owned()),
            set("ENVIRONMENT", "Sandbox".to_owned()),
            set("ROOTS", self.root_file().display().to_string()),
            set("ISSUER_ID", ISSUER_ID.to_owned()),
            set("KEY_ID", KEY_ID.to_owned()),
            set("KEY_FILE", self.key_file().display().to_string()),
            set("SERVER_URL", self.url.clone()),
        ]
    }

    /// It knows this payload of a transaction from now on, instead of what it knew of it.
    pub fn knows(&self, transaction: Value) {
        let mut known = self.inner.known();
        known.transactions.retain(|other| other["transactionId"] != transaction["transactionId"]);
        known.transactions.push(transaction);
    }

    /// It has sent this payload of a notification, which did not come: its history has it.
    pub fn has_sent(&self, at_ms: i64, payload: Value) {
        self.inner.known().notifications.push(Sent { at_ms, payload, came: false });
    }

    /// It has sent this payload of a notification, and was told that it came: its whole history has it.
    pub fn has_delivered(&self, at_ms: i64, payload: Value) {
        self.inner.known().notifications.push(Sent { at_ms, payload, came: true });
    }

    /// How it is from now on.
    pub fn is(&self, mood: Mood) {
        self.inner.mood.send_replace(mood);
    }

    /// How it is for one request, after those that were named before.
    pub fn is_once(&self, mood: Mood) {
        self.inner.known().next_moods.push_back(mood);
    }

    /// Its clock stands still at these milliseconds since 1970.
    pub fn has_clock_at(&self, now_ms: i64) {
        self.inner.known().now_ms = Some(now_ms);
    }

    /// Everything that it was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.known().asked.clone()
    }
}

impl Drop for AppStore {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Who the API's key is of.
pub(crate) const ISSUER_ID: &str = "57246542-96fe-1a63-e053-0824d011072a";
/// The API's key.
pub(crate) const KEY_ID: &str = "2X9R4HXF34";
/// As many records of its history as come at once; Apple gives 20.
const PAGE: usize = 3;

impl Inner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signs(&self, mood: &Mood, payload: &Value) -> String {
        let signer = if *mood == Mood::Forging { &self.stranger } else { &*self.authority };
        signer.signs(payload)
    }

    /// Why a request's token is refused, as Apple documents tokens for its API.
    fn token_fault(&self, headers: &HeaderMap) -> Option<String> {
        let fault = |what: &str| Some(what.to_owned());
        let Some(token) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return fault("there is none");
        };
        let Some((signed, signature)) = token.strip_prefix("Bearer ").and_then(|it| it.rsplit_once('.'))
        else {
            return fault("it is no bearer token of three parts");
        };
        let Ok(signature) = URL_SAFE_NO_PAD.decode_to_vec(signature) else { return fault("no base64url") };
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.key);
        if key.verify(signed.as_bytes(), &signature).is_err() {
            return fault("the signature does not hold");
        }
        let parts: Vec<Value> = signed
            .split('.')
            .filter_map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).ok()?).ok())
            .collect();
        let [header, claims] = &parts[..] else { return fault("no JSON") };
        if *header != json!({ "alg": "ES256", "kid": KEY_ID, "typ": "JWT" }) {
            return fault("another header");
        }
        let now = self.known().now_ms.unwrap_or_else(system_ms) / 1000;
        let number = |name: &str| claims[name].as_i64().unwrap_or_default();
        let (issued, expires) = (number("iat"), number("exp"));
        if issued > now + 60 || expires <= now || expires > issued + 3600 {
            return fault("its time is wrong");
        }
        let says = [("iss", ISSUER_ID), ("aud", "appstoreconnect-v1"), ("bid", BUNDLE_ID)];
        says.iter().find(|(name, value)| claims[*name] != *value).map(|(name, _)| format!("another {name}"))
    }
}

fn system_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/inApps/v1/transactions/{id}", get(transaction))
        .route("/inApps/v1/notifications/history", post(history))
        .route("/inApps/v2/transactions/consumption/{id}", put(consumption))
        .layer(middleware::from_fn_with_state(Arc::clone(&inner), around))
        .with_state(inner)
}

/// Notes each request, and answers by mood where that is not the API's own.
async fn around(State(inner): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a whole body");
    let token_fault = inner.token_fault(&parts.headers);
    let mut mood = {
        let mut known = inner.known();
        let what = format!("{} {}", parts.method, parts.uri);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        known.asked.push(Asked { what, body, token_fault: token_fault.clone() });
        known.next_moods.pop_front().unwrap_or_else(|| inner.mood.borrow().clone())
    };
    if mood == Mood::Silent {
        let mut moods = inner.mood.subscribe();
        // The sender lives as long as the server.
        let changed = moods.wait_for(|mood| *mood != Mood::Silent).await;
        mood = changed.map_or(Mood::Failing, |mood| mood.clone());
    }
    match mood {
        Mood::Unauthorized => return unauthenticated(),
        Mood::TooMany(seconds) => {
            let mut answer = refused(StatusCode::TOO_MANY_REQUESTS, 4_290_000, "Rate limit exceeded.");
            let at = inner.known().now_ms.unwrap_or_else(system_ms) + i64::from(seconds) * 1_000;
            answer.headers_mut().insert(header::RETRY_AFTER, at.into());
            return answer;
        }
        Mood::Failing => {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, 5_000_000, "An unknown error occurred.");
        }
        Mood::Babbling => return "<html>It works!</html>".into_response(),
        _ if token_fault.is_some() => return unauthenticated(),
        Mood::Well | Mood::Silent | Mood::Forging | Mood::Twice => {}
    }
    let mut request = Request::from_parts(parts, body.into());
    request.extensions_mut().insert(mood);
    next.run(request).await
}

fn unauthenticated() -> Response {
    (StatusCode::UNAUTHORIZED, "Unauthenticated\n").into_response()
}

fn refused(status: StatusCode, code: u32, message: &str) -> Response {
    (status, Json(json!({ "errorCode": code, "errorMessage": message }))).into_response()
}

async fn transaction(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    axum::Extension(mood): axum::Extension<Mood>,
) -> Response {
    let found = inner.known().transactions.iter().find(|it| it["transactionId"] == *id).cloned();
    match found {
        Some(found) => Json(json!({ "signedTransactionInfo": inner.signs(&mood, &found) })).into_response(),
        None => refused(StatusCode::NOT_FOUND, 4_040_010, "Transaction id not found."),
    }
}

async fn history(
    State(inner): State<Arc<Inner>>,
    axum::Extension(mood): axum::Extension<Mood>,
    uri: axum::http::Uri,
    Json(asked): Json<Value>,
) -> Response {
    let now = inner.known().now_ms.unwrap_or_else(system_ms);
    let (Some(start), Some(end)) = (asked["startDate"].as_i64(), asked["endDate"].as_i64()) else {
        return refused(StatusCode::BAD_REQUEST, 4_000_015, "Invalid start date.");
    };
    if start >= end {
        return refused(StatusCode::BAD_REQUEST, 4_000_013, "Start date after end date.");
    }
    if start < now - 180 * 86_400_000 {
        return refused(StatusCode::BAD_REQUEST, 4_000_012, "Start date too far in past.");
    }
    let from = match uri.query().map(|query| query.strip_prefix("paginationToken=")) {
        None => 0,
        Some(token) => match token.and_then(|token| token.strip_prefix("page-")?.parse().ok()) {
            Some(from) => from,
            None => return refused(StatusCode::BAD_REQUEST, 4_000_014, "Invalid pagination token."),
        },
    };
    let sent: Vec<_> = {
        let known = inner.known();
        let within = known.notifications.iter().filter(|sent| {
            (start..=end).contains(&sent.at_ms) && !(sent.came && asked["onlyFailures"] == true)
        });
        within.map(|sent| sent.payload.clone()).collect()
    };
    let times = if mood == Mood::Twice { 2 } else { 1 };
    let page: Vec<_> = sent
        .iter()
        .skip(from)
        .take(PAGE)
        .flat_map(|payload| std::iter::repeat_n(payload, times))
        .map(|payload| json!({ "signedPayload": inner.signs(&mood, payload), "sendAttempts": [] }))
        .collect();
    let more = from + PAGE < sent.len();
    let mut answer = json!({ "notificationHistory": page, "hasMore": more });
    if more {
        answer["paginationToken"] = format!("page-{}", from + PAGE).into();
    }
    Json(answer).into_response()
}

async fn consumption(State(inner): State<Arc<Inner>>, Path(id): Path<String>, body: Bytes) -> Response {
    if !inner.known().transactions.iter().any(|it| it["transactionId"] == *id) {
        return refused(StatusCode::NOT_FOUND, 4_040_010, "Transaction id not found.");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if body["customerConsented"] != true {
        return refused(StatusCode::BAD_REQUEST, 4_000_035, "Invalid request. Customer consented.");
    }
    if !body["deliveryStatus"].is_string() || !body["sampleContentProvided"].is_boolean() {
        return refused(StatusCode::BAD_REQUEST, 4_000_036, "Invalid request. Delivery status.");
    }
    StatusCode::ACCEPTED.into_response()
}
