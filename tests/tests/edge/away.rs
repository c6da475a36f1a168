//! While the store fails or is away, what the edge has is served.

use sticker_protocol::Sha256;
use sticker_tests::{Between, Database, Edge, Fault, Town, until};

use super::{chosen, on_each_edge, through};

#[test]
fn what_is_over_its_time_is_served_stale_while_the_store_fails_and_asked_for_again_before_that() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(0));
        let path = format!("/dl/{sticker}.sticker?density=320");
        let gets = || {
            let answer = phone.gets(&path);
            assert_eq!(answer.status, 200, "{}: {answer:?}", edge.name);
            let file = chosen(town, Some(sticker), 320);
            assert_eq!(Sha256::of(&answer.body), file.sha256, "{}", edge.name);
        };
        origin.does(Fault::ShortLived, "/dl/");
        gets();
        origin.was_asked("");
        until("its second is over", || {
            gets();
            origin.count("/dl/") > 0
        });
        // It was asked for by its entity tag, or anew.
        let again = origin.was_asked("/dl/");
        let tag = again[0].header("if-none-match").unwrap_or_default().to_owned();
        assert_eq!(tag, format!("\"{}\"", chosen(town, Some(sticker), 320).sha256), "{}", edge.name);

        for status in [500, 503] {
            origin.does(Fault::ShortLived, "/dl/");
            until("it is fresh", || {
                gets();
                origin.count("/dl/") > 0
            });
            origin.does(Fault::Status(status), "/dl/");
            origin.was_asked("");
            until("the store was asked and failed", || {
                gets();
                origin.count("/dl/") > 1
            });
            origin.was_asked("");
        }
    });
}

#[test]
fn downloads_that_the_edge_has_live_on_while_the_store_is_gone() {
    let town = Town::with_pack(Database::Sqlite, "free");
    let origin = Between::before(&town.store.url());
    let edges = Edge::each_before(&origin.url());
    let path = format!("/dl/{}.sticker", town.sticker(0));
    let file = chosen(&town, Some(town.sticker(0)), 320).sha256;
    for edge in &edges {
        assert_eq!(through(edge).gets(&path).status, 200, "{}", edge.name);
    }
    drop(origin);
    for edge in &edges {
        let phone = through(edge);
        assert_eq!(Sha256::of(&phone.gets(&path).expect(200).body), file, "{}", edge.name);
        // What it never had fails at once, and says that this does not last.
        for _ in 0..2 {
            let status = phone.gets(&format!("{path}?density=1")).status.as_u16();
            assert!(matches!(status, 502..=504), "{}: {status}", edge.name);
        }
    }
}
