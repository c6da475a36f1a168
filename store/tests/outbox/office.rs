//! Two workers on one database, a time that tests set, and handlers that note what they did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::outbox::operate::{Shown, list};
use sticker_store::outbox::run::Handlers;
use sticker_store::outbox::{Failure, Job, Kind, put, work_once};
use sticker_store::random::Random;
use sticker_store::{audit, db};
use sticker_tests::{Database, on_each_database};
use tempfile::TempDir;
use tokio::sync::Notify;

pub(crate) struct Office {
    pub(crate) one: App,
    pub(crate) other: App,
    now: Arc<AtomicI64>,
    _data: TempDir,
}

/// Runs a test on each database.
pub(crate) fn in_the_office(test: impl AsyncFn(&Office) + Sync) {
    on_each_database(|database| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::new(&database).await;
            test(&office).await;
            // A server drops no database that somebody is connected to.
            sticker_tests::closes(&office.one.db).await;
            sticker_tests::closes(&office.other.db).await;
        });
    });
}

impl Office {
    async fn new(database: &Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = vec![("STICKER_STORE__DATA_DIR".to_owned(), data.path().display().to_string())];
        if let Database::Server { url, .. } = database {
            settings.push(("STICKER_STORE__DATABASE__URL".to_owned(), url.clone()));
        }
        let now = Arc::new(AtomicI64::new(1_800_000_000_000));
        let open = async || {
            let config = Config::load(None, settings.iter().cloned()).unwrap();
            Parts::open(config, Clock::Manual(Arc::clone(&now)), Random::system()).await.unwrap()
        };
        let (one, other) = (open().await, open().await);
        Self { one, other, now, _data: data }
    }

    /// In ms.
    pub(crate) fn passes(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    /// In ms.
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Puts a job there as a payment does.
    pub(crate) async fn puts(&self, key: &str) {
        let transaction = db::begin(&self.one.db).await.unwrap();
        put(&self.one, &transaction, &job(key)).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Every job, the oldest first.
    pub(crate) async fn jobs(&self) -> Vec<Shown> {
        list(&self.one.db, None, 1_000).await.unwrap()
    }

    /// The one job.
    pub(crate) async fn job(&self) -> Shown {
        let jobs = self.jobs().await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.into_iter().next().unwrap()
    }

    /// What operators did, as `action subject`, in its order.
    pub(crate) async fn noted(&self) -> Vec<String> {
        let wanted =
            audit::list::Wanted { actor: Some("operator".to_owned()), limit: 100, ..Default::default() };
        let mut rows = audit::list::list(&self.one.db, &wanted).await.unwrap();
        rows.reverse();
        let noted = rows.iter().map(|row| format!("{} {}", row.action, row.subject));
        noted.filter(|row| row.starts_with("outbox")).collect()
    }

    pub(crate) async fn somebody_does(&self, statement: &str) {
        self.one.db.execute_unprepared(statement).await.unwrap();
    }
}

pub(crate) fn job(key: &str) -> Job {
    Job { kind: Kind::GoogleAcknowledge, key: key.to_owned(), payload: json!({ "key": key }) }
}

/// Has a worker do what is due at this moment.
pub(crate) async fn works(app: &App, handlers: &Arc<Notes>) -> usize {
    let handlers: Arc<dyn Handlers> = Arc::<Notes>::clone(handlers);
    work_once(app, &handlers, 10).await.unwrap()
}

/// What a handler does once it has noted a job.
#[derive(Debug)]
pub(crate) enum Does {
    Succeeds,
    Fails(Failure),
    Panics,
    /// Waits until it is told to go on, and then succeeds.
    Waits,
}

/// Notes how often each job was begun.
#[derive(Debug)]
pub(crate) struct Notes {
    begun: Mutex<BTreeMap<String, usize>>,
    does: Does,
    pub(crate) begins: Notify,
    pub(crate) goes_on: Notify,
}

impl Notes {
    pub(crate) fn that(does: Does) -> Arc<Self> {
        let begun = Mutex::new(BTreeMap::new());
        Arc::new(Self { begun, does, begins: Notify::new(), goes_on: Notify::new() })
    }

    pub(crate) fn begun(&self) -> BTreeMap<String, usize> {
        self.begun.lock().unwrap().clone()
    }

    pub(crate) fn times(&self) -> usize {
        self.begun().values().sum()
    }
}

#[async_trait]
impl Handlers for Notes {
    async fn handle(&self, _app: &App, kind: Kind, payload: &Value) -> Result<(), Failure> {
        assert_eq!(kind, Kind::GoogleAcknowledge);
        let key = payload["key"].as_str().unwrap().to_owned();
        *self.begun.lock().unwrap().entry(key).or_default() += 1;
        self.begins.notify_one();
        match &self.does {
            Does::Succeeds => Ok(()),
            Does::Fails(failure) => Err(failure.clone()),
            Does::Panics => panic!("a handler has a fault"),
            Does::Waits => {
                self.goes_on.notified().await;
                Ok(())
            }
        }
    }
}
