//! Google Play as a store sees it: a real HTTP server on loopback with a token endpoint, published keys, the few calls of the Android
//! Publisher API, and the pushes that come from the other side.

mod keys;
mod server;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use base64_simd::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::Method;

use crate::http::{Answer, Client};

pub use keys::{RsaKey, Signer};

/// The app whose purchases it knows.
pub const PACKAGE: &str = "com.example.messenger";
/// What its pushes are for.
pub const AUDIENCE: &str = "https://stickers.example/v1/notifications/google";
/// Who its pushes come from.
pub const PUSHER: &str = "push@messenger.iam.gserviceaccount.com";
/// Who may ask it.
pub const ACCOUNT: &str = "store@messenger.iam.gserviceaccount.com";

/// One of the things that it can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// An access token.
    Token,
    /// Its published keys.
    Keys,
    /// How a purchase stands.
    Lookup,
    /// To acknowledge a purchase.
    Acknowledge,
    /// To consume a purchase.
    Consume,
    /// What was voided.
    Voided,
}

/// How it can answer otherwise than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this status, and after how many seconds to ask again.
    Status(u16, Option<u32>),
    /// With this status and this reason, in Google's form.
    Refusal(u16, &'static str),
    /// With this body and the status 200.
    Says(String),
    /// As it should, as of now, but not before [`PlayStore::releases`].
    Held,
    /// It does what it is asked for, and the answer is lost.
    Lost,
}

/// Something that it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What.
    pub call: Call,
    /// The path.
    pub path: String,
    /// What comes after the question mark.
    pub query: String,
}

/// A stand-in for Google Play; ended when dropped.
#[derive(Debug)]
pub struct PlayStore {
    url: String,
    state: Arc<Mutex<State>>,
    held: Arc<tokio::sync::watch::Sender<bool>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    folder: TempDir,
}

/// What it knows.
#[derive(Debug)]
struct State {
    /// What it takes for the time, in seconds; the system's where it is not set.
    now: Option<i64>,
    purchases: BTreeMap<String, Value>,
    voided: Vec<Value>,
    page: usize,
    published: Vec<Signer>,
    max_age: u32,
    /// Access tokens that it takes.
    open: Vec<String>,
    tokens: u32,
    /// Faults of the next answers to a call.
    next: BTreeMap<Call, VecDeque<Fault>>,
    /// The fault of every answer to a call.
    always: BTreeMap<Call, Fault>,
    asked: Vec<Asked>,
}

impl State {
    fn now(&self) -> i64 {
        let system = || i64::try_from(UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
        self.now.unwrap_or_else(system)
    }
}

impl PlayStore {
    /// Opens one, with a service account that may ask it.
    pub fn open() -> Self {
        let state = Arc::new(Mutex::new(State {
            now: None,
            purchases: BTreeMap::new(),
            voided: Vec::new(),
            page: 1_000,
            published: vec![Signer::google()],
            max_age: 21_600,
            open: Vec::new(),
            tokens: 0,
            next: BTreeMap::new(),
            always: BTreeMap::new(),
            asked: Vec::new(),
        }));
        let held = Arc::new(tokio::sync::watch::Sender::new(false));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let url = server::start(Arc::clone(&state), Arc::clone(&held), stopped);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let play = Self { url, state, held, stop: Some(stop), folder };
        play.writes_account(&play.account());
        play
    }

    /// The settings of a store that asks it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("ENABLED", "true".to_owned()),
            ("PACKAGE", PACKAGE.to_owned()),
            ("SERVICE_ACCOUNT_FILE", self.account_file().display().to_string()),
            ("PUSH_AUDIENCE", AUDIENCE.to_owned()),
            ("PUSH_EMAIL", PUSHER.to_owned()),
            ("API_URL", self.url.clone()),
            ("JWKS_URL", format!("{}/certs", self.url)),
        ];
        settings.map(|(name, value)| (format!("STICKER_STORE__PURCHASE__GOOGLE__{name}"), value)).to_vec()
    }

    /// The service account's file.
    pub fn account_file(&self) -> PathBuf {
        self.folder.path().join("service-account.json")
    }

    /// What is in the service account's file, as Google gives it.
    pub fn account(&self) -> Value {
        json!({
            "type": "service_account",
            "project_id": "messenger",
            "private_key_id": "key-of-the-account",
            "private_key": RsaKey::of_account().pem(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": format!("{}/token", self.url),
        })
    }

    /// Puts another service account in its place, for its owner alone.
    pub fn writes_account(&self, account: &Value) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.account_file();
        std::fs::write(&path, account.to_string()).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a file of our own");
    }

    /// Sets what it takes for the time, in seconds since 1970.
    pub fn sets_time(&self, now: i64) {
        self.state().now = Some(now);
    }

    /// Sells a product for an order: the purchase is in this state, and is found by this token.
    pub fn sells(&self, token: &str, product: &str, order: &str, state: &str) {
        let purchase = json!({
            "kind": "androidpublisher#productPurchaseV2",
            "productLineItem": [{
                "productId": product,
                "productOfferDetails": {
                    "quantity": 1, "refundableQuantity": 1,
                    "consumptionState": "CONSUMPTION_STATE_YET_TO_BE_CONSUMED",
                },
            }],
            "purchaseStateContext": { "purchaseState": state },
            "orderId": format!("GPA.{token}"),
            "obfuscatedExternalAccountId": order,
            "regionCode": "KR",
            "purchaseCompletionTime": "2026-11-21T10:00:00Z",
            "acknowledgementState": "ACKNOWLEDGEMENT_STATE_PENDING",
        });
        self.state().purchases.insert(token.to_owned(), purchase);
    }

    /// Changes a purchase.
    pub fn changes(&self, token: &str, change: impl FnOnce(&mut Value)) {
        change(self.state().purchases.get_mut(token).expect("a purchase that was sold"));
    }

    /// The purchase as it stands.
    pub fn purchase(&self, token: &str) -> Value {
        self.state().purchases[token].clone()
    }

    /// Knows a purchase no longer.
    pub fn forgets(&self, token: &str) {
        self.state().purchases.remove(token);
    }

    /// The purchase is paid.
    pub fn takes_payment(&self, token: &str) {
        self.changes(token, |purchase| {
            purchase["purchaseStateContext"]["purchaseState"] = "PURCHASED".into();
        });
    }

    /// Cancels or refunds a purchase; the list of voided purchases has it as well.
    pub fn voids(&self, token: &str) {
        self.changes(token, |purchase| {
            purchase["purchaseStateContext"]["purchaseState"] = "CANCELLED".into();
        });
        self.lists_as_voided(token, None);
    }

    /// Lists a purchase as voided, whole or so many of it.
    pub fn lists_as_voided(&self, token: &str, quantity: Option<i64>) {
        let mut state = self.state();
        let at = state.now() * 1_000;
        let mut voided = json!({
            "kind": "androidpublisher#voidedPurchase", "purchaseToken": token, "orderId": format!("GPA.{token}"),
            "purchaseTimeMillis": at.to_string(), "voidedTimeMillis": at.to_string(), "voidedSource": 0, "voidedReason": 1,
        });
        if let Some(quantity) = quantity {
            voided["voidedQuantity"] = quantity.into();
        }
        state.voided.push(voided);
    }

    /// Lists so many voided purchases a page.
    pub fn lists_by(&self, page: usize) {
        self.state().page = page;
    }

    /// Answers the next of these calls otherwise.
    pub fn fails_next(&self, call: Call, fault: Fault) {
        self.state().next.entry(call).or_default().push_back(fault);
    }

    /// Answers every one of these calls otherwise, until it [works again](Self::works_again).
    pub fn fails(&self, call: Call, fault: Fault) {
        self.state().always.insert(call, fault);
    }

    /// Answers everything as it should.
    pub fn works_again(&self) {
        let mut state = self.state();
        state.always.clear();
        state.next.clear();
    }

    /// Gives the answers that are [held](Fault::Held), and holds no other.
    pub fn releases(&self) {
        self.held.send_replace(true);
    }

    /// Takes none of the access tokens that it gave.
    pub fn revokes_access(&self) {
        self.state().open.clear();
    }

    /// Publishes these keys, to be kept for so many seconds.
    pub fn publishes(&self, keys: Vec<Signer>, max_age: u32) {
        let mut state = self.state();
        state.published = keys;
        state.max_age = max_age;
    }

    /// What it was asked for, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How often it was asked for this.
    pub fn count(&self, call: Call) -> usize {
        self.state().asked.iter().filter(|asked| asked.call == call).count()
    }

    /// The claims of the token of a push, as of now.
    pub fn claims(&self) -> Value {
        let now = self.state().now();
        json!({
            "iss": "https://accounts.google.com", "aud": AUDIENCE, "azp": "1", "sub": "1",
            "email": PUSHER, "email_verified": true, "iat": now, "exp": now + 3_600,
        })
    }

    /// The header `Authorization` of a push.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", Signer::google().signs(&self.claims()))
    }

    /// The body of a push of a notification about one purchase.
    pub fn purchased(message: &str, token: &str) -> Value {
        let notification =
            json!({ "version": "1.0", "notificationType": 1, "purchaseToken": token, "sku": "sku" });
        Self::message(message, &json!({ "oneTimeProductNotification": notification }))
    }

    /// The body of a push of a notification that a purchase was voided.
    pub fn voided(message: &str, token: &str) -> Value {
        let notification =
            json!({ "purchaseToken": token, "orderId": "GPA.1", "productType": 2, "refundType": 1 });
        Self::message(message, &json!({ "voidedPurchaseNotification": notification }))
    }

    /// The body of a push of a notification of this app.
    pub fn message(id: &str, notification: &Value) -> Value {
        let mut whole =
            json!({ "version": "1.0", "packageName": PACKAGE, "eventTimeMillis": "1503349566168" });
        let (fields, more) = (whole.as_object_mut(), notification.as_object());
        fields.expect("an object").extend(more.expect("an object").clone());
        Self::push(id, whole.to_string().as_bytes())
    }

    /// The body of a push of whatever data.
    pub fn push(id: &str, data: &[u8]) -> Value {
        json!({
            "message": {
                "attributes": {}, "data": STANDARD.encode_to_string(data), "messageId": id, "message_id": id,
                "publishTime": "2026-11-21T10:00:00.000Z",
            },
            "subscription": "projects/messenger/subscriptions/stickers",
        })
    }

    /// Pushes to the store at this address, as Pub/Sub does.
    pub fn pushes(&self, store: &str, body: &Value) -> Answer {
        self.pushes_as(store, Some(&self.authorization()), body.to_string().into_bytes())
    }

    /// Pushes whatever, as whoever.
    pub fn pushes_as(&self, store: &str, authorization: Option<&str>, body: Vec<u8>) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        Client::new(store).send(Method::POST, "/v1/notifications/google", &headers, body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PlayStore {
    fn drop(&mut self) {
        // Whoever waits for an answer is let go; the server may have ended already.
        self.held.send_replace(true);
        let _ = self.stop.take().map(|stop| stop.send(()));
    }
}
