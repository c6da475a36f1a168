//! A fresh database for each test: SQLite always, the servers where the environment gives their addresses.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};

use crate::left_out;

/// Where a store keeps its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in the store's data folder, the default.
    Sqlite,
    /// A database of its own on a server; dropped by [`on_each_database`].
    Server {
        /// What people call it.
        name: &'static str,
        /// The URL of the fresh database.
        url: String,
    },
}

impl Database {
    /// What people call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Server { name, .. } => name,
        }
    }
}

/// Runs a test on SQLite and, beside it, on each server whose address is given: `STICKER_TEST_POSTGRES_URL`, `STICKER_TEST_MYSQL_URL`.
pub fn on_each_database(test: impl Fn(Database) + Sync) {
    std::thread::scope(|threads| {
        for (name, variable) in
            [("PostgreSQL", "STICKER_TEST_POSTGRES_URL"), ("MariaDB", "STICKER_TEST_MYSQL_URL")]
        {
            let Ok(server) = std::env::var(variable) else {
                left_out(name, &format!("{variable} is not set"));
                continue;
            };
            let test = &test;
            threads.spawn(move || {
                let fresh = fresh_name();
                execute(&server, &format!("CREATE DATABASE {fresh}"));
                let url = with_database(&server, &fresh);
                test(Database::Server { name, url });
                execute(&server, &format!("DROP DATABASE {fresh}"));
            });
        }
        test(Database::Sqlite);
    });
}

/// Closes a store's connections, as whoever is to drop its database has to, once all of them have come back.
///
/// # Panics
/// Where one never comes: the store has lost it.
pub async fn closes(connection: &DatabaseConnection) {
    let closed = tokio::time::timeout(HALT, connection.clone().close()).await;
    assert!(matches!(closed, Ok(Ok(()))), "a connection never came back: {closed:?}");
}

/// Long enough for every machine.
const HALT: Duration = Duration::from_mins(1);

pub(crate) fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    format!("sticker_test_{}_{started}_{count}", std::process::id())
}

/// The server's URL with another database, its last path segment.
fn with_database(server: &str, database: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("a URL that ends with a database");
    format!("{before}/{database}")
}

pub(crate) fn execute(server: &str, statement: &str) {
    on_connection(server, async |connection| {
        connection.execute_unprepared(statement).await.expect("the statement runs");
    });
}

/// The numbers of the one row that a statement gives.
pub(crate) fn numbers<const N: usize>(server: &str, statement: &str) -> [i64; N] {
    on_connection(server, async |connection| {
        let statement = Statement::from_string(connection.get_database_backend(), statement);
        let row = connection.query_one_raw(statement).await.expect("the statement runs").expect("a row");
        std::array::from_fn(|at| row.try_get_by_index(at).expect("a number"))
    })
}

/// The texts of each row that a statement gives.
pub(crate) fn texts<const N: usize>(server: &str, statement: &str) -> Vec<[String; N]> {
    on_connection(server, async |connection| {
        let statement = Statement::from_string(connection.get_database_backend(), statement);
        let rows = connection.query_all_raw(statement).await.expect("the statement runs");
        let texts = |row: QueryResult| std::array::from_fn(|at| row.try_get_by_index(at).expect("a text"));
        rows.into_iter().map(texts).collect()
    })
}

fn on_connection<T>(server: &str, work: impl AsyncFnOnce(&DatabaseConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connection =
            sea_orm::Database::connect(server).await.expect("the test's database server answers");
        let done = work(&connection).await;
        connection.close().await.expect("the connection closes");
        done
    })
}
