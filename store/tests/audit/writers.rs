//! Several at once.

use std::sync::Arc;

use sticker_store::app::App;

use crate::desk::{at_the_desk, note};

const WRITERS: usize = 8;
const ROWS: usize = 25;

#[test]
fn eight_writers_at_two_stores_leave_one_chain_without_a_gap() {
    at_the_desk(async |desk| {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let app: App = Arc::clone(if writer % 2 == 0 { &desk.one } else { &desk.other });
            writers.spawn(async move {
                for row in 0..ROWS {
                    note(&app, &format!("{writer}/{row}")).await.unwrap();
                }
            });
        }
        // Looked at meanwhile, it is whole at every moment.
        while writers.len() > 1 {
            assert_eq!(desk.codes().await, [""; 0]);
            while writers.try_join_next().transpose().unwrap().is_some() {}
        }
        while writers.join_next().await.transpose().unwrap().is_some() {}
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.findings), (1 + (WRITERS * ROWS) as u64, vec![]));
    });
}

#[test]
fn a_transaction_that_is_given_up_leaves_neither_a_row_nor_a_gap() {
    at_the_desk(async |desk| {
        let transaction = sticker_store::db::begin(&desk.one.db).await.unwrap();
        let detail = serde_json::json!({});
        sticker_store::audit::note(&desk.one, &transaction, "a", "b", "c", &detail).await.unwrap();
        transaction.rollback().await.unwrap();
        note(&desk.other, "next").await.unwrap();
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.head.seq, report.findings), (2, 2, vec![]));
    });
}
