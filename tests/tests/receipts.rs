//! One receipt, handed in a thousand times at once to two processes of the store: one grant, and one answer.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sticker_tests::{Answer, ChatUser, Town, on_each_database, summary};

const ROUNDS: usize = 20;
const MOST_TRIES: usize = 10;
const AT_ONCE: usize = 1_000;

/// A payment for an order, as an app hands it in.
type Receipt = fn(&Value) -> Value;

#[test]
fn a_thousand_submissions_at_once_of_one_receipt_to_two_processes_give_one_grant_and_one_answer() {
    let with_test_money: Receipt = |order| json!({ "transaction": format!("t-{}", order["id"]) });
    on_each_database(|database| {
        let name = database.name();
        let town = Town::with_pack(database, "tier1");
        let other = town.store.one_more();
        let bought: Vec<(ChatUser, Value)> = (0..ROUNDS)
            .map(|round| {
                let user = town.chat.opens_store_for(&format!("user-{round}"));
                let order = user.orders(town.pack(), "sandbox").expect(201).json();
                (user, order)
            })
            .collect();
        let (together, again) = (Barrier::new(AT_ONCE), AtomicU64::new(0));
        let answers: Vec<Vec<Answer>> = std::thread::scope(|scope| {
            let devices = (0..AT_ONCE).map(|at| {
                let store = if at % 2 == 0 { &town.store } else { &other };
                let (together, bought, again) = (&together, &bought, &again);
                let hands_in = move || {
                    let mut answers = Vec::with_capacity(ROUNDS);
                    let device = bought[0].0.at(store);
                    for (user, order) in bought {
                        let device = device.hands_over_to(user);
                        let (path, receipt) = (ChatUser::receipts_of(order), with_test_money(order));
                        together.wait();
                        let mut answer = device.posts(&path, &receipt);
                        // On a machine that is busy with other things some wait for a connection in vain, and ask again as apps do.
                        for _ in 0..MOST_TRIES {
                            if answer.status != 503 {
                                break;
                            }
                            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                            again.fetch_add(1, Ordering::Relaxed);
                            answer = device.posts(&path, &receipt);
                        }
                        answers.push(answer);
                    }
                    answers
                };
                std::thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, hands_in).unwrap()
            });
            let devices: Vec<_> = devices.collect();
            devices.into_iter().map(|device| device.join().unwrap()).collect()
        });
        let mut refused = BTreeMap::new();
        for answer in answers.iter().flatten().filter(|answer| answer.status != 200) {
            *refused.entry(answer.text()).or_insert(0) += 1;
        }
        assert!(refused.is_empty(), "{name}: {refused:#?}");
        for round in 0..ROUNDS {
            let mut bodies: Vec<&[u8]> = answers.iter().map(|of_device| &*of_device[round].body).collect();
            bodies.sort_unstable();
            bodies.dedup();
            assert_eq!(bodies.len(), 1, "{name}: answers differ in round {round}");
        }
        let grants = "SELECT COUNT(*), COUNT(DISTINCT user_id) FROM grants WHERE active = 1";
        let paid = "SELECT COUNT(*), COUNT(DISTINCT order_id) FROM purchases";
        let rounds = i64::try_from(ROUNDS).unwrap();
        assert_eq!(town.store.has_numbers(grants), [rounds, rounds], "{name}");
        assert_eq!(town.store.has_numbers(paid), [rounds, rounds], "{name}");
        summary(&format!(
            "{} submissions of {ROUNDS} receipts, {AT_ONCE} of one at once, to two processes on {name}: {ROUNDS} grants, {ROUNDS} purchases; {} were asked to come again",
            ROUNDS * AT_ONCE,
            again.load(Ordering::Relaxed)
        ));
    });
}
