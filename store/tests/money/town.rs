//! Two stores on one database, two packs, and a time that goes on.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _, Set};
use sticker_protocol::PackId;
use sticker_protocol::token::UserId;
use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::{Recipient, Wish, make};
use sticker_store::purchase::word::Provider;
use sticker_store::random::Random;
use sticker_tests::Database;
use tempfile::TempDir;

use crate::published::{built, published};

/// What the clock says at first, in seconds.
const START: i64 = 1_800_000_000;
/// What app stores call each pack here.
pub(crate) const PRODUCT: &str = "pack.one";

/// Two stores on one database.
pub(crate) struct Town {
    pub(crate) stores: [App; 2],
    /// A pack of which everybody has one's own, and one that couples share.
    pub(crate) packs: [PackId; 2],
    now: Arc<AtomicI64>,
    _data: TempDir,
}

/// An order that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) buyer: &'a UserId,
    pub(crate) partner: &'a UserId,
    pub(crate) recipient: Recipient,
    pub(crate) pack: PackId,
    pub(crate) provider: Provider,
}

impl Town {
    pub(crate) async fn new(database: &Database) -> Self {
        let data = in_memory();
        let set = |name: &str, value: String| (format!("STICKER_STORE__{name}"), value);
        let mut settings = vec![
            // So that another product is one of ours too.
            set("PURCHASE__APPLE__PRODUCT", "pack.{tier}".to_owned()),
            set("PURCHASE__GOOGLE__PRODUCT", "pack.{tier}".to_owned()),
            set("DATA_DIR", data.path().display().to_string()),
            set("PURCHASE__SANDBOX", "true".to_owned()),
            set("TOKEN__LIFETIME_SECONDS", "86400".to_owned()),
        ];
        if let Database::Server { url, .. } = database {
            settings.push(set("DATABASE__URL", url.clone()));
        }
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let open = async || {
            let config = Config::load(None, settings.iter().cloned()).unwrap();
            Parts::open(config, Clock::Manual(Arc::clone(&now)), Random::system()).await.unwrap()
        };
        let stores = [open().await, open().await];
        let mut packs = Vec::new();
        for out in releases() {
            packs.push(published(&stores[0], out).await.pack);
        }
        let shared = format!("UPDATE packs SET couple_shared = 1 WHERE id = {}", packs[1].signed());
        stores[0].db.execute_unprepared(&shared).await.unwrap();
        Self { stores, packs: [packs[0], packs[1]], now, _data: data }
    }

    /// A server drops no database that somebody is connected to.
    pub(crate) async fn closes(self) {
        for store in &self.stores {
            sticker_tests::closes(&store.db).await;
        }
    }

    /// In seconds.
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed) / 1_000
    }

    /// A millisecond goes by.
    pub(crate) fn goes_on(&self) {
        self.now.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the clock by this many seconds, forward or back.
    pub(crate) fn sets_clock_by(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    /// Makes an order as an app does; one for an app store becomes so afterwards, since no app store is configured here.
    pub(crate) async fn orders(&self, wanted: Wanted<'_>) -> order::Model {
        let Wanted { buyer, partner, recipient, pack, provider } = wanted;
        let wish = Wish { recipient, partner: Some(*partner), ..Wish::new(pack, Provider::Sandbox) };
        let made = make(&self.stores[0], buyer, wish).await.unwrap();
        if !provider.is_app_store() {
            return made;
        }
        let mut sold = made.into_active_model();
        sold.provider = Set(provider);
        sold.product_id = Set(Some(PRODUCT.to_owned()));
        sold.update(&self.stores[0].db).await.unwrap()
    }

    /// The order as it is now.
    pub(crate) async fn order(&self, id: &str) -> order::Model {
        order::Entity::find_by_id(id).one(&self.stores[0].db).await.unwrap().unwrap()
    }
}

/// The first pack's release, and that of the one that couples share; built once.
fn releases() -> [&'static Path; 2] {
    static BUILT: OnceLock<[TempDir; 2]> = OnceLock::new();
    let [own, shared] = BUILT.get_or_init(|| [built("own"), built("shared")]);
    [own.path(), shared.path()]
}

/// A folder in memory where there is such a place: what is tested is not the disk.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}
