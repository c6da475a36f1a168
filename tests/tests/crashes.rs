//! The store is killed at any moment of a mixed load, again and again: what was answered holds, and nothing is there by half.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sticker_tests::{
    Answer, ChatServer, ChatUser, Database, Finished, Store, Town, number_set, on_each_database, summary,
};

/// `STICKER_TEST_CRASHES` sets another number.
const CRASHES: u64 = 300;
const CLIENTS: u64 = 4;
/// After so many crashes everything is looked at.
const LOOK_EVERY: u64 = 25;

/// What was answered about an order, by the order's id.
#[derive(Debug)]
struct Answered {
    /// Whose library has the pack.
    owner: Option<String>,
    refunded: bool,
}

/// What all clients share.
struct Load<'a> {
    chat: &'a ChatServer,
    pack: u64,
    stops: AtomicBool,
    answers: AtomicU64,
    answered: Mutex<BTreeMap<String, Answered>>,
    refunds: Mutex<Vec<String>>,
    given_up: AtomicU64,
}

#[test]
fn what_was_answered_holds_and_nothing_is_there_by_half_however_often_the_store_is_killed() {
    on_each_database(|database: Database| {
        let (name, crashes, began) =
            (database.name(), number_set("STICKER_TEST_CRASHES", CRASHES), Instant::now());
        let Town { mut store, chat, release, .. } = Town::with_pack(database, "tier1");
        let load = Load {
            chat: &chat,
            pack: release.pack.get(),
            stops: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            answered: Mutex::default(),
            refunds: Mutex::default(),
            given_up: AtomicU64::new(0),
        };
        std::thread::scope(|threads| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    threads.spawn({
                        let load = &load;
                        move || load.works(client)
                    })
                })
                .collect();
            let stops = StopsAtTheEnd(&load.stops);
            let mut chance = client_chance(0);
            for crash in 1..=crashes {
                // At any moment: some answers from here, and some microseconds on.
                let answers = load.answers.load(Ordering::SeqCst) + next(&mut chance) % 24;
                let patience = Instant::now() + Duration::from_mins(1);
                while load.answers.load(Ordering::SeqCst) < answers {
                    assert!(Instant::now() < patience, "nobody is answered:\n{}", store.log());
                    std::thread::yield_now();
                }
                let moment = Instant::now() + Duration::from_micros(next(&mut chance) % 8_000);
                while Instant::now() < moment {
                    std::hint::spin_loop();
                }
                store.crashes_and_restarts();
                if crash % 8 == 0 {
                    load.refunds_one(&store);
                }
                if crash % LOOK_EVERY == 0 {
                    looks(&store);
                }
            }
            drop(stops);
            for client in clients {
                client.join().unwrap();
            }
        });
        looks(&store);
        let (bought, refunded) = load.holds(&store);
        summary(&format!(
            "{crashes} kills of the store on {name} in {} s under {} answers: {bought} answered purchases, {refunded} answered refunds, {} \
             given up by their clients; all there once, none by half, audit whole",
            began.elapsed().as_secs(),
            load.answers.load(Ordering::SeqCst),
            load.given_up.load(Ordering::SeqCst),
        ));
    });
}

/// Has the clients stop also where the test fails.
struct StopsAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopsAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// `SplitMix64`, from a client's number.
fn client_chance(client: u64) -> u64 {
    client.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(0x1234_5678)
}

fn next(chance: &mut u64) -> u64 {
    *chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*chance ^ (*chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Load<'_> {
    /// A client's work: one user after the other buys, for themselves, for a partner, or for whoever has the code.
    fn works(&self, client: u64) {
        let mut chance = client_chance(client + 1);
        for round in 0_u64.. {
            if self.stops.load(Ordering::SeqCst) {
                return;
            }
            let (user, friend) = (format!("user-{client}-{round}"), format!("friend-{client}-{round}"));
            if self.buys(&mut chance, &user, &friend).is_none() {
                self.given_up.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// `None` where the client gives up, as people do.
    fn buys(&self, chance: &mut u64, user: &str, friend: &str) -> Option<()> {
        let gift = [None, None, Some("partner"), Some("code")][usize::try_from(next(chance) % 4).unwrap()];
        let session = Self::until_given(|| self.chat.tries_to_open_store_for(user, friend));
        let mut wish = json!({ "pack_id": self.pack, "provider": "sandbox" });
        if let Some(gift) = gift {
            wish["gift"] = gift.into();
        }
        let order = self.asks(chance, &session, "/v1/orders", &wish, user, 201)?;
        let id = order["id"].as_str().unwrap().to_owned();
        let (path, receipt) = (ChatUser::receipts_of(&order), json!({ "transaction": format!("t-{id}") }));
        let paid = self.asks(chance, &session, &path, &receipt, user, 200)?;
        let state = if gift == Some("code") { "paid" } else { "granted" };
        assert_eq!(paid["state"], state, "{paid}");
        let owner = match gift {
            None => Some(user.to_owned()),
            Some("partner") => Some(friend.to_owned()),
            Some(_) => None,
        };
        self.answered.lock().unwrap().insert(id.clone(), Answered { owner, refunded: false });
        if gift == Some("code") {
            let code = paid["gift"]["code"].as_str().unwrap().to_owned();
            let theirs = Self::until_given(|| self.chat.tries_to_open_store_for(friend, user));
            self.asks(chance, &theirs, "/v1/codes", &json!({ "code": code }), friend, 200)?;
            self.answered.lock().unwrap().get_mut(&id).unwrap().owner = Some(friend.to_owned());
        }
        if next(chance).is_multiple_of(3) {
            let again = self.asks(chance, &session, &path, &receipt, user, 200)?;
            assert_eq!((&again["id"], &again["state"]), (&order["id"], &json!("granted")), "{again}");
        }
        if gift.is_none() && next(chance).is_multiple_of(4) {
            self.refunds.lock().unwrap().push(id);
        }
        Some(())
    }

    /// Asks until there is an answer; some give up where none comes at once.
    fn asks(
        &self,
        chance: &mut u64,
        user: &ChatUser,
        path: &str,
        body: &Value,
        key: &str,
        wanted: u16,
    ) -> Option<Value> {
        let gives_up = next(chance).is_multiple_of(8);
        let first = user.tries(path, body, key);
        if gives_up && first.is_none() {
            return None;
        }
        let mut first = first;
        let taken = |answer: Answer| if answer.status == 503 { None } else { Some(answer) };
        let answer =
            Self::until_given(|| first.take().or_else(|| user.tries(path, body, key)).and_then(taken));
        self.answers.fetch_add(1, Ordering::SeqCst);
        Some(answer.expect(wanted).json())
    }

    fn until_given<T>(mut given: impl FnMut() -> Option<T>) -> T {
        let patience = Instant::now() + Duration::from_mins(2);
        loop {
            if let Some(given) = given() {
                return given;
            }
            assert!(Instant::now() < patience, "no answer for two minutes");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// An operator takes one order back, by the command.
    fn refunds_one(&self, store: &Store) {
        let Some(id) = self.refunds.lock().unwrap().pop() else { return };
        let done: Finished =
            store.operator().runs(&["admin", "orders", "refund", &id, "--reason", "asked for it"]);
        assert_eq!(done.code, 0, "{done:?}");
        self.answered.lock().unwrap().get_mut(&id).unwrap().refunded = true;
    }

    /// Everything that was answered is so; gives how many purchases and refunds.
    fn holds(&self, store: &Store) -> (usize, usize) {
        let rows = store.has_texts::<3>(
            "SELECT o.id, o.state, CONCAT('grants ', COUNT(g.id)) FROM orders o \
             LEFT JOIN grants g ON g.order_id = o.id AND g.active = 1 GROUP BY o.id, o.state",
        );
        let rows: BTreeMap<String, (String, String)> =
            rows.into_iter().map(|[id, state, grants]| (id, (state, grants))).collect();
        let answered = self.answered.lock().unwrap();
        for (id, answered) in answered.iter() {
            let (state, grants) = rows.get(id).unwrap_or_else(|| panic!("{id} is gone: {answered:?}"));
            let wanted = match answered {
                Answered { refunded: true, .. } => ("revoked", "grants 0"),
                Answered { owner: Some(_), .. } => ("granted", "grants 1"),
                // The code was given; redeeming it may have come through without an answer.
                Answered { owner: None, .. } if state == "granted" => ("granted", "grants 1"),
                Answered { owner: None, .. } => ("paid", "grants 0"),
            };
            assert_eq!((state.as_str(), grants.as_str()), wanted, "{id}: {answered:?}");
        }
        (answered.len(), answered.values().filter(|answered| answered.refunded).count())
    }
}

/// Nothing is there by half, whatever was answered; while the load goes on.
fn looks(store: &Store) {
    for (what, rows) in HALVES {
        let [found] = store.has_numbers(&format!("SELECT COUNT(*) FROM {rows}"));
        assert_eq!(found, 0, "{what}");
    }
    let verified = store.operator().runs(&["admin", "audit", "verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

/// Each is one statement, which sees what was committed at one moment.
const HALVES: [(&str, &str); 7] = [
    (
        "a grant without a payment",
        "grants g WHERE g.active = 1 AND NOT EXISTS (SELECT 1 FROM purchases p WHERE p.order_id = g.order_id)",
    ),
    (
        "a grant of an order that is not granted",
        "grants g JOIN orders o ON o.id = g.order_id WHERE g.active = 1 AND o.state <> 'granted'",
    ),
    (
        "a granted order without its grant",
        "orders o WHERE o.state = 'granted' AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.order_id = o.id AND g.active = 1)",
    ),
    (
        "a payment of an order that does not know it",
        "purchases p JOIN orders o ON o.id = p.order_id WHERE o.state IN ('created', 'pending')",
    ),
    (
        "a payment without what its provider said, or without its event",
        "purchases p WHERE NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.transaction_id = p.transaction_id AND s.order_id = p.order_id) \
         OR NOT EXISTS (SELECT 1 FROM inbox i WHERE i.order_id = p.order_id)",
    ),
    (
        "an order that was paid for twice",
        "orders o WHERE (SELECT COUNT(*) FROM purchases p WHERE p.order_id = o.id) > 1",
    ),
    (
        "a paid order without a row in the trace",
        "orders o WHERE o.state IN ('paid', 'granted') AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = o.id)",
    ),
];
