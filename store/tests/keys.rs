//! The life of token keys in a store of several processes, with a clock that the test moves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use sea_orm::{ConnectionTrait as _, Statement};
use sticker_protocol::token::{
    Algorithm, Claims, DenyList, Expected, Refusal, UntrustedToken, UserId, Version,
};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};
use sticker_store::account::client::{self, Scope};
use sticker_store::app::{App, Parts, StartError, router};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::telemetry::metrics;
use sticker_store::token::keys::{self, KeysError};
use sticker_store::token::live;
use sticker_store::token::ring::{self, Stage};
use sticker_tests::{Database, on_each_database};
use tower::ServiceExt as _;

const START: i64 = 1_800_000_000;
const LIFETIME: u32 = 1_000;

/// A store of several processes on one database, at one time.
struct House {
    folder: tempfile::TempDir,
    database: Database,
    now: Arc<AtomicI64>,
}

impl House {
    fn new(database: Database) -> Self {
        let now = Arc::new(AtomicI64::new(START * 1000));
        Self { folder: tempfile::tempdir().unwrap(), database, now }
    }

    async fn process(&self) -> App {
        self.open().await.unwrap()
    }

    /// What happens is the same from any thread: a future that owns what it needs.
    fn open(&self) -> impl Future<Output = Result<App, StartError>> + Send + 'static {
        let mut settings = vec![
            ("DATA_DIR", self.folder.path().display().to_string()),
            ("TOKEN__LIFETIME_SECONDS", LIFETIME.to_string()),
        ];
        if let Database::Server { url, .. } = &self.database {
            settings.push(("DATABASE__URL", url.clone()));
        }
        let variables = settings.into_iter().map(|(name, value)| (format!("STICKER_STORE__{name}"), value));
        let config = Config::load(None, variables).unwrap();
        Parts::open(config, Clock::Manual(Arc::clone(&self.now)), Random::system())
    }

    /// Why it does not start.
    async fn refusal(&self) -> String {
        self.open().await.unwrap_err().to_string()
    }

    fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds(u64::try_from(self.now.load(Ordering::Relaxed) / 1000).unwrap())
    }
}

fn claims(expires: u32) -> Claims {
    Claims {
        sticker: StickerId::new(7).unwrap(),
        user: UserId::from_text("alice").unwrap(),
        expires: Expiry(expires),
    }
}

/// A token that expires in a lifetime from the start and some seconds.
async fn token(app: &App, seconds: u32) -> String {
    let expires = u32::try_from(START).unwrap() + LIFETIME + seconds;
    ring::sign(app, Version::V1, &[claims(expires)]).await.unwrap()[0].to_string()
}

fn key_of(token: &str) -> u16 {
    UntrustedToken::parse(token).unwrap().key_id().0
}

fn verify(app: &App, token: &str, now: UnixSeconds) -> Result<Expiry, Refusal> {
    let expected = Expected { sticker: claims(0).sticker, user: claims(0).user };
    app.tokens.ring().keyring.verify(token, now, &expected, &DenyList::new())
}

async fn rotate_to(app: &App, id: u16) {
    assert_eq!(keys::add(app, Algorithm::HmacSha256, None).await.unwrap(), id);
    keys::publish(app, id).await.unwrap();
    keys::sign_with(app, id, true).await.unwrap();
}

/// Each test has one thread of its own for each database.
fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_key_is_destroyed_once_its_last_token_has_expired_on_every_clock_and_not_a_second_earlier() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        let last = token(&app, 0).await;
        rotate_to(&app, 2).await;
        let rows = keys::list(&app.db).await.unwrap();
        let last_expiry = rows[0].last_expiry.unwrap();
        assert!(last_expiry >= START + i64::from(LIFETIME), "{rows:?}");
        assert_eq!((rows[0].stage, rows[1].stage), (Stage::Verify, Stage::Signing));

        house.wait(last_expiry + 29 - START);
        let refused = keys::destroy(&app, 1, None).await.unwrap_err();
        assert!(matches!(refused, KeysError::TokensLive { id: 1, seconds: 1 }), "{refused}");
        house.wait(1);
        assert_eq!(verify(&app, &last, house.now()), Err(Refusal::Expired));
        keys::destroy(&app, 1, None).await.unwrap();
        live::refresh(&app).await.unwrap();
        assert_eq!(verify(&app, &last, house.now()), Err(Refusal::UnknownKey));

        let row = app.db.query_one_raw(Statement::from_string(
            app.db.get_database_backend(),
            "SELECT sealed FROM token_keys WHERE id = 1",
        ));
        assert_eq!(row.await.unwrap().unwrap().try_get::<Option<Vec<u8>>>("", "sealed").unwrap(), None);
        let taken = keys::add(&app, Algorithm::HmacSha256, Some(1)).await.unwrap_err();
        assert!(matches!(taken, KeysError::IdTaken(1)), "{taken}");
    });
}

#[test]
fn a_leaked_key_is_destroyed_at_once_and_its_tokens_are_refused() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        let minted = token(&app, 0).await;
        let signs = keys::destroy(&app, 1, Some("leaked")).await.unwrap_err();
        assert!(matches!(signs, KeysError::Signing(1)), "{signs}");
        rotate_to(&app, 2).await;
        keys::destroy(&app, 1, Some("leaked")).await.unwrap();
        live::refresh(&app).await.unwrap();
        assert_eq!(verify(&app, &minted, house.now()), Err(Refusal::UnknownKey));
    });
}

#[test]
fn a_process_that_is_late_to_hear_of_a_rotation_signs_nothing_that_outlives_its_key() {
    on_each_database(|database| {
        run(async {
            let house = House::new(database);
            let (quick, late) = (house.process().await, house.process().await);
            assert_eq!(key_of(&token(&late, 0).await), 1);
            rotate_to(&quick, 2).await;

            // Within what the late one has told the database before, it may sign with the earlier key ...
            let still = token(&late, 1).await;
            let rows = keys::list(&quick.db).await.unwrap();
            let expires =
                i64::from(UntrustedToken::parse(&still).unwrap().untrusted_claims().unwrap().expires.0);
            assert_eq!(key_of(&still), 1);
            assert!(expires <= rows[0].last_expiry.unwrap(), "{expires} {rows:?}");
            // ... beyond it has to ask, and hears of the new one.
            assert_eq!(key_of(&token(&late, LIFETIME).await), 2);
            assert_eq!(keys::list(&quick.db).await.unwrap()[0].last_expiry, rows[0].last_expiry);
        });
    });
}

#[test]
fn of_several_processes_that_start_at_once_one_makes_the_first_key() {
    on_each_database(|database| {
        run(async {
            let house = House::new(database);
            let mut starting = tokio::task::JoinSet::new();
            for _ in 0..6 {
                starting.spawn(house.open());
            }
            let started: Vec<_> = starting.join_all().await.into_iter().map(Result::unwrap).collect();
            let rings: Vec<_> = started.iter().map(|app| app.tokens.ring().file.to_json()).collect();
            assert!(rings.iter().all(|ring| *ring == rings[0] && ring.contains("signing")));
            assert_eq!(keys::list(&started[0].db).await.unwrap().len(), 1);
        });
    });
}

#[test]
fn of_two_keys_that_are_to_sign_at_once_one_signs() {
    on_each_database(|database| {
        run(async {
            let house = House::new(database);
            let (one, other) = (house.process().await, house.process().await);
            for _ in 0..5 {
                let first = keys::add(&one, Algorithm::HmacSha256, None).await.unwrap();
                let second = keys::add(&one, Algorithm::HmacSha256, None).await.unwrap();
                keys::publish(&one, first).await.unwrap();
                keys::publish(&one, second).await.unwrap();
                let (a, b) =
                    tokio::join!(keys::sign_with(&one, first, true), keys::sign_with(&other, second, true));
                assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
                let rows = keys::list(&one.db).await.unwrap();
                let signing: Vec<_> = rows.iter().filter(|row| row.stage == Stage::Signing).collect();
                assert_eq!(signing.len(), 1, "{rows:?}");
            }
        });
    });
}

#[test]
fn a_ring_that_does_not_open_is_not_taken_and_the_last_good_one_stays() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        let valid = token(&app, 0).await;
        let failures = || {
            let text = metrics::render().1;
            let line = text
                .lines()
                .find(|line| line.starts_with("sticker_store_keyring_reload_failures_total"))
                .unwrap();
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let before = failures();
        app.db.execute_unprepared("UPDATE token_keys SET sealed = x'00112233' WHERE id = 1").await.unwrap();
        app.db
            .execute_unprepared("UPDATE counters SET value = value + 1 WHERE name = 'keyring'")
            .await
            .unwrap();
        assert!(live::refresh(&app).await.is_err());
        assert!(failures() > before);
        assert!(verify(&app, &valid, house.now()).is_ok());
        let refused = house.refusal().await;
        assert_eq!(refused, "the token keys cannot be used");
    });
}

#[test]
fn sealed_keys_do_not_open_with_another_master_key_and_none_is_made_in_its_place() {
    run(async {
        let house = House::new(Database::Sqlite);
        drop(house.process().await);
        let file = house.folder.path().join("master.key");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(house.refusal().await, "the master key cannot be used");
        assert!(!file.exists());
        std::fs::write(&file, "ab".repeat(32)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(house.refusal().await, "the master key cannot be used", "others may read it");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(house.refusal().await, "the master key cannot be used");
    });
}

#[test]
fn a_key_file_of_an_earlier_version_is_taken_over_and_its_tokens_stay_valid() {
    run(async {
        let house = House::new(Database::Sqlite);
        let file = house.folder.path().join("keyring.json");
        let keys_of_before = format!(
            r#"{{"keys":[{{"id":3,"secret":"{}","state":"verify"}},{{"id":4,"secret":"{}","state":"signing"}}]}}"#,
            "1f".repeat(32),
            "2e".repeat(32)
        );
        sticker_store::token::file::make_private(&file, &keys_of_before).unwrap();
        let app = house.process().await;
        assert_eq!(key_of(&token(&app, 0).await), 4);
        let refused = keys::destroy(&app, 3, None).await.unwrap_err();
        assert!(matches!(refused, KeysError::TokensLive { .. }), "{refused}");
        let sealed = std::fs::read(house.folder.path().join("store.sqlite")).unwrap();
        let wal = std::fs::read(house.folder.path().join("store.sqlite-wal")).unwrap_or_default();
        for secret in [[0x1f; 32], [0x2e; 32]] {
            assert!(![&sealed, &wal].iter().any(|bytes| bytes.windows(32).any(|window| window == secret)));
        }
    });
}

#[test]
fn what_an_earlier_version_issued_is_covered_by_a_refund_after_the_upgrade() {
    run(async {
        let house = House::new(Database::Sqlite);
        let before = house.process().await;
        for statement in [
            "DELETE FROM token_keys",
            "INSERT INTO grants (id, user_id, pack_id, order_id, active, granted_at) VALUES ('live', x'61', 1, 'o', 1, 0)",
            "INSERT INTO grants (id, user_id, pack_id, order_id, active, granted_at) VALUES ('over', x'61', 2, 'o', NULL, 0)",
        ] {
            before.db.execute_unprepared(statement).await.unwrap();
        }
        let keys = format!(r#"{{"keys":[{{"id":3,"secret":"{}","state":"signing"}}]}}"#, "1f".repeat(32));
        sticker_store::token::file::make_private(&house.folder.path().join("keyring.json"), &keys).unwrap();
        let after = house.process().await;
        let rows = after.db.query_all_raw(Statement::from_string(
            after.db.get_database_backend(),
            "SELECT last_expiry FROM grants ORDER BY id",
        ));
        let noted: Vec<i64> =
            rows.await.unwrap().iter().map(|row| row.try_get("", "last_expiry").unwrap()).collect();
        assert_eq!(noted, [START + i64::from(LIFETIME), 0]);
    });
}

#[test]
fn an_earlier_key_file_counts_on_the_first_start_alone_and_only_if_one_of_its_keys_signs() {
    run(async {
        let house = House::new(Database::Sqlite);
        let file = house.folder.path().join("keyring.json");
        sticker_store::token::file::make_private(&file, r#"{"keys":[]}"#).unwrap();
        assert!(house.refusal().await.starts_with("no key of "));
        std::fs::remove_file(&file).unwrap();
        let app = house.process().await;
        std::fs::write(&file, "nonsense that others may read").unwrap();
        assert_eq!(house.process().await.tokens.ring().file.to_json(), app.tokens.ring().file.to_json());
    });
}

#[test]
fn a_store_without_its_database_gives_verifiers_no_ring_that_may_be_old() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        let secret = client::add(&app, "chat", &[Scope::Verify]).await.unwrap().secret;
        let status = async || {
            let request = Request::get("/v1/keyring").header("authorization", format!("Bearer {secret}"));
            let answer =
                router(Arc::clone(&app)).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            answer.status().as_u16()
        };
        assert_eq!(status().await, 200);
        sticker_tests::closes(&app.db).await;
        assert_eq!(status().await, 200, "looked at a moment ago");
        house.wait(6);
        assert!((500..600).contains(&status().await), "a verifier keeps what it has");
    });
}

#[test]
fn the_highest_id_is_not_the_last() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        let add = async |id| keys::add(&app, Algorithm::HmacSha256, id).await.unwrap();
        assert_eq!((add(Some(65_535)).await, add(None).await, add(None).await), (65_535, 0, 2));
    });
}

#[test]
fn every_step_of_a_key_leaves_a_row_in_the_audit() {
    run(async {
        let house = House::new(Database::Sqlite);
        let app = house.process().await;
        rotate_to(&app, 2).await;
        keys::add(&app, Algorithm::Ed25519, None).await.unwrap();
        keys::publish(&app, 3).await.unwrap();
        keys::retire(&app, 3).await.unwrap();
        keys::destroy(&app, 3, None).await.unwrap();
        assert!(keys::publish(&app, 2).await.is_err());
        assert!(matches!(keys::destroy(&app, 1, Some(" ")).await, Err(KeysError::NoReason)));
        live::refresh(&app).await.unwrap();
        keys::export(&app, false).await.unwrap();
        let rows = app.db.query_all_raw(Statement::from_string(
            app.db.get_database_backend(),
            "SELECT action, subject FROM audit ORDER BY rowid",
        ));
        let noted: Vec<String> = rows
            .await
            .unwrap()
            .iter()
            .map(|row| {
                format!(
                    "{} {}",
                    row.try_get::<String>("", "action").unwrap(),
                    row.try_get::<String>("", "subject").unwrap()
                )
            })
            .collect();
        let wanted = [
            "key_add key:1",
            "key_add key:2",
            "key_publish key:2",
            "key_sign_with key:2",
            "key_add key:3",
            "key_publish key:3",
            "key_retire key:3",
            "key_destroy key:3",
            "key_export key:1",
            "key_export key:2",
        ];
        assert_eq!(noted, wanted);
    });
}
