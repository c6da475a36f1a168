//! What an operator does with jobs.

use sticker_store::audit::Actor;
use sticker_store::outbox::Failure;
use sticker_store::outbox::operate::{drop, retry, retry_all_dead, sweep};

use crate::office::{Does, Notes, in_the_office, works};

const OPERATOR: Actor<'_> = Actor("operator");

fn refuses() -> std::sync::Arc<Notes> {
    Notes::that(Does::Fails(Failure::refused("400: no such purchase")))
}

#[test]
fn a_job_that_was_refused_for_good_is_dead_at_once_and_done_when_an_operator_retries_it() {
    in_the_office(async |office| {
        office.puts("a").await;
        let refuses = refuses();
        works(&office.one, &refuses).await;
        let dead = office.job().await;
        assert_eq!((dead.state.as_str(), dead.attempts), ("dead", 1));
        assert_eq!(dead.last_error.as_deref(), Some("400: no such purchase"));
        office.passes(86_400_000);
        assert_eq!(works(&office.other, &refuses).await, 0, "nobody tries it any more");

        retry(&office.other, OPERATOR, &dead.id).await.unwrap();
        let notes = Notes::that(Does::Succeeds);
        works(&office.one, &notes).await;
        let done = office.job().await;
        assert_eq!((done.state.as_str(), done.attempts, done.last_error), ("done", 1, None));
        assert_eq!(office.noted().await, [format!("outbox_retry job:{}", dead.id)]);
        let refused = retry(&office.one, OPERATOR, &dead.id).await.unwrap_err();
        assert_eq!(refused.code(), "job_done");
    });
}

#[test]
fn every_dead_job_is_retried_at_once_and_no_other() {
    in_the_office(async |office| {
        office.puts("done").await;
        works(&office.one, &Notes::that(Does::Succeeds)).await;
        for key in ["a", "b", "c"] {
            office.puts(key).await;
        }
        works(&office.one, &refuses()).await;
        assert_eq!(retry_all_dead(&office.one, OPERATOR).await.unwrap(), 3);
        assert_eq!(retry_all_dead(&office.one, OPERATOR).await.unwrap(), 0);
        let notes = Notes::that(Does::Succeeds);
        works(&office.other, &notes).await;
        assert_eq!(notes.begun().into_keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(office.noted().await.len(), 3);
    });
}

#[test]
fn one_that_waits_for_its_next_attempt_is_due_at_once_when_an_operator_retries_it() {
    in_the_office(async |office| {
        office.puts("a").await;
        works(&office.one, &Notes::that(Does::Fails(Failure::later("503")))).await;
        let notes = Notes::that(Does::Succeeds);
        assert_eq!(works(&office.one, &notes).await, 0);
        retry(&office.one, OPERATOR, &office.job().await.id).await.unwrap();
        assert_eq!(works(&office.one, &notes).await, 1);
        assert_eq!(office.job().await.attempts, 2);
    });
}

#[test]
fn a_job_is_dropped_with_a_reason_unless_it_is_done_or_being_done() {
    in_the_office(async |office| {
        office.puts("a").await;
        let id = office.job().await.id;
        let code = async |reason| drop(&office.one, OPERATOR, &id, reason).await.unwrap_err().code();
        assert_eq!(code(" ").await, "invalid_reason");
        let waits = Notes::that(Does::Waits);
        let looks = async {
            waits.begins.notified().await;
            let codes = (code("gone").await, retry(&office.one, OPERATOR, &id).await.unwrap_err().code());
            waits.goes_on.notify_one();
            codes
        };
        let (_, codes) = tokio::join!(works(&office.other, &waits), looks);
        assert_eq!(codes, ("job_running", "job_running"));
        assert_eq!(code("gone").await, "job_done");

        office.puts("b").await;
        works(&office.one, &refuses()).await;
        let dead = office.jobs().await.into_iter().find(|job| job.key == "b").unwrap().id;
        drop(&office.one, OPERATOR, &dead, "the purchase was refunded").await.unwrap();
        assert_eq!(office.job().await.key, "a");
        assert_eq!(office.noted().await, [format!("outbox_drop job:{dead}")]);
        assert_eq!(drop(&office.one, OPERATOR, &dead, "again").await.unwrap_err().code(), "not_found");
    });
}

#[test]
fn what_was_done_is_swept_after_thirty_days_and_what_is_dead_stays() {
    in_the_office(async |office| {
        office.puts("done").await;
        works(&office.one, &Notes::that(Does::Succeeds)).await;
        office.puts("dead").await;
        works(&office.one, &refuses()).await;
        office.passes(30 * 86_400_000 - 1);
        sweep(&office.one).await.unwrap();
        assert_eq!(office.jobs().await.len(), 2);
        office.passes(1);
        sweep(&office.other).await.unwrap();
        assert_eq!(office.job().await.key, "dead");
    });
}
