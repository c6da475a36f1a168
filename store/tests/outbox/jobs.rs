//! The life of a job.

use std::sync::Arc;
use std::time::Duration;

use sticker_store::outbox::run::Handlers;
use sticker_store::outbox::{Failure, Kind, put};
use sticker_store::{db, worker};

use crate::office::{Does, Notes, in_the_office, job, works};

#[test]
fn two_workers_do_each_of_two_hundred_jobs_once() {
    in_the_office(async |office| {
        let transaction = db::begin(&office.one.db).await.unwrap();
        for at in 0..200 {
            put(&office.one, &transaction, &job(&format!("order-{at}"))).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let notes = Notes::that(Does::Succeeds);
        let until_idle = async |app| while works(app, &notes).await > 0 {};
        tokio::join!(until_idle(&office.one), until_idle(&office.other));
        // Who lost the race for the last jobs may have stopped before the other was done with them.
        until_idle(&office.one).await;
        let begun = notes.begun();
        assert_eq!(begun.len(), 200);
        assert!(begun.values().all(|&times| times == 1), "{begun:?}");
        let jobs = office.jobs().await;
        assert!(jobs.iter().all(|job| (job.state.as_str(), job.attempts) == ("done", 1)));
    });
}

#[test]
fn a_job_is_there_once_and_only_with_its_transaction() {
    in_the_office(async |office| {
        let transaction = db::begin(&office.one.db).await.unwrap();
        put(&office.one, &transaction, &job("given-up")).await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(office.jobs().await, []);

        // The second put neither fails nor ends the transaction, and what comes after it is written too.
        let transaction = db::begin(&office.one.db).await.unwrap();
        for key in ["a", "a", "b"] {
            put(&office.one, &transaction, &job(key)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        office.puts("a").await;
        assert_eq!(office.jobs().await.len(), 2);
        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.one, &notes).await, 2);
        office.puts("a").await;
        assert_eq!(works(&office.other, &notes).await, 0, "it is done");
        assert_eq!(notes.times(), 2);
    });
}

#[test]
fn the_job_of_a_worker_that_died_is_done_by_another_once_its_claim_has_ended() {
    in_the_office(async |office| {
        office.puts("a").await;
        let dies = Notes::that(Does::Waits);
        let handlers: Arc<dyn Handlers> = Arc::<Notes>::clone(&dies);
        let one = office.one.clone();
        let working =
            tokio::spawn(
                async move { sticker_store::outbox::work_once(&one, &handlers, 10).await.map(drop) },
            );
        dies.begins.notified().await;
        working.abort();
        assert!(working.await.unwrap_err().is_cancelled());

        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.other, &notes).await, 0, "the other may be alive");
        office.passes(119_999);
        assert_eq!(works(&office.other, &notes).await, 0);
        office.passes(1);
        assert_eq!(works(&office.other, &notes).await, 1);
        assert_eq!((notes.times(), office.job().await.state.as_str()), (1, "done"));
        assert_eq!(office.job().await.attempts, 2);
    });
}

#[test]
fn what_a_worker_says_after_its_claim_has_ended_counts_no_longer() {
    in_the_office(async |office| {
        office.puts("a").await;
        let late = Notes::that(Does::Waits);
        let refused = Notes::that(Does::Fails(Failure::refused("gone")));
        let in_the_meantime = async {
            late.begins.notified().await;
            office.passes(120_000);
            assert_eq!(works(&office.other, &refused).await, 1);
            late.goes_on.notify_one();
        };
        let (jobs, ()) = tokio::join!(works(&office.one, &late), in_the_meantime);
        assert_eq!(jobs, 1);
        let job = office.job().await;
        assert_eq!((job.state.as_str(), job.last_error.as_deref()), ("dead", Some("gone")));
    });
}

#[test]
fn a_job_that_fails_is_tried_again_after_longer_and_longer_pauses_until_it_is_dead() {
    in_the_office(async |office| {
        office.puts("a").await;
        let notes = Notes::that(Does::Fails(Failure::later("503")));
        let attempts = Kind::GoogleAcknowledge.attempts();
        for failure in 1..attempts {
            assert_eq!(works(&office.one, &notes).await, 1);
            let job = office.job().await;
            assert_eq!((job.state.as_str(), job.last_error.as_deref()), ("waiting", Some("503")));
            assert_eq!(job.attempts, i32::try_from(failure).unwrap());
            let pause = job.next_at - office.now();
            let usual = (1_000 << (failure - 1).min(12)).min(3_600_000);
            assert!((usual * 3 / 4..=usual * 5 / 4).contains(&pause), "{pause} after {failure} failures");
            office.passes(pause - 1);
            assert_eq!(works(&office.other, &notes).await, 0, "a moment too early");
            office.passes(1);
        }
        assert_eq!(works(&office.one, &notes).await, 1);
        assert_eq!(office.job().await.state, "dead");
        office.passes(86_400_000);
        assert_eq!(works(&office.one, &notes).await, 0);
        assert_eq!(notes.times(), attempts as usize);
    });
}

#[test]
fn a_pause_that_the_other_side_asks_for_is_kept() {
    in_the_office(async |office| {
        office.puts("a").await;
        let after = Some(Duration::from_secs(90));
        let notes = Notes::that(Does::Fails(Failure::Retry { after, reason: "429".to_owned() }));
        works(&office.one, &notes).await;
        assert_eq!(office.job().await.next_at, office.now() + 90_000);
        office.passes(89_999);
        assert_eq!(works(&office.other, &notes).await, 0);
        office.passes(1);
        assert_eq!(works(&office.other, &notes).await, 1);
    });
}

#[test]
fn a_fault_in_a_handler_is_a_failure_of_that_attempt_alone() {
    in_the_office(async |office| {
        office.puts("a").await;
        assert_eq!(works(&office.one, &Notes::that(Does::Panics)).await, 1);
        let job = office.job().await;
        assert_eq!((job.state.as_str(), job.attempts), ("waiting", 1));
        office.passes(2_000);
        works(&office.one, &Notes::that(Does::Succeeds)).await;
        assert_eq!(office.job().await.state, "done");
    });
}

#[test]
fn a_job_that_takes_its_worker_down_again_and_again_is_dead_some_day() {
    in_the_office(async |office| {
        office.puts("a").await;
        let attempts = Kind::GoogleAcknowledge.attempts();
        office.somebody_does(&format!("UPDATE outbox SET attempts = {attempts}")).await;
        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.one, &notes).await, 1);
        assert_eq!((office.job().await.state.as_str(), notes.times()), ("dead", 0));
    });
}

#[test]
fn a_job_of_a_kind_that_this_version_does_not_know_waits_for_one_that_does() {
    in_the_office(async |office| {
        office.puts("a").await;
        office.somebody_does("UPDATE outbox SET kind = 'telegraph', attempts = 5000").await;
        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.one, &notes).await, 1);
        assert_eq!((office.job().await.state.as_str(), notes.times()), ("waiting", 0));
    });
}

#[test]
fn a_worker_that_is_asked_to_stop_finishes_what_it_does_and_lets_the_rest_go() {
    in_the_office(async |office| {
        office.puts("slow").await;
        let finishes = Notes::that(Does::Waits);
        let working = tokio::spawn(worker::work_with(office.one.clone(), finishes.clone(), Vec::new()));
        finishes.begins.notified().await;
        office.one.stopping.send_replace(true);
        office.puts("late").await;
        finishes.goes_on.notify_one();
        working.await.unwrap();
        let jobs = office.jobs().await;
        let state = |key: &str| jobs.iter().find(|job| job.key == key).unwrap().state.clone();
        assert_eq!((state("slow").as_str(), state("late").as_str()), ("done", "waiting"));

        // What does not come to an end is let go of, and another worker may have it at once.
        let never = Notes::that(Does::Waits);
        let working = tokio::spawn(worker::work_with(office.other.clone(), never.clone(), Vec::new()));
        never.begins.notified().await;
        office.other.stopping.send_replace(true);
        working.await.unwrap();
        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.one, &notes).await, 1);
        let jobs = office.jobs().await;
        assert!(jobs.iter().all(|job| (job.state.as_str(), job.attempts) == ("done", 1)), "{jobs:?}");
    });
}
