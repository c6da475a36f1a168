//! A store in this process with one pack for sale, a time that tests set, and who buys there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
use sticker_tests::Database;
use tempfile::TempDir;

use crate::published::{published, send};

pub(crate) struct Counter {
    pub(crate) app: App,
    pub(crate) pack: PackId,
    chat: String,
    platform: &'static str,
    now: Arc<AtomicI64>,
    settings: Vec<(String, String)>,
    _data: TempDir,
}

/// What a [`Counter`] opens with.
pub(crate) struct Opening<'a> {
    /// Settings by their variables, beside those of the folder and the database.
    pub(crate) settings: Vec<(String, String)>,
    /// What the clock says, in milliseconds.
    pub(crate) now: i64,
    /// What its buyers have in their hands.
    pub(crate) platform: &'static str,
    /// What is for sale, as [`built`](crate::published::built).
    pub(crate) release: &'a Path,
}

/// Somebody with a session.
pub(crate) struct Buyer {
    cookie: String,
}

impl Counter {
    pub(crate) async fn open(database: &Database, opening: Opening<'_>) -> Self {
        let Opening { mut settings, now, platform, release } = opening;
        let data = tempfile::tempdir().unwrap();
        settings.push(("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string()));
        if let Database::Server { url, .. } = database {
            settings.push(("STICKER_STORE__DATABASE__URL".to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(now));
        let app = starts(&settings, &now).await.unwrap();
        let pack = published(&app, release).await.pack;
        let chat = client::add(&app, "chat", &[Scope::Launch]).await.unwrap().secret;
        Self { app, pack, chat, platform, now, settings, _data: data }
    }

    /// A server drops no database that somebody is connected to.
    pub(crate) async fn closes(&self) {
        sticker_tests::closes(&self.app.db).await;
    }

    /// Starts the store again, as after a change of its files.
    pub(crate) async fn starts_again(&self) -> Result<App, StartError> {
        starts(&self.settings, &self.now).await
    }

    /// Time goes by in the store.
    pub(crate) fn waits(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Lets a user in.
    pub(crate) async fn admits(&self, user: &str) -> Buyer {
        let wanted = json!({ "user": user, "platform": self.platform });
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

    /// Orders the pack from an app store that calls it so, and gives the order's id.
    pub(crate) async fn orders_from(&self, buyer: &Buyer, provider: &str, product: &str) -> String {
        let body = json!({ "pack_id": self.pack, "provider": provider });
        let answer = self.posts(buyer, "/v1/orders", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.json()["product_id"], product);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn posts(&self, buyer: &Buyer, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path, &body.to_string()).header(header::COOKIE, &buyer.cookie);
        self.asks(request, body.to_string()).await
    }

    pub(crate) async fn asks(&self, request: axum::http::request::Builder, body: String) -> Answer {
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

/// A request with a body of JSON.
pub(crate) fn request(method: Method, path: &str, body: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
}

async fn starts(settings: &[(String, String)], now: &Arc<AtomicI64>) -> Result<App, StartError> {
    let config = Config::load(None, settings.iter().cloned()).unwrap();
    Parts::open(config, Clock::Manual(Arc::clone(now)), Random::system()).await
}
