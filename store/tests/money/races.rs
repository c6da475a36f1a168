//! What needs two at the same moment, many times on each database.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use sticker_protocol::token::UserId;
use sticker_store::audit::Actor;
use sticker_store::db::{self, Counter};
use sticker_store::library::query::owns;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::Recipient;
use sticker_store::purchase::refund::refund;
use sticker_store::purchase::settle::{self, Submitter};
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::{Provider, World};
use sticker_store::web::error::Error;
use sticker_tests::{on_each_database, summary};

use crate::fate::dies;
use crate::town::{Town, Wanted};

const ROUNDS: usize = 60;
/// Long enough for every machine.
const HALT: Duration = Duration::from_mins(1);

/// Runs a test on each database, with threads enough for two at once.
pub(crate) fn in_town(test: impl AsyncFn(&Town) + Sync) {
    on_each_database(|database| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let town = Town::new(&database).await;
            test(&town).await;
            town.closes().await;
        });
    });
}

/// Hands in test money.
pub(crate) async fn pays(
    town: &Town,
    store: usize,
    user: &UserId,
    order: &order::Model,
    transaction: &str,
) -> Result<State, Error> {
    let word = settle::own_word(order, World::Sandbox, transaction);
    let submitter = Submitter { user, order_id: &order.id };
    let heard = settle::hear(&town.stores[store], &settle::submission(&word), &word, Some(submitter)).await?;
    Ok(heard.order.unwrap().state)
}

pub(crate) fn user(name: &str, round: usize) -> UserId {
    UserId::from_text(&format!("{name}-{round}")).unwrap()
}

#[test]
fn who_is_given_a_pack_while_their_own_is_refunded_owns_it() {
    in_town(async |town| {
        for round in 0..ROUNDS {
            let (alice, bob) = (user("alice", round), user("bob", round));
            let of = |buyer, partner, recipient| Wanted {
                buyer,
                partner,
                recipient,
                pack: town.packs[0],
                provider: Provider::Sandbox,
            };
            let own = town.orders(of(&alice, &bob, Recipient::Buyer)).await;
            let gift = town.orders(of(&bob, &alice, Recipient::Partner)).await;
            assert_eq!(pays(town, 0, &alice, &own, &own.id).await.unwrap(), State::Granted);
            let (given, refunded) = tokio::join!(
                pays(town, 0, &bob, &gift, &gift.id),
                refund(&town.stores[1], Actor("operator"), &own.id, "asked for")
            );
            assert_eq!(refunded.unwrap().state, State::Revoked);
            assert!(matches!(given.unwrap(), State::Granted | State::Paid));
            assert_eq!(town.order(&gift.id).await.state, State::Granted, "in round {round}");
            assert!(owns(&town.stores[0].db, &alice, town.packs[0]).await.unwrap(), "in round {round}");
        }
    });
}

#[test]
fn one_payment_handed_in_for_two_orders_at_once_settles_one_and_leaves_the_other_as_it_was() {
    in_town(async |town| {
        for round in 0..ROUNDS {
            let (alice, bob) = (user("alice", round), user("bob", round));
            let of = |at: usize| Wanted {
                buyer: &alice,
                partner: &bob,
                recipient: Recipient::Buyer,
                pack: town.packs[at],
                provider: Provider::Sandbox,
            };
            let (first, second) = (town.orders(of(0)).await, town.orders(of(1)).await);
            let payment = format!("t-{round}");
            let (one, other) = tokio::join!(
                pays(town, 0, &alice, &first, &payment),
                pays(town, 1, &alice, &second, &payment)
            );
            let (settled, left, refused) = match (one, other) {
                (Ok(_), Err(refused)) => (&first, &second, refused),
                (Err(refused), Ok(_)) => (&second, &first, refused),
                both => panic!("{both:?} in round {round}"),
            };
            assert_eq!(refused.code(), "transaction_taken");
            assert_eq!(town.order(&settled.id).await.state, State::Granted);
            assert_eq!(town.order(&left.id).await.state, State::Created, "in round {round}");
        }
    });
}

#[test]
fn who_hangs_up_while_a_transaction_begins_leaves_none_behind_in_which_others_write() {
    in_town(async |town| {
        let [here, there] = &town.stores;
        for awaits in 0..40 {
            // Of each kind of await one, and where nobody hangs up it is rolled back.
            drop(dies(db::begin(&here.db), Some(awaits % 8)).await);
            let before = db::counters(&there.db).await.unwrap().keyring;
            for _ in 0..4 {
                // Whoever holds the row for ever is in a transaction that nobody ends.
                let counted = tokio::time::timeout(HALT, db::count_up(&here.db, Counter::Keyring)).await;
                counted.expect("nobody holds what is counted").unwrap();
            }
            let after = db::counters(&there.db).await.unwrap().keyring;
            assert_eq!(after, before + 4, "what was written is not there for others, after {awaits} awaits");
        }
    });
}

#[test]
fn who_hangs_up_before_a_statement_fails_takes_no_connection_along() {
    in_town(async |town| {
        let db = &town.stores[0].db;
        // A tenth of a second later, where the database can be made to; SQLite has no servers that answer late.
        let fails_late = match db.get_database_backend() {
            DbBackend::Postgres => "SELECT 1 / (CASE WHEN pg_sleep(0.1) IS NULL THEN 1 ELSE 0 END)",
            DbBackend::MySql => {
                "SET STATEMENT max_statement_time = 0.1 FOR SELECT BENCHMARK(1000000000, MD5('a'))"
            }
            _ => "INSERT INTO audit_head SELECT * FROM audit_head",
        };
        if db.get_database_backend() == DbBackend::Postgres {
            let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            let encrypted = Statement::from_string(DbBackend::Postgres, encrypted);
            let encrypted = db.query_one_raw(encrypted).await.unwrap().unwrap();
            let encrypted: bool = encrypted.try_get_by_index(0).unwrap();
            summary(&format!("connections to PostgreSQL that are lost without care (TLS): {encrypted}"));
        }
        // More often than there are connections, and the town closes once all of them have come back. Over TLS, which servers have as
        // Debian installs them, sqlx alone would lose each.
        for _ in 0..40 {
            let transaction = db::begin(db).await.unwrap();
            let failing = transaction.execute_unprepared(fails_late);
            let failed = tokio::time::timeout(Duration::from_millis(20), failing).await;
            let at_once = matches!(failed, Ok(Err(_))) && db.get_database_backend() == DbBackend::Sqlite;
            assert!(failed.is_err() || at_once, "{failed:?}");
        }
    });
}
