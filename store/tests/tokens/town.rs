//! Stores on one database, a time that tests set, and who uses them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use sticker_protocol::token::{DenyList, Expected, Refusal, RevocationPage, UserId, Version};
use sticker_protocol::{Expiry, PackId, StickerId};
use sticker_store::account::client::{self, Scope};
use sticker_store::app::{App, Parts};
use sticker_store::audit::Actor;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::{Wish, make};
use sticker_store::purchase::refund::refund;
use sticker_store::purchase::settle::{self, Submitter};
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::{Provider, World};
use sticker_store::random::Random;
use sticker_store::token::issue::{Issued, Wanted, issue};
use sticker_store::token::live;
use sticker_store::web::error::Error;
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

pub(crate) use crate::published::send;
use crate::published::{built, published};

/// Long enough for every machine; what takes longer has come to a halt.
pub(crate) const HALT: Duration = Duration::from_mins(1);
/// What tests set the clock to at first, in seconds.
pub(crate) const START: i64 = 1_800_000_000;
/// So that a window is 100 s.
pub(crate) const LIFETIME: u32 = 400;

const DATABASE_URL: &str = "STICKER_STORE__DATABASE__URL";

/// Two stores on one database, and a pack of two stickers.
pub(crate) struct Town {
    pub(crate) one: App,
    pub(crate) other: App,
    pub(crate) pack: PackId,
    pub(crate) stickers: Vec<StickerId>,
    pub(crate) slug: String,
    pub(crate) secret: String,
    now: Arc<AtomicI64>,
    settings: Vec<(String, String)>,
    _data: TempDir,
}

/// Runs a test on each database.
pub(crate) fn in_town(test: impl AsyncFn(&Town) + Sync) {
    on_each_database(|database| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let town = Town::new(&database).await;
            test(&town).await;
            // A server drops no database that somebody is connected to.
            sticker_tests::closes(&town.one.db).await;
            sticker_tests::closes(&town.other.db).await;
        });
    });
}

impl Town {
    async fn new(database: &Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = vec![
            ("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string()),
            ("STICKER_STORE__PURCHASE__SANDBOX".to_owned(), "true".to_owned()),
            // Who waits for the end of a store here is a request.
            ("STICKER_STORE__WORKER__IN_SERVE".to_owned(), "false".to_owned()),
            ("STICKER_STORE__TOKEN__LIFETIME_SECONDS".to_owned(), LIFETIME.to_string()),
        ];
        if let Database::Server { url, .. } = database {
            settings.push((DATABASE_URL.to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let one = open(&settings, &now).await;
        let other = open(&settings, &now).await;
        let manifest = published(&one, release()).await;
        let secret = client::add(&one, "chat", &[Scope::Verify]).await.unwrap().secret;
        let stickers = manifest.stickers.iter().map(|sticker| sticker.id).collect();
        let (pack, slug) = (manifest.pack, manifest.slug.to_string());
        Self { one, other, pack, stickers, slug, secret, now, settings, _data: data }
    }

    /// Another store on the same database, as after a restart.
    pub(crate) async fn opens_another(&self) -> App {
        open(&self.settings, &self.now).await
    }

    /// A third store that finds the database at this address.
    pub(crate) async fn opens_at(&self, url: &str) -> App {
        let mut settings = self.settings.clone();
        settings.retain(|(name, _)| name != DATABASE_URL);
        settings.push((DATABASE_URL.to_owned(), url.to_owned()));
        open(&settings, &self.now).await
    }

    /// A third store whose clock is ahead by these seconds.
    pub(crate) async fn opens_ahead(&self, seconds: i64) -> App {
        open(&self.settings, &Arc::new(AtomicI64::new((self.now() + seconds) * 1_000))).await
    }

    /// Where the database is, unless it is a file.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == DATABASE_URL).map(|(_, url)| url.as_str())
    }

    pub(crate) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed) / 1_000
    }

    /// A user buys the pack; gives the order's id.
    pub(crate) async fn buys(&self, app: &App, user: &UserId) -> String {
        let order = self.orders(app, user).await;
        assert_eq!(self.pays(app, user, &order).await.state, State::Granted);
        order.id
    }

    /// A user orders the pack.
    pub(crate) async fn orders(&self, app: &App, user: &UserId) -> order::Model {
        make(app, user, Wish::new(self.pack, Provider::Sandbox)).await.unwrap()
    }

    /// The user's app hands in the payment for the order.
    pub(crate) async fn pays(&self, app: &App, user: &UserId, order: &order::Model) -> order::Model {
        let word = settle::own_word(order, World::Sandbox, &order.id);
        let submitter = Submitter { user, order_id: &order.id };
        let heard = settle::hear(app, &settle::submission(&word), &word, Some(submitter)).await.unwrap();
        heard.order.unwrap()
    }

    pub(crate) async fn refunds(&self, app: &App, order: &str) {
        let refunded = refund(app, Actor("operator"), order, "asked for").await.unwrap();
        assert_eq!(refunded.state, State::Revoked);
    }

    pub(crate) async fn tokens(&self, app: &App, user: &UserId) -> Result<Vec<Issued>, Error> {
        issue(app, user, &Wanted::Pack(self.pack), Version::V1).await
    }

    /// What a chat server answers that has the keys and this deny list.
    pub(crate) fn verdict(
        &self,
        denied: &DenyList,
        user: &UserId,
        issued: &Issued,
    ) -> Result<Expiry, Refusal> {
        let expected = Expected { sticker: issued.sticker, user: *user };
        self.one.tokens.ring().keyring.verify(issued.token.as_str(), self.one.clock.now(), &expected, denied)
    }

    /// What a store itself answers.
    pub(crate) fn own_verdict(&self, app: &App, user: &UserId, issued: &Issued) -> Result<Expiry, Refusal> {
        self.verdict(&app.tokens.denied(), user, issued)
    }

    /// Asks the feed as a chat server does.
    pub(crate) async fn asks(&self, app: &App, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/v1/revocations{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(send(app, request.body(Body::empty()).unwrap()).await).await
    }

    /// A page of the feed.
    pub(crate) async fn page(&self, app: &App, query: &str) -> RevocationPage {
        let answer = self.asks(app, query, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        RevocationPage::parse(answer.text.as_bytes()).unwrap()
    }
}

/// A chat server's copy of the deny feed.
#[derive(Default)]
pub(crate) struct Follower {
    pub(crate) denied: DenyList,
    pub(crate) cursor: u64,
    pub(crate) seen: Vec<u64>,
}

impl Follower {
    /// Reads the feed up to its end.
    pub(crate) async fn catches_up(&mut self, town: &Town, app: &App, limit: u32) {
        loop {
            let page = town.page(app, &format!("?after={}&limit={limit}", self.cursor)).await;
            page.revocations.iter().for_each(|entry| self.denied.apply(entry));
            self.seen.extend(page.revocations.iter().map(|entry| entry.cursor));
            self.cursor = page.cursor;
            if !page.more {
                return;
            }
        }
    }
}

/// An answer with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Self { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub(crate) fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::from_text(name).unwrap()
}

/// Refreshes a store in the background, as `serve` does, while the test runs.
pub(crate) fn keeps_fresh(app: &App) -> tokio::task::JoinHandle<()> {
    tokio::spawn(live::keep_fresh(App::clone(app)))
}

async fn open(settings: &[(String, String)], now: &Arc<AtomicI64>) -> App {
    let config = Config::load(None, settings.iter().cloned()).unwrap();
    Parts::open(config, Clock::Manual(Arc::clone(now)), Random::system()).await.unwrap()
}

/// A release that the packer built, once for all tests.
fn release() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    BUILT.get_or_init(|| built("tokens")).path()
}
