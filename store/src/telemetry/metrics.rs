//! What the process counts, for `GET /metrics` in the text format of Prometheus. Every name, unit and label is here; none ever holds a
//! user, a token or a secret.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};
use std::time::Instant;

use ::metrics::{
    Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge, with_local_recorder,
};
use axum::http::{HeaderName, HeaderValue, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// A request was answered: the pattern of its address, none where there is no such address, and the status.
pub fn answered(route: Option<&str>, status: u16) {
    let route = route.unwrap_or("none");
    let class = usize::from(status / 100).clamp(1, STATUS_CLASSES.len()) - 1;
    let count = |counters: &[Counter; 5]| counters.get(class).map_or((), |counter| counter.increment(1));
    let known = METRICS.requests.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(counters) = known.get(route) {
        return count(counters);
    }
    drop(known);
    // There are as many as the router has patterns.
    let mut known = METRICS.requests.write().unwrap_or_else(PoisonError::into_inner);
    count(known.entry(route.into()).or_insert_with(|| {
        with_local_recorder(&METRICS.recorder, || {
            STATUS_CLASSES.map(|class| counter!(REQUESTS, "route" => route.to_owned(), "status" => class))
        })
    }));
}

/// How many checks of tokens had which result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checks([u64; RESULTS.len()]);

impl Checks {
    /// One more was accepted.
    pub fn accepted(&mut self) {
        let [accepted, ..] = &mut self.0;
        *accepted += 1;
    }

    /// One more was refused with this code.
    pub fn refused(&mut self, code: &str) {
        let found = self.0.iter_mut().zip(RESULTS).find(|(_, result)| *result == code);
        if let Some((count, _)) = found {
            *count += 1;
        }
    }

    /// Puts them on the counters.
    pub fn count(self) {
        for (counter, count) in METRICS.checks.iter().zip(self.0).filter(|(_, count)| *count > 0) {
            counter.increment(count);
        }
    }
}

/// An object was read from where objects are: memory did not have it.
pub fn object_read() {
    METRICS.objects_read.increment(1);
}

/// So many bytes of files the system sent by itself.
pub fn sent_by_system(bytes: usize) {
    METRICS.sent_by_system.increment(bytes as u64);
}

/// A variant was made because somebody asked for it, or came out otherwise than it has to.
pub fn rendered(came_out: bool) {
    let [ok, failed] = &METRICS.renders;
    if came_out { ok } else { failed }.increment(1);
}

const RENDERS: &str = "sticker_store_renders_total";
const RENDERED: [&str; 2] = ["ok", "failed"];

/// Tokens were issued.
pub fn tokens_issued(tokens: u64) {
    METRICS.tokens_issued.increment(tokens);
}

/// Somebody was refused with this code: a receipt that lies, a notification that nobody signed.
pub fn refused(code: &'static str) {
    // There are as many as the program has codes.
    with_local_recorder(&METRICS.recorder, || counter!(REFUSALS, "code" => code).increment(1));
}

/// So many jobs of the outbox wait, so many are dead, and so old is the oldest that waits.
pub fn outbox(waiting: u64, dead: u64, oldest_seconds: u64) {
    METRICS.outbox_waiting.set(approximate(waiting));
    METRICS.outbox_dead.set(approximate(dead));
    METRICS.outbox_oldest.set(approximate(oldest_seconds));
}

/// The keys in use are those of this version, as the database counts them.
pub fn keyring_version(version: u64) {
    METRICS.keyring_version.set(approximate(version));
}

/// The keys could not be read again; those that were there stay in force.
pub fn keyring_reload_failed() {
    METRICS.keyring_reload_failures.increment(1);
}

/// The keys were just seen to be the newest.
pub fn keyring_fresh() {
    METRICS.keyring_age.now();
}

/// The deny list was just seen to be complete.
pub fn revocations_fresh() {
    METRICS.revocations_age.now();
}

/// The deny list has so many entries, and everything up to this cursor.
pub fn denied(entries: usize, cursor: u64) {
    METRICS.deny_entries.set(approximate(u64::try_from(entries).unwrap_or(u64::MAX)));
    METRICS.revocation_cursor.set(approximate(cursor));
}

/// The oldest of Google's purchases that is granted, and could not be acknowledged, is this many seconds old; 0 where there is none.
pub fn google_unacknowledged(seconds: i64) {
    METRICS.google_unacknowledged.set(approximate(u64::try_from(seconds).unwrap_or_default()));
}

/// Apple's history of notifications could not be read.
pub fn apple_sweep_failed() {
    METRICS.apple_sweep_failures.increment(1);
}

/// Google's purchases could not be swept.
pub fn google_sweep_failed() {
    METRICS.google_sweep_failures.increment(1);
}

/// A request waits for news of the deny feed until this is dropped.
#[derive(Debug)]
#[must_use = "the poll counts as waiting until this is dropped"]
pub struct LongPoll(());

impl LongPoll {
    /// It begins to wait.
    pub fn begin() -> Self {
        METRICS.long_polls.increment(1.0);
        Self(())
    }
}

impl Drop for LongPoll {
    fn drop(&mut self) {
        METRICS.long_polls.decrement(1.0);
    }
}

/// Everything, in the text format of Prometheus, with its content type.
pub fn render() -> ([(HeaderName, HeaderValue); 2], String) {
    METRICS.keyring_age.show();
    METRICS.revocations_age.show();
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let headers =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, METRICS.text.render())
}

/// Begins to count; until then nothing is older than the process.
pub fn start() {
    LazyLock::force(&METRICS);
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

struct Metrics {
    recorder: PrometheusRecorder,
    text: PrometheusHandle,
    requests: RwLock<HashMap<Box<str>, [Counter; 5]>>,
    checks: [Counter; RESULTS.len()],
    tokens_issued: Counter,
    objects_read: Counter,
    sent_by_system: Counter,
    outbox_waiting: Gauge,
    outbox_dead: Gauge,
    outbox_oldest: Gauge,
    keyring_version: Gauge,
    keyring_reload_failures: Counter,
    keyring_age: Age,
    revocations_age: Age,
    deny_entries: Gauge,
    revocation_cursor: Gauge,
    long_polls: Gauge,
    google_unacknowledged: Gauge,
    apple_sweep_failures: Counter,
    google_sweep_failures: Counter,
    renders: [Counter; 2],
}

impl Metrics {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let text = recorder.handle();
        with_local_recorder(&recorder, describe);
        let count = |name| with_local_recorder(&recorder, || counter!(name));
        let show = |name| with_local_recorder(&recorder, || gauge!(name));
        let result = |result| with_local_recorder(&recorder, || counter!(CHECKS, "result" => result));
        let rendered = |result| with_local_recorder(&recorder, || counter!(RENDERS, "result" => result));
        let jobs = |state| with_local_recorder(&recorder, || gauge!(OUTBOX_JOBS, "state" => state));
        Self {
            text,
            requests: RwLock::default(),
            checks: RESULTS.map(result),
            tokens_issued: count(TOKENS_ISSUED),
            objects_read: count(OBJECTS_READ),
            sent_by_system: count(SENT_BY_SYSTEM),
            outbox_waiting: jobs("waiting"),
            outbox_dead: jobs("dead"),
            outbox_oldest: show(OUTBOX_OLDEST),
            keyring_version: show(KEYRING_VERSION),
            keyring_reload_failures: count(KEYRING_RELOAD_FAILURES),
            keyring_age: Age::new(show(KEYRING_AGE)),
            revocations_age: Age::new(show(REVOCATIONS_AGE)),
            deny_entries: show(DENY_ENTRIES),
            revocation_cursor: show(REVOCATION_CURSOR),
            long_polls: show(LONG_POLLS),
            google_unacknowledged: show(GOOGLE_UNACKNOWLEDGED),
            apple_sweep_failures: count(APPLE_SWEEP_FAILURES),
            google_sweep_failures: count(GOOGLE_SWEEP_FAILURES),
            renders: RENDERED.map(rendered),
            recorder,
        }
    }
}

/// How long ago something last happened.
struct Age {
    gauge: Gauge,
    since: Mutex<Instant>,
}

impl Age {
    fn new(gauge: Gauge) -> Self {
        Self { gauge, since: Mutex::new(Instant::now()) }
    }

    fn now(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn show(&self) {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        self.gauge.set(since.elapsed().as_secs_f64());
    }
}

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests answered, by route pattern and class of status.");
    describe_counter!(
        CHECKS,
        Unit::Count,
        "Checks of tokens, by result: accepted, or the code of the refusal."
    );
    describe_counter!(RENDERS, Unit::Count, "Variants made because somebody asked: ok, or failed.");
    describe_counter!(TOKENS_ISSUED, Unit::Count, "Tokens issued.");
    describe_counter!(
        OBJECTS_READ,
        Unit::Count,
        "Objects read from where objects are, because memory did not have them."
    );
    describe_counter!(SENT_BY_SYSTEM, Unit::Bytes, "Bytes of files that the system sent by itself.");
    describe_counter!(
        REFUSALS,
        Unit::Count,
        "Receipts, notifications and the like that were refused, by code of the refusal."
    );
    describe_gauge!(OUTBOX_JOBS, Unit::Count, "Jobs of the outbox that wait or are dead.");
    describe_gauge!(
        OUTBOX_OLDEST,
        Unit::Seconds,
        "Age of the oldest job of the outbox that waits; 0 where none does."
    );
    describe_gauge!(
        KEYRING_VERSION,
        "Version of the token keys in use, which the database counts up with each change."
    );
    describe_counter!(
        KEYRING_RELOAD_FAILURES,
        Unit::Count,
        "Times that the token keys could not be read again; those in use stay."
    );
    describe_gauge!(
        KEYRING_AGE,
        Unit::Seconds,
        "Seconds since the token keys were last seen to be the newest, or since the start."
    );
    describe_gauge!(
        REVOCATIONS_AGE,
        Unit::Seconds,
        "Seconds since the deny list was last seen to be complete, or since the start."
    );
    describe_gauge!(DENY_ENTRIES, Unit::Count, "Entries of the deny list.");
    describe_gauge!(REVOCATION_CURSOR, "Cursor of the last revocation in the deny list.");
    describe_gauge!(
        GOOGLE_UNACKNOWLEDGED,
        Unit::Seconds,
        "Age of the oldest purchase of Google's that is granted and could not be acknowledged; after three days it is refunded."
    );
    describe_counter!(
        APPLE_SWEEP_FAILURES,
        Unit::Count,
        "Times that Apple's history of notifications could not be read."
    );
    describe_counter!(
        GOOGLE_SWEEP_FAILURES,
        Unit::Count,
        "Times that Google's voided, pending and paid purchases could not be swept."
    );
    describe_gauge!(LONG_POLLS, Unit::Count, "Requests that wait for news of the deny feed.");
}

/// A gauge is a float: what is counted here stays far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, which a cursor is by its specification")]
fn approximate(number: u64) -> f64 {
    number as f64
}

/// What a check can result in: the codes of section 1.3 of the protocol, and `invalid_check` where the check itself makes no sense.
const RESULTS: [&str; 10] = [
    "accepted",
    "malformed",
    "unsupported_version",
    "unknown_key",
    "bad_signature",
    "expired",
    "wrong_sticker",
    "wrong_user",
    "revoked",
    "invalid_check",
];
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

const REQUESTS: &str = "sticker_store_requests_total";
const CHECKS: &str = "sticker_store_checks_total";
const TOKENS_ISSUED: &str = "sticker_store_tokens_issued_total";
const OBJECTS_READ: &str = "sticker_store_objects_read_total";
const SENT_BY_SYSTEM: &str = "sticker_store_sent_by_system_bytes_total";
const REFUSALS: &str = "sticker_store_refusals_total";
const OUTBOX_JOBS: &str = "sticker_store_outbox_jobs";
const OUTBOX_OLDEST: &str = "sticker_store_outbox_oldest_seconds";
const KEYRING_VERSION: &str = "sticker_store_keyring_version";
const KEYRING_RELOAD_FAILURES: &str = "sticker_store_keyring_reload_failures_total";
const KEYRING_AGE: &str = "sticker_store_keyring_age_seconds";
const REVOCATIONS_AGE: &str = "sticker_store_revocations_age_seconds";
const DENY_ENTRIES: &str = "sticker_store_deny_entries";
const REVOCATION_CURSOR: &str = "sticker_store_revocation_cursor";
const LONG_POLLS: &str = "sticker_store_long_polls_waiting";
const GOOGLE_UNACKNOWLEDGED: &str = "sticker_store_google_unacknowledged_age_seconds";
const APPLE_SWEEP_FAILURES: &str = "sticker_store_apple_sweep_failures_total";
const GOOGLE_SWEEP_FAILURES: &str = "sticker_store_google_sweep_failures_total";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_help_text_and_every_result_of_a_check_a_counter() {
        answered(Some("/v1/tokens/verify"), 200);
        let mut checks = Checks::default();
        checks.accepted();
        for result in RESULTS.iter().skip(1) {
            checks.refused(result);
        }
        checks.count();
        let waiting = LongPoll::begin();
        refused("bad_signature");
        let (_, text) = render();
        drop(waiting);
        for name in [
            REQUESTS,
            CHECKS,
            TOKENS_ISSUED,
            OBJECTS_READ,
            SENT_BY_SYSTEM,
            REFUSALS,
            OUTBOX_JOBS,
            OUTBOX_OLDEST,
            KEYRING_VERSION,
            KEYRING_RELOAD_FAILURES,
            KEYRING_AGE,
            REVOCATIONS_AGE,
            DENY_ENTRIES,
            REVOCATION_CURSOR,
            LONG_POLLS,
            GOOGLE_UNACKNOWLEDGED,
            APPLE_SWEEP_FAILURES,
            GOOGLE_SWEEP_FAILURES,
        ] {
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help in\n{text}");
            assert!(text.contains(&format!("\n{name}")), "{name} has no value in\n{text}");
        }
        for result in RESULTS {
            let line = format!("{CHECKS}{{result=\"{result}\"}} ");
            let value = text.lines().find_map(|it| it.strip_prefix(&line)).expect(result);
            assert_ne!(value, "0", "{result}");
        }
        assert!(text.contains("sticker_store_requests_total{route=\"/v1/tokens/verify\",status=\"2xx\"} "));
    }
}
