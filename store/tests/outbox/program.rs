//! The programs: a store that works beside its requests, and a worker alone.

use sticker_tests::{Database, Store, on_each_database, until};

/// One whose payload is damaged, so that nobody can ever do it.
const JOB: &str = "INSERT INTO outbox (id, kind, job_key, payload, state, attempts, next_at, created_at) \
                   VALUES ('job-1', 'google_consume', 'order-1', '{', 'waiting', 0, 1, 1)";

fn jobs(store: &Store, arguments: &[&str]) -> Vec<serde_json::Value> {
    let listed = store.operator().runs(&[&["admin", "outbox", "list", "--json"], arguments].concat());
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    listed["jobs"].as_array().unwrap().clone()
}

fn metric(store: &Store, line: &str) -> Option<String> {
    let text = sticker_tests::Phone::of(store).gets("/metrics").text();
    text.lines().find_map(|it| it.strip_prefix(line)).map(|value| value.trim().to_owned())
}

#[test]
fn a_job_that_nobody_can_do_is_dead_and_an_operator_sees_retries_and_drops_it() {
    on_each_database(|database| {
        let store = Store::start(database);
        let operator = store.operator();
        store.has_rows_altered(JOB);
        until("the store does the job", || jobs(&store, &["--state", "dead"]).len() == 1);
        let job = jobs(&store, &[])[0].clone();
        assert_eq!((job["id"].as_str(), job["attempts"].as_i64()), (Some("job-1"), Some(1)));
        assert_eq!(job["last_error"], "the payload is damaged");
        assert!(job.get("payload").is_none());
        let shown = operator.runs(&["admin", "outbox", "list"]).stdout;
        assert!(shown.contains("dead") && shown.contains("the payload is damaged"), "{shown}");
        assert_eq!(store.log().matches("a job is dead").count(), 1, "{}", store.log());
        until("the metrics show it", || {
            metric(&store, "sticker_store_outbox_jobs{state=\"dead\"}").as_deref() == Some("1")
        });
        assert_eq!(metric(&store, "sticker_store_outbox_jobs{state=\"waiting\"}").as_deref(), Some("0"));

        assert_eq!(operator.runs(&["admin", "outbox", "retry", "--all-dead"]).stdout, "1 jobs are due\n");
        until("the store does it again", || store.log().matches("a job is dead").count() == 2);
        assert_eq!(operator.runs(&["admin", "outbox", "retry", "job-1"]).code, 0);
        until("and again", || store.log().matches("a job is dead").count() == 3);
        assert_eq!(operator.runs(&["admin", "outbox", "retry"]).code, 2);
        assert_eq!(operator.runs(&["admin", "outbox", "drop", "job-1"]).code, 2);
        let dropped = operator.runs(&["admin", "outbox", "drop", "job-1", "--reason", "no such provider"]);
        assert_eq!((dropped.code, dropped.stdout.as_str()), (0, "job-1  is dropped\n"));
        assert_eq!(operator.runs(&["admin", "outbox", "retry", "job-1"]).code, 1);
        assert_eq!(jobs(&store, &[]), [] as [serde_json::Value; 0]);
        let noted = operator.runs(&["admin", "audit", "list", "--subject", "job:job-1"]).stdout;
        assert_eq!(noted.lines().count(), 3, "{noted}");
        assert_eq!(operator.runs(&["admin", "audit", "verify"]).code, 0);
        assert!(store.log().contains("the end of the audit chain"), "{}", store.log());
        assert_eq!(store.stop(), 0);
    });
}

#[test]
fn a_job_for_a_provider_that_is_not_configured_waits_for_a_worker_that_knows_it_until_its_attempts_are_used_up()
 {
    on_each_database(|database| {
        let store = Store::start(database);
        store.has_rows_altered(&JOB.replace("'{'", "'{}'"));
        let first = || jobs(&store, &["--state", "waiting"]).first().cloned().unwrap_or_default();
        until("the store tries the job", || first()["last_error"] == "provider is not configured");
        assert!(jobs(&store, &["--state", "dead"]).is_empty());
        // The next attempt is the last.
        store.has_rows_altered("UPDATE outbox SET attempts = 83, next_at = 1");
        until("the store gives the job up", || jobs(&store, &["--state", "dead"]).len() == 1);
        assert_eq!(jobs(&store, &[])[0]["last_error"], "provider is not configured");
        assert_eq!(store.stop(), 0);
    });
}

#[test]
fn a_worker_alone_does_what_a_store_does_not_and_ends_when_asked() {
    let store = Store::start_with(Database::Sqlite, &[("STICKER_STORE__WORKER__IN_SERVE", "false")]);
    store.has_rows_altered(JOB);
    until("the store counts the job", || {
        metric(&store, "sticker_store_outbox_jobs{state=\"waiting\"}").as_deref() == Some("1")
    });
    let oldest = metric(&store, "sticker_store_outbox_oldest_seconds").unwrap();
    assert!(oldest.parse::<f64>().unwrap() > 1_000_000.0, "{oldest}");
    let worker = store.has_a_worker();
    until("the worker does the job", || jobs(&store, &["--state", "dead"]).len() == 1);
    assert!(!store.log().contains("a job is dead"), "{}", store.log());
    assert_eq!(worker.stop(), 0);
}
