//! A store with one pack that sells for Google, a stand-in for Google Play, a time that tests set, and who buys.

use std::future::poll_fn;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

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
use sticker_store::purchase::google::sweep::{self, Swept};
use sticker_store::random::Random;
use sticker_store::web::error::Error;
use sticker_tests::google::PlayStore;
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

use crate::published::{built, published, send};

/// What tests set the clock to at first, in seconds.
pub(crate) const START: i64 = 1_800_000_000;

/// What the pack of the shop is sold as.
pub(crate) const PRODUCT: &str = "sticker_tier1";

pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) play: PlayStore,
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

/// Runs a test that has nothing to do with the database, in a shop with these settings of `purchase.google`.
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
        let (play, data) = (PlayStore::open(), tempfile::tempdir().unwrap());
        play.sets_time(START);
        let mut settings = play.settings();
        settings.push(("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string()));
        // A busy machine is not a slow Google.
        let usual = [("TIMEOUT_SECONDS", "30")];
        for (name, value) in usual.iter().chain(changes) {
            settings.push((format!("STICKER_STORE__PURCHASE__GOOGLE__{name}"), (*value).to_owned()));
        }
        if let Database::Server { url, .. } = database {
            settings.push(("STICKER_STORE__DATABASE__URL".to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let app = open(&settings, &now).await.unwrap();
        let pack = published(&app, release()).await.pack;
        let chat = client::add(&app, "chat", &[Scope::Launch]).await.unwrap().secret;
        Self { app, play, pack, chat, now, settings, _data: data }
    }

    /// Starts the store again, as after a change of the service account's file.
    pub(crate) async fn starts_again(&self) -> Result<App, StartError> {
        open(&self.settings, &self.now).await
    }

    /// Time goes by, here and at Google.
    pub(crate) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
        self.play.sets_time(self.now.load(Ordering::Relaxed) / 1_000);
    }

    /// Lets a user in.
    pub(crate) async fn admits(&self, user: &str) -> Buyer {
        let wanted = json!({ "user": user, "platform": "android" });
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
        let body = json!({ "pack_id": self.pack, "provider": "google" });
        let answer = self.posts(buyer, "/v1/orders", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.json()["product_id"], self.product());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    fn product(&self) -> String {
        self.app.config.purchase.google.product_id("tier1", "google", self.pack)
    }

    /// Orders the pack, and pays for it with Google: the purchase has this token.
    pub(crate) async fn pays(&self, buyer: &Buyer, token: &str) -> String {
        let order = self.orders(buyer).await;
        self.play.sells(token, &self.product(), &order, "PURCHASED");
        order
    }

    /// The same, and hands the token in.
    pub(crate) async fn buys(&self, buyer: &Buyer, token: &str) -> String {
        let order = self.pays(buyer, token).await;
        let answer = self.submits(buyer, &order, token).await;
        assert_eq!((answer.status, answer.json()["state"].as_str()), (StatusCode::OK, Some("granted")));
        order
    }

    /// Hands a token in for an order.
    pub(crate) async fn submits(&self, buyer: &Buyer, order: &str, token: &str) -> Answer {
        self.posts(buyer, &format!("/v1/orders/{order}/receipts"), &json!({ "purchase_token": token })).await
    }

    pub(crate) async fn posts(&self, buyer: &Buyer, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path, &body.to_string()).header(header::COOKIE, &buyer.cookie);
        self.asks(request, body.to_string()).await
    }

    /// Pushes as Pub/Sub does.
    pub(crate) async fn pushes(&self, body: &Value) -> Answer {
        self.pushes_as(Some(&self.play.authorization()), body.to_string()).await
    }

    /// Pushes whatever, as whoever.
    pub(crate) async fn pushes_as(&self, authorization: Option<&str>, body: String) -> Answer {
        let mut request = request(Method::POST, "/v1/notifications/google", &body);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.asks(request, body).await
    }

    async fn asks(&self, request: axum::http::request::Builder, body: String) -> Answer {
        Answer::of(send(&self.app, request.body(Body::from(body)).unwrap()).await).await
    }

    /// Sweeps as the store does in the background.
    pub(crate) async fn sweeps(&self) -> Result<Swept, Error> {
        sweep::run(&self.app).await
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

    async fn one(&self, question: &str) -> String {
        let row = self.row(question).await;
        row.map_or_else(|| "nothing".to_owned(), |row| row.try_get_by_index(0).unwrap())
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

    /// The status, and what became of a push.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["outcome"].as_str().unwrap_or_default().to_owned())
    }

    /// After how many seconds to ask again.
    pub(crate) fn retry_after(&self) -> &str {
        self.headers.get(header::RETRY_AFTER).map_or("", |value| value.to_str().unwrap())
    }
}

/// Does all of these at the same moment.
pub(crate) async fn all<T>(them: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut them: Vec<_> = them.map(|one| (Box::pin(one), None)).collect();
    poll_fn(|context| {
        for (one, done) in them.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = one.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if them.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    them.into_iter().filter_map(|(_, done)| done).collect()
}

/// What a refusal is compared with.
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
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
    BUILT.get_or_init(|| built("google")).path()
}
