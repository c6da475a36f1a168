//! A store with one pack that sells for Apple, a stand-in for Apple's server, a time that tests set, and who buys.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use sticker_protocol::PackId;
use sticker_store::account::client::{self, Scope};
use sticker_store::app::{App, Parts, StartError};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_tests::apple::{AppStore, AppleAuthority, SIGNED_MS};
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

use crate::published::{built, published, send};

/// What the pack of the shop is sold as.
pub(crate) const PRODUCT: &str = "sticker_tier1";

pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) authority: Arc<AppleAuthority>,
    pub(crate) apple: AppStore,
    pub(crate) pack: PackId,
    chat: String,
    now: Arc<AtomicI64>,
    settings: Vec<(String, String)>,
    _data: TempDir,
}

/// Somebody with a session.
pub(crate) struct Buyer {
    cookie: String,
}

/// Runs a test on each database.
pub(crate) fn in_shop(test: impl AsyncFn(&Shop) + Sync) {
    on_each_database(|database| run(&database, &[], &test));
}

/// Runs a test that has nothing to do with the database, in a shop with these settings of `purchase.apple`.
pub(crate) fn in_shop_with(settings: &[(&str, &str)], test: impl AsyncFn(&Shop) + Copy) {
    run(&Database::Sqlite, settings, &test);
}

fn run(database: &Database, settings: &[(&str, &str)], test: &impl AsyncFn(&Shop)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shop = Shop::new(database, settings).await;
        test(&shop).await;
        // A server drops no database that somebody is connected to.
        shop.app.db.clone().close().await.unwrap();
    });
}

impl Shop {
    async fn new(database: &Database, changes: &[(&str, &str)]) -> Self {
        let authority = Arc::new(AppleAuthority::new());
        let (apple, data) = (AppStore::start(&authority), tempfile::tempdir().unwrap());
        apple.has_clock_at(SIGNED_MS);
        let mut settings = apple.settings();
        settings.push(("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string()));
        // A busy machine is not a slow Apple.
        let usual = [("TIMEOUT_SECONDS", "30"), ("CONSUMPTION_CONSENT", "true")];
        for (name, value) in usual.iter().chain(changes) {
            settings.push((format!("STICKER_STORE__PURCHASE__APPLE__{name}"), (*value).to_owned()));
        }
        if let Database::Server { url, .. } = database {
            settings.push(("STICKER_STORE__DATABASE__URL".to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(SIGNED_MS));
        let app = open(&settings, &now).await.unwrap();
        let pack = published(&app, release()).await.pack;
        let chat = client::add(&app, "chat", &[Scope::Launch]).await.unwrap().secret;
        Self { app, authority, apple, pack, chat, now, settings, _data: data }
    }

    /// Starts the store again, as after a change of its files.
    pub(crate) async fn starts_again(&self) -> Result<App, StartError> {
        open(&self.settings, &self.now).await
    }

    /// Time goes by, here and at Apple.
    pub(crate) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
        self.apple.has_clock_at(self.now_ms());
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Lets a user in.
    pub(crate) async fn admits(&self, user: &str) -> Buyer {
        let wanted = json!({ "user": user, "platform": "ios" });
        let request = request(Method::POST, "/v1/launch-codes", &wanted.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.chat));
        let code = self.asks(request, wanted.to_string()).await;
        let code = code.json()["code"].as_str().unwrap().to_owned();
        let form = Request::post("/launch").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let launched = self.asks(form, format!("code={code}")).await;
        assert_eq!(launched.status, StatusCode::SEE_OTHER, "{}", launched.text);
        let cookie = launched.headers[header::SET_COOKIE].to_str().unwrap();
        Buyer { cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    /// Orders the pack, and gives the order's id.
    pub(crate) async fn orders(&self, buyer: &Buyer) -> String {
        let body = json!({ "pack_id": self.pack, "provider": "apple" });
        let answer = self.posts(buyer, "/v1/orders", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.json()["product_id"], PRODUCT);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Pays for an order: Apple's payload of the transaction, signed now.
    pub(crate) fn pays(&self, transaction: &str, order: &str) -> Value {
        let mut paid = AppleAuthority::transaction(transaction, order, PRODUCT);
        paid["signedDate"] = self.now_ms().into();
        self.apple.knows(paid.clone());
        paid
    }

    /// The same transaction as Apple signs it now, after a change.
    pub(crate) fn resigned(&self, transaction: &Value, changes: &Value) -> Value {
        let mut newer = transaction.clone();
        newer["signedDate"] = self.now_ms().into();
        for (name, value) in changes.as_object().unwrap() {
            newer[name] = value.clone();
        }
        self.apple.knows(newer.clone());
        newer
    }

    /// The same transaction, refunded now.
    pub(crate) fn refunded(&self, transaction: &Value) -> Value {
        let changes = json!({
            "revocationDate": self.now_ms(), "revocationReason": 0, "revocationType": "REFUND_FULL",
            "revocationPercentage": 100_000,
        });
        self.resigned(transaction, &changes)
    }

    /// Orders, pays, and hands the transaction in.
    pub(crate) async fn buys(&self, buyer: &Buyer, transaction: &str) -> (String, Value) {
        let order = self.orders(buyer).await;
        let paid = self.pays(transaction, &order);
        let answer = self.submits(buyer, &order, &paid).await;
        assert_eq!((answer.status, answer.json()["state"].as_str()), (StatusCode::OK, Some("granted")));
        (order, paid)
    }

    /// Hands a transaction in for an order, signed by Apple.
    pub(crate) async fn submits(&self, buyer: &Buyer, order: &str, transaction: &Value) -> Answer {
        self.submits_text(buyer, order, &self.authority.signs(transaction)).await
    }

    /// Hands in whatever.
    pub(crate) async fn submits_text(&self, buyer: &Buyer, order: &str, text: &str) -> Answer {
        self.posts(buyer, &format!("/v1/orders/{order}/receipts"), &json!({ "signed_transaction": text }))
            .await
    }

    pub(crate) async fn posts(&self, buyer: &Buyer, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path, &body.to_string()).header(header::COOKIE, &buyer.cookie);
        self.asks(request, body.to_string()).await
    }

    /// Apple notifies about a transaction.
    pub(crate) async fn hears(&self, kind: &str, id: &str, transaction: &Value) -> Answer {
        self.hears_body(self.authority.notifies(kind, id, transaction).to_string()).await
    }

    /// Somebody sends a body to where Apple does.
    pub(crate) async fn hears_body(&self, body: String) -> Answer {
        self.asks(request(Method::POST, "/v1/notifications/apple", &body), body).await
    }

    /// Apple has notified, and nobody was there.
    pub(crate) fn misses(&self, kind: &str, id: &str, transaction: &Value) {
        self.apple.has_sent(self.now_ms(), self.authority.notification(kind, id, transaction));
    }

    async fn asks(&self, request: axum::http::request::Builder, body: String) -> Answer {
        Answer::of(send(&self.app, request.body(Body::from(body)).unwrap()).await).await
    }

    /// How far an order has come.
    pub(crate) async fn state(&self, order: &str) -> String {
        self.one(&format!("SELECT state FROM orders WHERE id = '{order}'")).await
    }

    /// How many grants are active.
    pub(crate) async fn grants(&self) -> i64 {
        self.counts("grants WHERE active = 1").await
    }

    /// How many rows of the trace speak of this.
    pub(crate) async fn traces(&self, word: &str) -> i64 {
        self.counts(&format!("audit WHERE action = '{word}' OR detail LIKE '%\"{word}\"%'")).await
    }

    /// What became of an event, by its name.
    pub(crate) async fn outcome(&self, event: &str) -> String {
        self.one(&format!("SELECT outcome FROM inbox WHERE event_id = '{event}'")).await
    }

    /// How many rows there are in a table, which may have a condition after its name.
    pub(crate) async fn counts(&self, table: &str) -> i64 {
        let row = self.row(&format!("SELECT COUNT(*) FROM {table}")).await;
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// The one text that is asked for.
    pub(crate) async fn one(&self, question: &str) -> String {
        let row = self.row(question).await;
        row.map_or_else(|| "nothing".to_owned(), |row| row.try_get_by_index(0).unwrap())
    }

    /// Changes rows behind the store's back.
    pub(crate) async fn does(&self, statement: &str) {
        self.app.db.execute_unprepared(statement).await.unwrap();
    }

    async fn row(&self, question: &str) -> Option<sea_orm::QueryResult> {
        let statement = Statement::from_string(self.app.db.get_database_backend(), question);
        self.app.db.query_one_raw(statement).await.unwrap()
    }
}

/// An answer with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Self { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// The status, and the code of the error.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }

    /// The status, and what became of a notification.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["outcome"].as_str().unwrap_or_default().to_owned())
    }
}

/// What a refusal or an outcome is compared with.
pub(crate) fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn request(method: Method, path: &str, body: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
}

async fn open(settings: &[(String, String)], now: &Arc<AtomicI64>) -> Result<App, StartError> {
    let config = Config::load(None, settings.iter().cloned()).unwrap();
    Parts::open(config, Clock::Manual(Arc::clone(now)), Random::system()).await
}

/// A release that the packer built, once for all tests.
fn release() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    BUILT.get_or_init(|| built("apple")).path()
}
