//! What is not there is kept for a moment, what failed not at all.

use std::collections::BTreeSet;

use sticker_protocol::Sha256;
use sticker_tests::{Fault, until};

use super::{asked, chosen, on_each_edge, through};

#[test]
fn what_is_not_there_or_makes_no_sense_is_the_stores_own_answer_and_kept_for_a_moment() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(0));
        let refusals = [
            ("/dl/12345.sticker".to_owned(), 404, "not_found"),
            (format!("/dl/{sticker}.sticker?density=0"), 400, "invalid_density"),
            (format!("/dl/{sticker}.sticker?density=1&density=1"), 400, "invalid_query"),
            (format!("/dl/{sticker}.sticker?format=gif"), 400, "invalid_format"),
            (format!("/media/{}.webp?width=1", "0".repeat(64)), 400, "invalid_width"),
        ];
        let asks = |(path, status, code): &(String, u16, &str)| {
            let answer = phone.gets(path).expect(*status);
            assert_eq!(answer.error_code(), *code, "{}: {path}", edge.name);
            assert_eq!(answer.header("cache-control"), "public, max-age=5", "{}: {path}", edge.name);
        };
        for refusal in &refusals {
            (0..50).for_each(|_| asks(refusal));
            let count = asked(origin).len();
            assert!((1..10).contains(&count), "{}: {refusal:?}: {count} of 50", edge.name);
        }
        let mut again = BTreeSet::new();
        until("the store is asked for each again", || {
            refusals.iter().for_each(asks);
            again.extend(asked(origin));
            again.len() == refusals.len()
        });
    });
}

#[test]
fn what_failed_is_never_kept_and_the_next_who_asks_gets_the_bytes() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(2));
        for (fault, density) in [
            (Fault::Status(500), 100),
            (Fault::Status(503), 160),
            (Fault::Status(502), 240),
            (Fault::Status(429), 320),
            (Fault::Cut, 480),
        ] {
            let path = format!("/dl/{sticker}.sticker?density={density}");
            let file = chosen(town, Some(sticker), density);
            origin.does(fault, "/dl/");
            for before in 1..=3 {
                match (fault, phone.tries(&path)) {
                    (Fault::Status(status), Some(answer)) => {
                        assert_eq!(answer.status, status, "{}", edge.name);
                    }
                    (Fault::Status(_), None) => panic!("{} gives no answer", edge.name),
                    // Cut off, or told that it failed, but never half and well.
                    (_, answer) => {
                        assert!(answer.is_none_or(|answer| answer.status != 200), "{}", edge.name);
                    }
                }
                assert!(origin.count("/dl/") >= before, "{} kept {fault:?}", edge.name);
            }
            origin.is_honest();
            let answer = phone.gets(&path).expect(200);
            assert_eq!(Sha256::of(&answer.body), file.sha256, "{}: after {fault:?}", edge.name);
            origin.was_asked("");
        }
    });
}

#[test]
fn a_request_that_changes_something_is_no_download_and_its_refusal_is_the_stores() {
    on_each_edge(|town, origin, edge| {
        let path = format!("/dl/{}.sticker", town.sticker(0));
        for _ in 0..2 {
            let refused = town.chat.through(&edge.url()).posts(&path, &serde_json::json!({})).expect(405);
            assert_eq!(refused.error_code(), "wrong_method", "{}", edge.name);
        }
        assert_eq!(asked(origin).len(), 2, "{}", edge.name);
    });
}
