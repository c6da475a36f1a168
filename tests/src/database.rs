//! A fresh database for each test: SQLite always, the servers where the environment gives their addresses.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::ConnectionTrait as _;

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

fn fresh_name() -> String {
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connection =
            sea_orm::Database::connect(server).await.expect("the test's database server answers");
        connection.execute_unprepared(statement).await.expect("the statement runs");
        connection.close().await.expect("the connection closes");
    });
}
