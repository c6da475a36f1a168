//! Two stores on one database, a time that tests set, and somebody who writes past them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use sticker_store::app::{App, Parts, StartError};
use sticker_store::audit;
use sticker_store::audit::chain::Head;
use sticker_store::audit::list::{Row, Wanted, list};
use sticker_store::audit::verify::{Report, verify};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::db;
use sticker_store::random::Random;
use sticker_store::web::error::Error;
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;

/// What the clock is set to at first, in ms.
pub(crate) const START: i64 = 1_800_000_000_000;

pub(crate) struct Desk {
    pub(crate) one: App,
    pub(crate) other: App,
    now: Arc<AtomicI64>,
    settings: Vec<(String, String)>,
    _data: TempDir,
}

/// Runs a test on each database.
pub(crate) fn at_the_desk(test: impl AsyncFn(&Desk) + Sync) {
    on_each_database(|database| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new(&database).await;
            test(&desk).await;
            // A server drops no database that somebody is connected to.
            sticker_tests::closes(&desk.one.db).await;
            sticker_tests::closes(&desk.other.db).await;
        });
    });
}

impl Desk {
    async fn new(database: &Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = vec![("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string())];
        if let Database::Server { url, .. } = database {
            settings.push(("STICKER_STORE__DATABASE__URL".to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(START));
        let one = open(&settings, &now).await;
        let other = open(&settings, &now).await;
        Self { one, other, now, settings, _data: data }
    }

    /// Another store on the same database, as after a restart.
    pub(crate) async fn opens_another(&self) -> App {
        open(&self.settings, &self.now).await
    }

    /// A store on the same database whose operator lost the master key and made another one.
    pub(crate) async fn opens_with_another_master_key(&self) -> Result<App, StartError> {
        let mut settings = self.settings.clone();
        settings.push(("STICKER_STORE__TOKEN__MASTER_KEY".to_owned(), "ab".repeat(32)));
        let config = Config::load(None, settings.into_iter()).unwrap();
        let clock = Clock::Manual(Arc::clone(&self.now));
        Parts::open_without_ring(config, clock, Random::system()).await
    }

    pub(crate) fn passes(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    /// Writes rows into the trace, each in a transaction of its own.
    pub(crate) async fn notes(&self, rows: usize) {
        for at in 0..rows {
            note(&self.one, &format!("thing-{at}")).await.unwrap();
            self.passes(1);
        }
    }

    pub(crate) async fn verifies(&self) -> Report {
        verify(&self.one, None).await.unwrap()
    }

    pub(crate) async fn verifies_with(&self, kept: Head) -> Report {
        verify(&self.one, Some(kept)).await.unwrap()
    }

    /// The codes of what is wrong.
    pub(crate) async fn codes(&self) -> Vec<&'static str> {
        self.verifies().await.findings.iter().map(audit::verify::Finding::code).collect()
    }

    /// The rows of the chain in its order.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        let mut rows = list(&self.one.db, &Wanted { limit: 10_000, ..Wanted::default() }).await.unwrap();
        rows.reverse();
        rows
    }

    /// Writes into the database past the store.
    pub(crate) async fn somebody_does(&self, statement: &str) {
        self.one.db.execute_unprepared(statement).await.unwrap();
    }

    /// One text of one row.
    pub(crate) async fn reads(&self, question: &str) -> String {
        let question = Statement::from_string(self.one.db.get_database_backend(), question);
        let row = self.one.db.query_one_raw(question).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }
}

pub(crate) async fn note(app: &App, subject: &str) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    let detail = json!({ "what": "é \u{0} '\"" });
    audit::note(app, &transaction, "operator", "tried", subject, &detail).await?;
    Ok(transaction.commit().await?)
}

async fn open(settings: &[(String, String)], now: &Arc<AtomicI64>) -> App {
    let config = Config::load(None, settings.iter().cloned()).unwrap();
    Parts::open(config, Clock::Manual(Arc::clone(now)), Random::system()).await.unwrap()
}
