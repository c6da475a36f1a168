//! What comes round.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sticker_store::app::App;
use sticker_store::web::error::Error;
use sticker_store::worker;
use sticker_store::worker::rounds::{Round, every, turn, usual};
use tokio::sync::Notify;

use crate::office::{Does, Notes, in_the_office};

const AN_HOUR: Duration = Duration::from_hours(1);

/// A round that counts how often it was done.
fn counting() -> (Round, Arc<AtomicUsize>) {
    let times = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&times);
    let round = every("count", AN_HOUR, move |_app| {
        counts.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    (round, times)
}

#[test]
fn of_several_processes_one_does_a_round_and_none_before_it_is_due_again() {
    in_the_office(async |office| {
        let (round, times) = counting();
        let both = async || {
            let (one, other) = tokio::join!(turn(&office.one, &round), turn(&office.other, &round));
            usize::from(one.unwrap()) + usize::from(other.unwrap())
        };
        for done in 1..=5 {
            assert_eq!(both().await, 1);
            assert_eq!(times.load(Ordering::Relaxed), done);
            office.passes(3_599_999);
            assert_eq!(both().await, 0);
            office.passes(1);
        }
    });
}

#[test]
fn a_round_that_fails_is_tried_again_after_a_minute() {
    in_the_office(async |office| {
        let round = every("fails", AN_HOUR, |_app| async {
            Err::<(), _>(Error::refused("away", "the other side is away"))
        });
        let code = async |app: &App| turn(app, &round).await.map_err(|error| error.code());
        assert_eq!(code(&office.one).await, Err("away"));
        office.passes(59_999);
        assert_eq!(code(&office.other).await, Ok(false));
        office.passes(1);
        assert_eq!(code(&office.other).await, Err("away"));
        let faulty = every("faulty", AN_HOUR, |_app| async { panic!("a round has a fault") });
        assert_eq!(turn(&office.one, &faulty).await.unwrap_err().code(), "internal");
    });
}

#[test]
fn the_round_of_a_process_that_died_is_done_by_another_after_ten_minutes() {
    in_the_office(async |office| {
        let begun = Arc::new(Notify::new());
        let begins = Arc::clone(&begun);
        let endless = every("count", AN_HOUR, move |_app| {
            begins.notify_one();
            std::future::pending()
        });
        let one = office.one.clone();
        let dies = tokio::spawn(async move { turn(&one, &endless).await.map(drop) });
        begun.notified().await;
        dies.abort();
        assert!(dies.await.unwrap_err().is_cancelled());
        let (round, times) = counting();
        office.passes(599_999);
        assert!(!turn(&office.other, &round).await.unwrap());
        office.passes(1);
        assert!(turn(&office.other, &round).await.unwrap());
        assert_eq!(times.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_clock_that_is_put_back_by_a_day_stops_no_round() {
    in_the_office(async |office| {
        let (round, times) = counting();
        assert!(turn(&office.one, &round).await.unwrap());
        office.passes(-86_400_000);
        assert!(turn(&office.other, &round).await.unwrap());
        assert!(!turn(&office.one, &round).await.unwrap());
        assert_eq!(times.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_worker_does_its_rounds_and_the_usual_ones_work() {
    in_the_office(async |office| {
        for round in usual(&office.one.config) {
            assert!(turn(&office.one, &round).await.unwrap(), "{round:?}");
        }
        let done = Arc::new(Notify::new());
        let does = Arc::clone(&done);
        let round = every("once", AN_HOUR, move |_app| {
            does.notify_one();
            async { Ok(()) }
        });
        let notes = Notes::that(Does::Succeeds);
        let working = tokio::spawn(worker::work_with(office.other.clone(), notes, vec![round]));
        done.notified().await;
        office.other.stopping.send_replace(true);
        working.await.unwrap();
    });
}
