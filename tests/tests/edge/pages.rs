//! Whatever has a user in it passes the edge and is never kept.

use serde_json::json;
use sticker_tests::ChatUser;

use super::{asked, on_each_edge, through};

#[test]
fn pages_and_answers_with_a_session_are_never_kept() {
    on_each_edge(|town, origin, edge| {
        let opens =
            |name: &str| town.chat.opens_store_for(&format!("{name}-{}", edge.name)).through(&edge.url());
        let (alice, bob) = (opens("alice"), opens("bob"));
        let order = alice.orders(town.pack(), "sandbox").expect(201).json();
        let receipt = json!({ "transaction": format!("t-{}-{}", edge.name, order["id"]) });
        assert_eq!(alice.posts(&ChatUser::receipts_of(&order), &receipt).status, 200, "{}", edge.name);
        asked(origin);
        for path in ["/v1/library", "/library", "/orders", "/v1/orders", "/"] {
            for _ in 0..2 {
                assert_eq!(alice.gets(path).status, 200, "{path}");
                assert_eq!(bob.gets(path).status, 200, "{path}");
                through(edge).gets(path);
            }
            assert_eq!(asked(origin), [path; 6], "{}", edge.name);
        }
        let owned = |user: &ChatUser| user.gets("/v1/library").expect(200).json().to_string();
        let pack = town.pack().to_string();
        assert!(owned(&alice).contains(&pack), "{}: {}", edge.name, owned(&alice));
        assert!(!owned(&bob).contains(&pack), "{}: {}", edge.name, owned(&bob));
    });
}

#[test]
fn pages_reach_the_store_with_their_host_their_cookie_and_who_asks() {
    on_each_edge(|_, origin, edge| {
        let headers = [
            ("host", "stickers.example"),
            ("cookie", "a=b"),
            ("authorization", "Bearer x"),
            ("x-forwarded-for", "198.51.100.7"),
            ("accept-language", "ko"),
            // What Varnish calls its own notes.
            ("x-sticker-kind", "other"),
            ("x-sticker-stale", "yes"),
        ];
        through(edge).gets_with("/search?q=a&density=7&density=8", &headers);
        let asked = origin.was_asked("/search");
        let header = |name| asked[0].header(name).unwrap_or_default();
        assert_eq!(asked[0].target, "/search?q=a&density=7&density=8", "{}", edge.name);
        assert_eq!(header("host"), "stickers.example", "{}", edge.name);
        assert_eq!(header("cookie"), "a=b", "{}", edge.name);
        assert_eq!(header("authorization"), "Bearer x", "{}", edge.name);
        assert_eq!(header("accept-language"), "ko", "{}", edge.name);
        if edge.name == "Varnish" {
            assert_eq!((header("x-sticker-kind"), header("x-sticker-stale")), ("", ""));
        }
        // What somebody says of themselves comes first; the store reads from the end, where the edge wrote who asked it.
        assert_eq!(header("x-forwarded-for").replace(' ', ""), "198.51.100.7,127.0.0.1", "{}", edge.name);
        assert_eq!(header("x-forwarded-proto"), "http", "{}", edge.name);
    });
}
