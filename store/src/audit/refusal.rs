//! What was refused and is worth a look: receipts that lie, notifications that nobody signed.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::{Value, json};

use super::{MAX_ACTOR, MAX_SUBJECT};
use crate::app::App;
use crate::db;
use crate::telemetry::metrics;
use crate::web::error::Error;

/// How many refusals a process still writes into the trace: the chain cannot be filled from outside.
#[derive(Debug)]
pub(super) struct Rate(DefaultDirectRateLimiter);

impl Rate {
    pub(super) fn new() -> Self {
        Self(RateLimiter::direct(Quota::per_second(A_SECOND).allow_burst(AT_ONCE)))
    }
}

const A_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// Notes in a transaction of its own that somebody was refused with this code, whose counter goes up in any case. Above 20 a second
/// (200 at once) a process counts and writes nothing.
///
/// Never fails, and keeps nobody waiting for more than 3 s: what cannot be written is logged. Who hangs up is noted all the same. Texts
/// that came from outside and do not fit are cut; no secret belongs into `detail`.
pub async fn refusal(
    app: &App,
    actor: &str,
    action: &'static str,
    subject: &str,
    code: &'static str,
    detail: Value,
) {
    metrics::refused(code);
    if app.trace.refusals.0.check().is_err() {
        return;
    }
    let (app, actor, subject) = (App::clone(app), cut(actor, MAX_ACTOR), cut(subject, MAX_SUBJECT));
    let detail = bounded(json!({ "code": code, "detail": detail }), code);
    let written = tokio::spawn(async move {
        let noted = db::retried(|| note(&app, &actor, action, &subject, &detail));
        match tokio::time::timeout(PATIENCE, noted).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let cause = error.cause().unwrap_or_default();
                tracing::error!(refusal.code = code, error.source = cause, "a refusal is not in the audit");
            }
            Err(_) => {
                tracing::error!(refusal.code = code, "a refusal is not in the audit: the database is slow");
            }
        }
    });
    // A fault in there was logged, and is not the request's.
    let _ = written.await;
}

const PATIENCE: Duration = Duration::from_secs(3);

async fn note(app: &App, actor: &str, action: &str, subject: &str, detail: &Value) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    super::note(app, &transaction, actor, action, subject, detail).await?;
    Ok(transaction.commit().await?)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn bounded(detail: Value, code: &str) -> Value {
    let length = detail.to_string().len();
    if length <= MOST { detail } else { json!({ "code": code, "omitted_bytes": length }) }
}

/// Much less than a row holds: nobody fills the disk with refusals.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_written_and_a_flood_is_not() {
        let rate = Rate::new();
        let written = (0..10_000).filter(|_| rate.0.check().is_ok()).count();
        assert!((200..2_000).contains(&written), "{written}");
    }

    #[test]
    fn what_came_from_outside_is_cut_to_what_fits() {
        assert_eq!(cut("ééé", 2), "éé");
        assert_eq!(bounded(json!({ "code": "x" }), "x"), json!({ "code": "x" }));
        let long = json!({ "code": "x", "detail": "a".repeat(5_000) });
        assert_eq!(bounded(long, "x"), json!({ "code": "x", "omitted_bytes": 5_024 }));
    }
}
