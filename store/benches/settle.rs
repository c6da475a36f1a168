//! Orders settled a second, against the same rows written by hand: plain statements in one transaction, over as many connections. On
//! SQLite, and on the servers that `STICKER_TEST_POSTGRES_URL` and `STICKER_TEST_MYSQL_URL` name. In turns, so that what else the
//! machine does falls on both; medians.
//!
//!     cargo bench -p sticker-store --bench settle -- [CONNECTIONS [ROUNDS [ORDERS]]]

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::missing_docs_in_private_items,
    reason = "a benchmark measures, prints, stops where something is not as it should be, and learns from the environment what is there"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement, Value};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;
use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::db;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::of;
use sticker_store::purchase::settle::{self, Submitter};
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::World;
use sticker_store::random::Random;
use sticker_store::telemetry;
use sticker_tests::{Database, on_each_database};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let setting = |at: usize, usual| numbers.get(at).copied().unwrap_or(usual);
    let (connections, rounds, orders) = (setting(0, 8), setting(1, 7), setting(2, 200));
    telemetry::start("warn", false).expect("a filter");
    println!("{connections} connections, {rounds} rounds of {orders} orders each, medians");
    for wanted in ["SQLite", "PostgreSQL", "MariaDB"] {
        on_each_database(|database| {
            if database.name() == wanted {
                measure(&database, connections, rounds, orders);
            }
        });
    }
}

fn measure(database: &Database, connections: usize, rounds: usize, orders: usize) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = open(data.path(), database, connections).await;
        let [mut settled, mut by_hand] = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for (times, way) in [(&mut settled, Way::Settles), (&mut by_hand, Way::ByHand)] {
                times.push(run(&store, way, round, connections, orders).await);
            }
        }
        let (settled, by_hand) = (median(settled), median(by_hand));
        println!(
            "{:<10} {settled:>7.0} orders/s settled, {by_hand:>7.0} by hand, ratio {:.2}",
            database.name(),
            settled / by_hand
        );
        store.db.clone().close().await.expect("closed");
    });
}

async fn open(data: &std::path::Path, database: &Database, connections: usize) -> App {
    let set = |name: &str, value: String| (format!("STICKER_STORE__{name}"), value);
    let mut settings = vec![
        set("DATA_DIR", data.display().to_string()),
        set("PURCHASE__SANDBOX", "true".to_owned()),
        set("DATABASE__MAX_CONNECTIONS", connections.to_string()),
    ];
    if let Database::Server { url, .. } = database {
        settings.push(set("DATABASE__URL", url.clone()));
    }
    let config = Config::load(None, settings.into_iter()).expect("a configuration");
    Parts::open(config, Clock::System, Random::system()).await.expect("a store")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Settles,
    ByHand,
}

/// Orders a second.
async fn run(store: &App, way: Way, round: usize, connections: usize, orders: usize) -> f64 {
    let mut made = Vec::new();
    for at in 0..orders {
        made.push(order(store, &format!("{way:?}-{round}-{at}")).await);
    }
    let (made, next) = (Arc::new(made), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (store, made, next) = (App::clone(store), Arc::clone(&made), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some((order, user)) = made.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match way {
                        Way::Settles => settles(&store, order, user).await,
                        Way::ByHand => by_hand(&store, &order.id, user).await,
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("a worker");
    }
    orders as f64 / started.elapsed().as_secs_f64()
}

const PACK: i64 = 8_675_309;

/// An order as it is made; no pack is behind it, since nothing here looks at one.
async fn order(store: &App, user: &str) -> (order::Model, UserId) {
    let (id, user) = (uuid(store), UserId::from_text(user).expect("a user"));
    let row = "INSERT INTO orders (id, user_id, pack_id, provider, state, price_minor, currency, created_at, updated_at) \
               VALUES (?, ?, ?, 'sandbox', 'created', 1200, 'KRW', 1, 1)";
    let statement = statement(
        store.db.get_database_backend(),
        row,
        vec![
            id.as_str().into(),
            user.as_bytes().to_vec().into(),
            PackId::try_from(PACK).expect("a pack").signed().into(),
        ],
    );
    store.db.execute_raw(statement).await.expect("an order");
    (of(store, &user, &id).await.expect("an order"), user)
}

async fn settles(store: &App, order: &order::Model, user: &UserId) {
    let word = settle::own_word(order, World::Sandbox, &order.id);
    let submitter = Submitter { user, order_id: &order.id };
    let heard =
        settle::hear(store, &settle::submission(&word), &word, Some(submitter)).await.expect("it is settled");
    assert_eq!(heard.order.expect("an order").state, State::Granted);
}

/// The rows that settling leaves, and nothing else: nobody looks whether they are right. The end of the audit chain is locked, as
/// whoever wants one chain must.
async fn by_hand(store: &App, id: &str, user: &UserId) {
    let written = db::retried(async || {
        let transaction = db::begin(&store.db).await?;
        rows(store, &transaction, id, user).await?;
        Ok(transaction.commit().await?)
    });
    written.await.expect("it is written");
}

async fn rows(
    store: &App,
    transaction: &DatabaseTransaction,
    id: &str,
    user: &UserId,
) -> Result<(), sea_orm::DbErr> {
    let backend = transaction.get_database_backend();
    let (user, now) = (user.as_bytes().to_vec(), 1_800_000_000_000_i64);
    let text = |text: &str| Value::from(text);
    let new = || Value::from(uuid(store));
    let all: [(&str, Vec<Value>); 6] = [
        (
            "INSERT INTO snapshots (id, provider, world, transaction_id, order_id, standing, version, payload, created_at, updated_at) \
             VALUES (?, 'sandbox', 'sandbox', ?, ?, 'paid', 1, '{}', ?, ?)",
            vec![new(), text(id), text(id), now.into(), now.into()],
        ),
        (
            "INSERT INTO purchases (id, provider, environment, transaction_id, order_id, user_id, pack_id, price_minor, currency, created_at) \
             VALUES (?, 'sandbox', 'sandbox', ?, ?, ?, ?, 1200, 'KRW', ?)",
            vec![new(), text(id), text(id), user.clone().into(), PACK.into(), now.into()],
        ),
        (
            "INSERT INTO grants (id, user_id, pack_id, order_id, active, granted_at, last_expiry, tokens_after) VALUES (?, ?, ?, ?, 1, ?, 0, 0)",
            vec![new(), user.into(), PACK.into(), text(id), now.into()],
        ),
        ("UPDATE orders SET state = 'granted', updated_at = ? WHERE id = ?", vec![now.into(), text(id)]),
        (
            "INSERT INTO inbox (id, source, event_id, order_id, received_at, kind, outcome) VALUES (?, 'app', ?, ?, ?, 'SUBMITTED', 'settled')",
            vec![new(), text(&format!("hand:{id}")), text(id), now.into()],
        ),
        ("UPDATE audit_head SET seq = seq + 1", Vec::new()),
    ];
    for (sql, values) in all {
        transaction.execute_raw(statement(backend, sql, values)).await?;
    }
    let detail = "{\"provider\":\"sandbox\",\"pack\":8675309,\"user_hex\":\"00\",\"recipient_hex\":null,\"minor\":1200,\"currency\":\"KRW\"}";
    let row =
        "INSERT INTO audit (id, at, actor, action, subject, detail, hash) VALUES (?, ?, ?, 'grant', ?, ?, ?)";
    let values = vec![new(), now.into(), text("user:00"), text(id), text(detail), text(&"0".repeat(64))];
    transaction.execute_raw(statement(backend, row, values)).await.map(drop)
}

fn uuid(store: &App) -> String {
    store.random.uuid().expect("random bytes").to_string()
}

/// PostgreSQL numbers what is filled in.
fn statement(backend: DbBackend, sql: &str, values: Vec<Value>) -> Statement {
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut number = 0;
    for letter in sql.chars() {
        if letter == '?' && backend == DbBackend::Postgres {
            number += 1;
            numbered.push('$');
            numbered.push_str(&number.to_string());
        } else {
            numbered.push(letter);
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
