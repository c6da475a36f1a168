//! What was refused and is worth a look.

use serde_json::json;
use sticker_store::audit::refusal;
use sticker_store::telemetry::metrics;

use crate::desk::at_the_desk;

fn counted(code: &str) -> u64 {
    let (_, text) = metrics::render();
    let line = format!("sticker_store_refusals_total{{code=\"{code}\"}} ");
    text.lines().find_map(|it| it.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[test]
fn a_refusal_is_a_row_of_the_chain_with_its_code() {
    at_the_desk(async |desk| {
        let before = counted("bad_chain");
        let subject = "ü".repeat(1_000);
        refusal(&desk.one, "user:61", "receipt_refused", &subject, "bad_chain", json!({ "kind": "x" })).await;
        assert!(counted("bad_chain") > before);
        let rows = desk.rows().await;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[1].action.as_str(), rows[1].actor.as_str()), ("receipt_refused", "user:61"));
        assert_eq!(rows[1].subject, "ü".repeat(200));
        assert_eq!(rows[1].detail, r#"{"code":"bad_chain","detail":{"kind":"x"}}"#);
        assert_eq!(desk.codes().await, [""; 0]);
    });
}

#[test]
fn a_flood_of_refusals_is_counted_and_not_written() {
    at_the_desk(async |desk| {
        let before = counted("bad_signature");
        let flood = (0..3_000).map(|_| {
            let app = desk.one.clone();
            tokio::spawn(async move {
                refusal(&app, "apple", "notification_refused", "-", "bad_signature", json!({})).await;
            })
        });
        for refused in flood.collect::<Vec<_>>() {
            refused.await.unwrap();
        }
        assert!(counted("bad_signature") >= before + 3_000);
        let rows = desk.rows().await.len() - 1;
        assert!((100..2_500).contains(&rows), "{rows}");
        assert_eq!(desk.codes().await, [""; 0]);
    });
}

#[test]
fn a_refusal_that_cannot_be_written_is_no_fault_of_the_request() {
    at_the_desk(async |desk| {
        let store = desk.opens_another().await;
        sticker_tests::closes(&store.db).await;
        let before = counted("expired");
        refusal(&store, "apple", "notification_refused", "-", "expired", json!({})).await;
        assert!(counted("expired") > before);
        assert_eq!(desk.rows().await.len(), 1);
    });
}
