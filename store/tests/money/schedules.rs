//! Thousands of schedules, each from its seed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sticker_store::audit::verify::verify;
use sticker_tests::{Database, number_set, on_each_database, summary};

use crate::naive::{FLAWS, Flaw};
use crate::plan::Shape;
use crate::run::{Counts, Handler, run};
use crate::town::Town;

/// On SQLite, in memory. Servers write each commit to a disk.
const SCHEDULES: u64 = 20_000;
const SCHEDULES_ON_A_SERVER: u64 = 300;
/// Schedules beside each other on one database.
const BESIDE: usize = 12;
/// Files of SQLite beside each other, since each has one writer.
const FILES: u64 = 4;

#[test]
fn whatever_is_doubled_late_out_of_order_or_crashed_each_payment_gives_one_grant_and_each_refund_takes_it_back()
 {
    on_each_database(|database| {
        let usual = if database == Database::Sqlite { SCHEDULES } else { SCHEDULES_ON_A_SERVER };
        let (first, count) = match number_set("STICKER_TEST_SEED", 0) {
            0 => (1, number_set("STICKER_TEST_SCHEDULES", usual)),
            seed => (seed, 1),
        };
        let seeds = Seeds::new(first, count);
        let counted = if database == Database::Sqlite {
            std::thread::scope(|threads| {
                let files: Vec<_> = (0..FILES.min(count))
                    .map(|_| threads.spawn(|| in_a_town(&Database::Sqlite, &seeds, 2)))
                    .collect();
                let counts = files.into_iter().map(|file| file.join().unwrap());
                counts.fold(Counts::default(), Counts::and)
            })
        } else {
            in_a_town(&database, &seeds, BESIDE)
        };
        assert_eq!(counted.schedules, count);
        summary(&format!(
            "{} schedules on {}: {} deliveries, {} of them crashed and {} refused, no invariant broken",
            counted.schedules,
            database.name(),
            counted.deliveries,
            counted.crashes,
            counted.refused
        ));
    });
}

/// Seeds that many take from.
struct Seeds {
    next: AtomicU64,
    end: u64,
    failed: AtomicBool,
}

impl Seeds {
    fn new(first: u64, count: u64) -> Self {
        Self { next: AtomicU64::new(first), end: first + count, failed: AtomicBool::new(false) }
    }

    fn take(&self) -> Option<u64> {
        let seed = self.next.fetch_add(1, Ordering::Relaxed);
        (seed < self.end && !self.failed.load(Ordering::Relaxed)).then_some(seed)
    }
}

/// Runs schedules in a town of its own, and looks at its whole trace in the end.
fn in_a_town(database: &Database, seeds: &Seeds, beside: usize) -> Counts {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let town = runtime.block_on(Town::new(database));
    let runs_some = || {
        let mut counts = Counts::default();
        while let Some(seed) = seeds.take() {
            match runtime.block_on(run(&town, seed, Shape::Whole, Handler::Store)) {
                Ok(counted) => counts = counts.and(counted),
                Err(broken) => {
                    seeds.failed.store(true, Ordering::Relaxed);
                    panic!("on {}, again with STICKER_TEST_SEED={seed}: {broken}", database.name());
                }
            }
        }
        counts
    };
    // Each in a thread of its own, so that one that dies at its n-th await is woken for itself alone.
    let counts = std::thread::scope(|threads| {
        let some: Vec<_> = (0..beside).map(|_| threads.spawn(runs_some)).collect();
        some.into_iter().map(|some| some.join().unwrap()).fold(Counts::default(), Counts::and)
    });
    runtime.block_on(async {
        let report = verify(&town.stores[0], None).await.unwrap();
        assert!(report.findings.is_empty() && report.more_findings == 0, "{report:?}");
        town.closes().await;
    });
    counts
}

#[test]
fn the_same_schedules_find_what_is_wrong_with_a_handler_that_did_not_think_of_everything() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let town = Town::new(&Database::Sqlite).await;
        // What is found below is the flaw, and not that the handler is another one.
        for seed in 1..=CAREFUL {
            let done = run(&town, seed, Shape::Plain, Handler::Naive(Flaw::None)).await;
            done.unwrap_or_else(|broken| panic!("{broken}"));
        }
        let mut seed = CAREFUL;
        for flaw in FLAWS {
            let first = seed;
            let broken = loop {
                seed += 1;
                assert!(seed - first <= FOUND_WITHIN, "{flaw:?} was not found");
                if let Err(broken) = run(&town, seed, Shape::Plain, Handler::Naive(flaw)).await {
                    break broken;
                }
            };
            let what = broken.lines().nth(1).unwrap_or_default().trim().to_owned();
            summary(&format!("a naive handler that {flaw:?}: found in schedule {}: {what}", seed - first));
        }
        town.closes().await;
    });
}

const CAREFUL: u64 = 100;
const FOUND_WITHIN: u64 = 200;
