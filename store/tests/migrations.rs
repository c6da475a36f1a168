//! The steps of the tables, on each database.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};
use sea_orm_migration::MigratorTrait as _;
use sticker_store::db;
use sticker_store::migration::{Migrator, bring_up, take_down};
use sticker_tests::{Database, on_each_database};

/// A row for each table of each step, with what that step knows of the table.
const ROWS: [&[&str]; 10] = [
    &[
        "INSERT INTO releases (id, pack_id, client_id, manifest, created_at) VALUES ('r', 1, 'c', {blob}, 1)",
        "INSERT INTO packs (id, slug, client_id, artist_slug, price_tier, release_id, words, published_at) \
         VALUES (1, 'cats', 'c', 'a', 'tier1', 'r', 'cats', 1)",
        "INSERT INTO stickers (id, pack_id, release_id) VALUES (1, 1, 'r')",
    ],
    &[
        "INSERT INTO api_clients (id, name, secret_hash, scopes, created_at) VALUES ('c', 'chat', 'h', 'verify', 1)",
        "INSERT INTO launch_codes (code_hash, user_id, expires_at) VALUES ('h', {blob}, 1)",
        "INSERT INTO sessions (session_hash, user_id, created_at, expires_at) VALUES ('h', {blob}, 1, 1)",
    ],
    &[
        "INSERT INTO orders (id, user_id, pack_id, provider, state, price_minor, currency, created_at, updated_at) \
         VALUES ('o', {blob}, 1, 'free', 'granted', 0, 'EUR', 1, 1)",
        "INSERT INTO inbox (id, source, event_id, order_id, received_at) VALUES ('i', 'free', 'o', 'o', 1)",
        "INSERT INTO purchases (id, provider, environment, transaction_id, order_id, user_id, pack_id, price_minor, \
         currency, created_at) VALUES ('p', 'free', 'production', 'o', 'o', {blob}, 1, 0, 'EUR', 1)",
        "INSERT INTO grants (id, user_id, pack_id, order_id, active, granted_at) VALUES ('g', {blob}, 1, 'o', 1, 1)",
        "INSERT INTO audit (id, at, actor, action, subject, detail) VALUES ('a', 1, 'b', 'grant', 'o', '{}')",
    ],
    &[
        "INSERT INTO token_keys (id, algorithm, state, last_expiry, made_at) VALUES (1, 'hmac-sha256', 'made', 0, 1)",
        "INSERT INTO revocations (cursor_id, user_id, pack_id, sticker_ids, refuse_until, created_at) \
         VALUES (1, {blob}, 1, '[1]', 1, 1)",
    ],
    &[
        "INSERT INTO snapshots (id, provider, world, transaction_id, standing, version, payload, created_at, updated_at) \
         VALUES ('s', 'apple', 'production', 't', 'paid', 1, '{}', 1, 1)",
        "INSERT INTO gifts (order_id, state, round, expires_at, created_at, updated_at) VALUES ('o', 'open', 1, 1, 1, 1)",
        "INSERT INTO promotions (id, name, pack_id, needs_code, used, starts_at, ends_at, created_at) \
         VALUES ('m', 'spring', 1, 0, 0, 1, 2, 1)",
        "INSERT INTO promotion_codes (code_hash, promotion_id, used) VALUES ('h', 'm', 0)",
        "INSERT INTO promotion_uses (order_id, promotion_id, user_id, created_at) VALUES ('o', 'm', {blob}, 1)",
    ],
    &[
        "INSERT INTO outbox (id, kind, job_key, payload, state, attempts, next_at, created_at) \
         VALUES ('j', 'google_acknowledge', 'o', '{}', 'waiting', 0, 1, 1)",
        "INSERT INTO rounds (name, next_at) VALUES ('sweep', 1)",
    ],
    &["INSERT INTO marks (name, value, updated_at) VALUES ('google_voided', 1, 1)"],
    &[
        "INSERT INTO variants (hash, release_id, kind, bytes, state, renderer, used_at) VALUES ('h', 'r', 'sticker', 1, 'absent', 'p', 0)",
        "INSERT INTO variant_moves (release_id, target) VALUES ('r', 'on-demand')",
    ],
    &[
        "INSERT INTO release_keys (id, state, public_key, made_at) VALUES (1, 'added', {blob}, 1)",
        "INSERT INTO release_signatures (pack_id, release_id, counter, signed_at) VALUES (1, 'r', 1, 1)",
    ],
    &[
        "INSERT INTO release_holds (release_id, held_until) VALUES ('r', 1)",
        "INSERT INTO object_removals (hash, removed_by, removed_until) VALUES ('h', 'g', 1)",
        "INSERT INTO damaged_objects (hash, found_at) VALUES ('h', 1)",
    ],
];

/// Runs a test on each database, before its first step.
fn on_empty_databases(test: impl AsyncFn(&DatabaseConnection) + Sync) {
    on_each_database(|database| {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Sqlite => format!("sqlite://{}?mode=rwc", folder.path().join("a.sqlite").display()),
            Database::Server { url, .. } => url,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connection = db::connect(&url, 2).await.unwrap();
            test(&connection).await;
            connection.close().await.unwrap();
        });
    });
}

async fn fill(db: &DatabaseConnection, rows: &[&str]) {
    let blob = if db.get_database_backend() == DbBackend::Postgres { r"'\x616c'" } else { "x'616c'" };
    for row in rows {
        db.execute_unprepared(&row.replace("{blob}", blob)).await.unwrap();
    }
}

/// The tables of these rows that hold something other than one row.
async fn not_one(db: &DatabaseConnection, rows: &[&'static str]) -> Vec<(&'static str, i64)> {
    let mut found = Vec::new();
    for row in rows {
        let table = row.split_whitespace().nth(2).unwrap();
        let count = Query::select().expr(Expr::cust("COUNT(*)")).from(table).to_owned();
        let count: i64 = db.query_one(&count).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        if count != 1 {
            found.push((table, count));
        }
    }
    found
}

#[test]
fn every_step_goes_up_and_down_and_up_again_over_the_rows_of_those_before() {
    on_empty_databases(async |db| {
        assert_eq!(Migrator::migrations().len(), ROWS.len(), "each step has rows here");
        for rows in ROWS {
            Migrator::up(db, Some(1)).await.unwrap();
            fill(db, rows).await;
        }
        assert_eq!(not_one(db, &ROWS.concat()).await, []);
        for step in (0..ROWS.len()).rev() {
            let (before, rows) = (ROWS[..step].concat(), ROWS[step]);
            Migrator::down(db, Some(1)).await.unwrap();
            assert_eq!(not_one(db, &before).await, [], "below step {step}");
            Migrator::up(db, Some(1)).await.unwrap();
            assert_eq!(not_one(db, &before).await, [], "again at step {step}");
            fill(db, rows).await;
            assert_eq!(not_one(db, rows).await, [], "again at step {step}");
            Migrator::down(db, Some(1)).await.unwrap();
        }
        bring_up(db).await.unwrap();
        fill(db, &ROWS.concat()).await;
    });
}

#[test]
fn who_takes_every_step_back_leaves_nothing_in_the_way_of_another_start() {
    on_empty_databases(async |db| {
        for _ in 0..2 {
            bring_up(db).await.unwrap();
            // There is nothing left to do.
            bring_up(db).await.unwrap();
            fill(db, &ROWS.concat()).await;
            take_down(db).await.unwrap();
            assert!(db.execute_unprepared("SELECT id FROM packs").await.is_err());
        }
    });
}
