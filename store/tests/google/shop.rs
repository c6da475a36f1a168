//! A store with one pack that sells for Google, and a stand-in for Google Play that has the same time.

use std::future::poll_fn;
use std::ops::Deref;
use std::path::Path;
use std::sync::OnceLock;
use std::task::Poll;

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use sticker_store::purchase::google::sweep::{self, Swept};
use sticker_store::web::error::Error;
use sticker_tests::google::PlayStore;
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

use crate::counter::{Answer, Buyer, Counter, Opening, request};
use crate::published::built;

/// What tests set the clock to at first, in seconds.
pub(crate) const START: i64 = 1_800_000_000;

/// What the pack of the shop is sold as.
pub(crate) const PRODUCT: &str = "sticker_tier1";

pub(crate) struct Shop {
    counter: Counter,
    pub(crate) play: PlayStore,
}

impl Deref for Shop {
    type Target = Counter;

    fn deref(&self) -> &Counter {
        &self.counter
    }
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
        shop.closes().await;
    });
}

impl Shop {
    async fn new(database: &Database, changes: &[(&str, &str)]) -> Self {
        let play = PlayStore::open();
        play.sets_time(START);
        let mut settings = play.settings();
        // A busy machine is not a slow Google.
        let usual = [("TIMEOUT_SECONDS", "30")];
        for (name, value) in usual.iter().chain(changes) {
            settings.push((format!("STICKER_STORE__PURCHASE__GOOGLE__{name}"), (*value).to_owned()));
        }
        let opening = Opening { settings, now: START * 1_000, platform: "android", release: release() };
        Self { counter: Counter::open(database, opening).await, play }
    }

    /// Time goes by, here and at Google.
    pub(crate) fn passes(&self, seconds: i64) {
        self.waits(seconds);
        self.play.sets_time(self.now_ms() / 1_000);
    }

    /// Orders the pack, and gives the order's id.
    pub(crate) async fn orders(&self, buyer: &Buyer) -> String {
        self.orders_from(buyer, "google", &self.product()).await
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

    /// Sweeps as the store does in the background.
    pub(crate) async fn sweeps(&self) -> Result<Swept, Error> {
        sweep::run(&self.app).await
    }
}

/// After how many seconds an answer says to ask again.
pub(crate) fn retry_after(answer: &Answer) -> &str {
    answer.headers.get(header::RETRY_AFTER).map_or("", |value| value.to_str().unwrap())
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

/// A release that the packer built, once for all tests.
fn release() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    BUILT.get_or_init(|| built("google")).path()
}
