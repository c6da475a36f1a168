//! A store with one pack that sells for Apple, and a stand-in for Apple's server that has the same time.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::http::{Method, StatusCode};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use sticker_tests::apple::{AppStore, AppleAuthority, SIGNED_MS};
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

use crate::counter::{Answer, Buyer, Counter, Opening, request};
use crate::published::built;

/// What the pack of the shop is sold as.
pub(crate) const PRODUCT: &str = "sticker_tier1";

pub(crate) struct Shop {
    counter: Counter,
    pub(crate) authority: Arc<AppleAuthority>,
    pub(crate) apple: AppStore,
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

/// Runs a test that has nothing to do with the database, in a shop with these settings of `purchase.apple`.
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
        let authority = Arc::new(AppleAuthority::new());
        let apple = AppStore::start(&authority);
        apple.has_clock_at(SIGNED_MS);
        let mut settings = apple.settings();
        // A busy machine is not a slow Apple.
        let usual = [("TIMEOUT_SECONDS", "30"), ("CONSUMPTION_CONSENT", "true")];
        for (name, value) in usual.iter().chain(changes) {
            settings.push((format!("STICKER_STORE__PURCHASE__APPLE__{name}"), (*value).to_owned()));
        }
        let opening = Opening { settings, now: SIGNED_MS, platform: "ios", release: release() };
        Self { counter: Counter::open(database, opening).await, authority, apple }
    }

    /// Time goes by, here and at Apple.
    pub(crate) fn passes(&self, seconds: i64) {
        self.waits(seconds);
        self.apple.has_clock_at(self.now_ms());
    }

    /// Orders the pack, and gives the order's id.
    pub(crate) async fn orders(&self, buyer: &Buyer) -> String {
        self.orders_from(buyer, "apple", PRODUCT).await
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

    /// Changes rows behind the store's back.
    pub(crate) async fn does(&self, statement: &str) {
        self.app.db.execute_unprepared(statement).await.unwrap();
    }
}

/// A release that the packer built, once for all tests.
fn release() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    BUILT.get_or_init(|| built("apple")).path()
}
