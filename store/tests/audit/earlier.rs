//! Rows of a version of the store that knew no chain.

use sticker_store::app::App;
use sticker_store::audit::{self, Actor};
use sticker_store::web::error::Error;

use crate::desk::{Desk, START, at_the_desk};

/// What the version before writes while it still runs.
async fn earlier_writes(desk: &Desk, rows: std::ops::Range<usize>) {
    for at in rows {
        let time = START + i64::try_from(at % 100).unwrap();
        desk.somebody_does(&format!(
            "INSERT INTO audit (id, at, actor, action, subject, detail) \
             VALUES ('earlier-{at:03}', {time}, 'user:61', 'grant', 'o-{at}', '{{}}')"
        ))
        .await;
    }
}

async fn take_over(app: &App) -> Result<u64, Error> {
    audit::take_over(app, Actor("operator"), "the deployment is over").await
}

#[test]
fn rows_of_an_earlier_version_are_taken_over_by_an_operator_in_the_order_of_their_times_and_visibly() {
    at_the_desk(async |desk| {
        earlier_writes(desk, 0..3).await;
        desk.somebody_does("UPDATE audit SET at = at - 50 WHERE id = 'earlier-002'").await;
        assert_eq!(desk.codes().await, ["unchained"; 3]);
        // A restart vouches for nothing: anybody who can write the database could have put them there.
        let next = desk.opens_another().await;
        assert_eq!(desk.codes().await, ["unchained"; 3]);
        assert_eq!(take_over(&next).await.unwrap(), 3);
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.taken_over, report.findings), (5, 3, vec![]));
        let rows = desk.rows().await;
        let ids: Vec<&str> = rows[2..].iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["earlier-002", "earlier-000", "earlier-001"]);
        assert_eq!((rows[1].action.as_str(), rows[1].actor.as_str()), ("chain_takes_over", "operator"));
        assert_eq!(
            rows[1].detail,
            r#"{"first":"earlier-002","last":"earlier-001","reason":"the deployment is over","rows":3}"#
        );
        // From now on they are as safe as any other.
        desk.somebody_does("UPDATE audit SET subject = 'o-9' WHERE id = 'earlier-000'").await;
        assert_eq!(desk.codes().await, ["altered"]);
        sticker_tests::closes(&next.db).await;
    });
}

#[test]
fn of_two_processes_that_start_at_once_one_takes_each_row_over_once() {
    at_the_desk(async |desk| {
        earlier_writes(desk, 0..450).await;
        let (one, other) = tokio::join!(take_over(&desk.one), take_over(&desk.other));
        assert_eq!(one.unwrap() + other.unwrap(), 450);
        let report = desk.verifies().await;
        // Three batches, and the row of the first key.
        assert_eq!((report.whole, report.taken_over, report.findings), (454, 450, vec![]));
        assert_eq!(take_over(&desk.one).await.unwrap(), 0);
        assert_eq!(desk.verifies().await.whole, 454);
    });
}

#[test]
fn the_earlier_version_goes_on_writing_beside_this_one() {
    at_the_desk(async |desk| {
        desk.notes(2).await;
        earlier_writes(desk, 0..1).await;
        desk.notes(2).await;
        assert_eq!(desk.codes().await, ["unchained"]);
        assert_eq!(take_over(&desk.other).await.unwrap(), 1);
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.findings), (7, vec![]));
    });
}

#[test]
fn what_a_version_without_a_chain_left_is_where_the_chain_begins() {
    at_the_desk(async |desk| {
        // As the step to this version finds it.
        desk.somebody_does("DELETE FROM audit").await;
        desk.somebody_does("UPDATE audit_head SET seq = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'")
            .await;
        earlier_writes(desk, 0..3).await;
        let next = desk.opens_another().await;
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.taken_over, report.findings), (4, 3, vec![]));
        sticker_tests::closes(&next.db).await;
    });
}
