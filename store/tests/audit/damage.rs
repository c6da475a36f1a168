//! What somebody can do who writes the database past the store.

use sticker_store::audit::chain::Head;
use sticker_store::audit::verify::Finding;
use sticker_store::audit::{Actor, mend};

use crate::desk::{Desk, at_the_desk, note};

#[test]
fn a_chain_that_nobody_touched_is_whole_and_says_where_it_ends() {
    at_the_desk(async |desk| {
        // The first key has a row already.
        desk.notes(5).await;
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.head.seq, report.taken_over), (6, 6, 0));
        assert_eq!((report.findings, report.more_findings), (vec![], 0));
        assert_eq!(desk.verifies_with(report.head).await.findings, []);
        // The same in the other store, and with the head of then when the chain has gone on.
        note(&desk.other, "more").await.unwrap();
        let later = desk.verifies_with(report.head).await;
        assert_eq!((later.whole, later.findings), (7, vec![]));
        assert_ne!(later.head.hash, report.head.hash);
    });
}

#[test]
fn whatever_column_of_whatever_row_is_altered_that_row_is_named_and_no_other() {
    at_the_desk(async |desk| {
        desk.notes(4).await;
        let rows = desk.rows().await;
        assert_eq!(rows.len(), 5);
        // The first, one in the middle, and the last.
        for row in [&rows[0], &rows[2], &rows[4]] {
            let seq = row.seq.unwrap();
            for (column, other) in [
                ("at", "at + 1"),
                ("actor", "'somebody'"),
                ("action", "'Tried'"),
                ("subject", "'thing-9'"),
                ("detail", "'{}'"),
                ("id", "'00000000-0000-4000-8000-000000000000'"),
                ("hash", "'00'"),
                ("hash", "NULL"),
            ] {
                desk.somebody_does(&format!("CREATE TABLE copy AS SELECT * FROM audit WHERE seq = {seq}"))
                    .await;
                desk.somebody_does(&format!("UPDATE audit SET {column} = {other} WHERE seq = {seq}")).await;
                let id = desk.reads(&format!("SELECT id FROM audit WHERE seq = {seq}")).await;
                let report = desk.verifies().await;
                assert_eq!(report.findings, [Finding::Altered { seq, id }], "{column} of row {seq}");
                assert_eq!(report.whole, 4, "{column} of row {seq}");
                desk.somebody_does(&format!("DELETE FROM audit WHERE seq = {seq}")).await;
                desk.somebody_does("INSERT INTO audit SELECT * FROM copy").await;
                desk.somebody_does("DROP TABLE copy").await;
                assert_eq!(desk.codes().await, [""; 0], "put back");
            }
        }
    });
}

#[test]
fn a_hash_that_another_row_has_or_that_was_made_without_the_key_is_none() {
    at_the_desk(async |desk| {
        desk.notes(3).await;
        desk.somebody_does("UPDATE audit SET subject = 'thing-7' WHERE seq = 3").await;
        let hash = desk.reads("SELECT hash FROM audit WHERE seq = 2").await;
        desk.somebody_does(&format!("UPDATE audit SET hash = '{hash}' WHERE seq = 3")).await;
        // The next row followed from the hash that is gone.
        assert_eq!(desk.codes().await, ["altered", "unproven"]);
    });
}

#[test]
fn nobody_writes_with_another_master_key() {
    at_the_desk(async |desk| {
        desk.notes(3).await;
        let refused = desk.opens_with_another_master_key().await.unwrap_err();
        assert!(refused.is_refusal());
        assert_eq!(refused.to_string(), "the master key cannot be used");
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.findings), (4, vec![]));
        // One damaged row says nothing about the key.
        desk.somebody_does("UPDATE audit SET actor = 'nobody' WHERE seq = 4").await;
        let next = desk.opens_another().await;
        sticker_tests::closes(&next.db).await;
    });
}

#[test]
fn a_row_that_is_gone_from_the_middle_is_missing() {
    at_the_desk(async |desk| {
        desk.notes(7).await;
        let after = desk.reads("SELECT id FROM audit WHERE seq = 4").await;
        desk.somebody_does("DELETE FROM audit WHERE seq = 3").await;
        let report = desk.verifies().await;
        let unproven = Finding::Unproven { seq: 4, id: after };
        assert_eq!(report.findings, [Finding::Missing { first: 3, last: 3 }, unproven.clone()]);
        assert_eq!(report.whole, 6);
        let after = desk.reads("SELECT id FROM audit WHERE seq = 7").await;
        desk.somebody_does("DELETE FROM audit WHERE seq = 5 OR seq = 6").await;
        assert_eq!(
            desk.verifies().await.findings,
            [
                Finding::Missing { first: 3, last: 3 },
                unproven,
                Finding::Missing { first: 5, last: 6 },
                Finding::Unproven { seq: 7, id: after }
            ]
        );
    });
}

async fn moves_head_to(desk: &Desk, seq: i64) {
    let hash = desk.reads(&format!("SELECT hash FROM audit WHERE seq = {seq}")).await;
    desk.somebody_does(&format!("UPDATE audit_head SET seq = {seq}, hash = '{hash}'")).await;
}

#[test]
fn a_chain_that_was_cut_is_found_out_and_where_its_end_was_moved_too_by_who_kept_the_head() {
    at_the_desk(async |desk| {
        desk.notes(7).await;
        let kept = desk.verifies().await.head;
        desk.somebody_does("DELETE FROM audit WHERE seq > 5").await;
        assert_eq!(desk.verifies().await.findings, [Finding::CutOff { first: 6, last: 8 }]);
        moves_head_to(desk, 5).await;
        let report = desk.verifies().await;
        assert_eq!((report.whole, report.findings), (5, vec![]), "whole, and shorter");
        assert_eq!(desk.verifies_with(kept).await.findings, [Finding::RolledBack { kept }]);
        // It goes on from there, beyond where it was.
        desk.notes(4).await;
        let id = desk.reads("SELECT id FROM audit WHERE seq = 8").await;
        assert_eq!(desk.verifies().await.findings, []);
        assert_eq!(desk.verifies_with(kept).await.findings, [Finding::Replaced { kept, id }]);
    });
}

#[test]
fn an_end_that_was_altered_or_lost_is_named() {
    at_the_desk(async |desk| {
        desk.notes(3).await;
        moves_head_to(desk, 2).await;
        assert!(matches!(
            desk.verifies().await.findings[..],
            [Finding::HeadAltered { says: Head { seq: 2, .. } }]
        ));
        desk.somebody_does("UPDATE audit_head SET seq = 4").await;
        assert_eq!(desk.codes().await, ["head_altered"]);
        desk.somebody_does("DELETE FROM audit_head").await;
        assert_eq!(desk.verifies().await.findings, [Finding::HeadLost]);
        let refused = note(&desk.one, "more").await.unwrap_err();
        assert!(refused.cause().unwrap().contains("audit_head"), "{refused}");
        assert_eq!(desk.rows().await.len(), 4, "nothing is written outside the chain");
    });
}

#[test]
fn an_operator_mends_the_end_so_that_the_store_writes_again_and_what_is_gone_stays_named() {
    at_the_desk(async |desk| {
        desk.notes(4).await;
        let mends = async || mend(&desk.one, Actor("operator"), "a slip of the hand").await;
        assert_eq!(mends().await.unwrap_err().code(), "nothing_to_mend");
        for damage in [
            "DELETE FROM audit_head",
            "UPDATE audit_head SET hash = 'x'",
            "UPDATE audit_head SET seq = 2",
            "UPDATE audit_head SET seq = 99",
        ] {
            desk.somebody_does(damage).await;
            assert_eq!(mend(&desk.one, Actor("operator"), " ").await.unwrap_err().code(), "invalid_reason");
            mends().await.unwrap();
            assert_eq!(desk.codes().await, [""; 0], "{damage}");
            assert_eq!(desk.rows().await.last().unwrap().action, "chain_mended");
            note(&desk.other, "more").await.unwrap();
        }
        let whole = desk.verifies().await.head.seq;
        desk.somebody_does("DELETE FROM audit WHERE seq = 3").await;
        desk.somebody_does(&format!("UPDATE audit SET hash = NULL WHERE seq = {whole}")).await;
        desk.somebody_does("DELETE FROM audit_head").await;
        assert_eq!(mends().await.unwrap_err().code(), "chain_broken");
        desk.somebody_does(&format!("DELETE FROM audit WHERE seq = {whole}")).await;
        mends().await.unwrap();
        assert_eq!(desk.codes().await, ["missing", "unproven"]);
    });
}

#[test]
fn rows_that_changed_places_are_named() {
    at_the_desk(async |desk| {
        desk.notes(7).await;
        let id = async |seq: i64| desk.reads(&format!("SELECT id FROM audit WHERE seq = {seq}")).await;
        let (third, fourth, sixth, seventh) = (id(3).await, id(4).await, id(6).await, id(7).await);
        // With their hashes.
        for (from, to) in [(3, 99), (6, 3), (99, 6)] {
            desk.somebody_does(&format!("UPDATE audit SET seq = {to} WHERE seq = {from}")).await;
        }
        let report = desk.verifies().await;
        assert_eq!(
            report.findings,
            [
                Finding::Altered { seq: 3, id: sixth.clone() },
                Finding::Unproven { seq: 4, id: fourth },
                Finding::Altered { seq: 6, id: third.clone() },
                Finding::Unproven { seq: 7, id: seventh }
            ]
        );
        assert_eq!(report.whole, 4);
        // Each with the hash of its place.
        let hash = async |seq: i64| desk.reads(&format!("SELECT hash FROM audit WHERE seq = {seq}")).await;
        let (there, here) = (hash(3).await, hash(6).await);
        desk.somebody_does(&format!("UPDATE audit SET hash = '{here}' WHERE seq = 3")).await;
        desk.somebody_does(&format!("UPDATE audit SET hash = '{there}' WHERE seq = 6")).await;
        assert_eq!(
            desk.verifies().await.findings,
            [Finding::Altered { seq: 3, id: sixth }, Finding::Altered { seq: 6, id: third }]
        );
    });
}

#[test]
fn a_row_that_somebody_put_in_is_named_wherever_it_is() {
    at_the_desk(async |desk| {
        desk.notes(3).await;
        let put = async |id: &str, seq: &str, hash: &str| {
            desk.somebody_does(&format!(
                "INSERT INTO audit (id, at, actor, action, subject, detail, seq, hash) \
                 VALUES ('{id}', 1, 'operator', 'refund', 'o', '{{}}', {seq}, {hash})"
            ))
            .await;
        };
        let id = |id: &str| id.to_owned();
        let hash = format!("'{}'", "5".repeat(64));
        put("before", "0", &hash).await;
        put("below", "-4", "NULL").await;
        let before =
            [Finding::Inserted { seq: -4, id: id("below") }, Finding::Inserted { seq: 0, id: id("before") }];
        assert_eq!(desk.verifies().await.findings, before);
        desk.somebody_does("DELETE FROM audit WHERE seq < 1").await;

        put("behind", "5", &hash).await;
        let behind = Finding::Altered { seq: 5, id: id("behind") };
        assert_eq!(desk.verifies().await.findings[0], behind);
        assert_eq!(desk.codes().await, ["altered", "head_altered"]);
        moves_head_to(desk, 5).await;
        assert_eq!(desk.verifies().await.findings, [behind]);
        desk.somebody_does("DELETE FROM audit WHERE seq = 5").await;
        moves_head_to(desk, 4).await;

        put("outside", "NULL", "NULL").await;
        assert_eq!(desk.verifies().await.findings, [Finding::Unchained { id: id("outside") }]);
        desk.somebody_does("DELETE FROM audit WHERE seq IS NULL").await;

        // In the middle, where the numbers have to give way: whatever follows is no longer what it was.
        for (from, to) in [(4, 5), (3, 4)] {
            desk.somebody_does(&format!("UPDATE audit SET seq = {to} WHERE seq = {from}")).await;
        }
        put("between", "3", &hash).await;
        moves_head_to(desk, 5).await;
        assert_eq!(desk.verifies().await.findings[0], Finding::Altered { seq: 3, id: id("between") });
        assert_eq!(desk.verifies().await.whole, 2);
    });
}

#[test]
fn a_number_that_was_given_twice_is_found_even_where_a_batch_ends() {
    at_the_desk(async |desk| {
        desk.notes(2).await;
        // Who may change tables can take the index away.
        let drop = match desk.one.db.get_database_backend() {
            sea_orm::DbBackend::MySql => "DROP INDEX audit_seq ON audit",
            _ => "DROP INDEX audit_seq",
        };
        desk.somebody_does(drop).await;
        desk.somebody_does(
            "INSERT INTO audit (id, at, actor, action, subject, detail, seq, hash) \
             SELECT 'zz', at, actor, action, subject, detail, seq, hash FROM audit WHERE seq = 2",
        )
        .await;
        assert_eq!(desk.verifies().await.findings, [Finding::Inserted { seq: 2, id: "zz".to_owned() }]);
    });
}
