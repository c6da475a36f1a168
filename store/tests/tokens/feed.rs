//! The deny feed as chat servers read it.

use axum::http::StatusCode;
use sea_orm::ConnectionTrait as _;
use sticker_protocol::token::{Refusal, RevocationPage, UserId};
use sticker_store::app::App;
use sticker_store::serve::{listen, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::town::{Follower, HALT, LIFETIME, Town, in_town, keeps_fresh, user};

async fn gets_and_loses(town: &Town, app: &App, who: &UserId) {
    let order = town.buys(app, who).await;
    town.tokens(app, who).await.unwrap();
    town.refunds(app, &order).await;
}

#[test]
fn a_page_says_who_may_no_longer_send_what_and_where_to_go_on() {
    in_town(async |town| {
        let empty = town.asks(&town.one, "", &[]).await;
        assert_eq!(empty.text, r#"{"revocations":[],"cursor":0,"more":false}"#);
        assert_eq!(empty.headers["cache-control"], "no-store");

        let alice = user("alice");
        let order = town.buys(&town.one, &alice).await;
        let expires = town.tokens(&town.one, &alice).await.unwrap()[0].expires_at;
        town.refunds(&town.one, &order).await;
        gets_and_loses(town, &town.other, &user("bob")).await;
        let page = town.page(&town.one, "?limit=1").await;
        assert_eq!((page.cursor, page.more), (1, true));
        let [entry] = &page.revocations[..] else { panic!("{page:?}") };
        assert_eq!((entry.cursor, entry.user, entry.refuse_until), (1, Some(alice), expires));
        let mut stickers = town.stickers.clone();
        stickers.sort();
        assert_eq!(entry.stickers, stickers);
        let rest = town.page(&town.one, "?after=1&limit=1").await;
        assert_eq!((rest.revocations[0].user, rest.cursor, rest.more), (Some(user("bob")), 2, false));
    });
}

#[test]
fn an_etag_that_is_known_is_answered_with_304_until_there_is_something_new() {
    in_town(async |town| {
        gets_and_loses(town, &town.one, &user("alice")).await;
        let first = town.asks(&town.one, "", &[]).await;
        let known = [("if-none-match", first.headers["etag"].as_str())];
        for query in ["", "?after=1"] {
            let unchanged = town.asks(&town.one, query, &known).await;
            assert_eq!(
                (unchanged.status, unchanged.text.as_str()),
                (StatusCode::NOT_MODIFIED, ""),
                "{query}"
            );
            assert_eq!(unchanged.headers["etag"], first.headers["etag"]);
        }
        gets_and_loses(town, &town.one, &user("bob")).await;
        for query in ["", "?after=1"] {
            assert_eq!(town.asks(&town.one, query, &known).await.status, StatusCode::OK, "{query}");
        }
    });
}

#[test]
fn numbers_out_of_range_are_refused_and_so_is_a_cursor_that_was_never_given() {
    in_town(async |town| {
        for query in [
            "?after=-1",
            "?after=9007199254740992",
            "?after=x",
            "?limit=0",
            "?limit=10001",
            "?wait=31",
            "?wait=1.5",
        ] {
            let refused = town.asks(&town.one, query, &[]).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
            assert_eq!(refused.error_code(), "invalid_query", "{query}");
        }
        gets_and_loses(town, &town.one, &user("alice")).await;
        // The other store has not heard of it, and does not take who has for somebody from the future.
        assert_eq!(town.page(&town.other, "?after=1&limit=10000&wait=0").await.cursor, 1);
        let ahead = town.asks(&town.other, "?after=2", &[]).await;
        assert_eq!((ahead.status, ahead.error_code()), (StatusCode::CONFLICT, "cursor_ahead".to_owned()));
        assert!(ahead.json()["error"]["hint"].as_str().unwrap().contains("after=0"), "{}", ahead.text);
    });
}

#[test]
fn a_store_whose_database_is_put_back_to_an_earlier_time_refuses_on_and_begins_the_feed_again() {
    in_town(async |town| {
        let (alice, bob) = (user("alice"), user("bob"));
        let order = town.buys(&town.one, &alice).await;
        let of_alice = town.tokens(&town.one, &alice).await.unwrap();
        town.refunds(&town.one, &order).await;
        gets_and_loses(town, &town.one, &bob).await;
        for statement in
            ["DELETE FROM revocations", "UPDATE counters SET value = 0 WHERE name = 'revocations'"]
        {
            town.one.db.execute_unprepared(statement).await.unwrap();
        }
        assert_eq!(town.asks(&town.one, "?after=2", &[]).await.error_code(), "cursor_ahead");
        assert_eq!(town.own_verdict(&town.one, &alice, &of_alice[0]), Err(Refusal::Revoked));
        gets_and_loses(town, &town.one, &bob).await;
        let page = town.page(&town.one, "?after=0").await;
        assert_eq!((page.revocations[0].user, page.cursor), (Some(bob), 1));
    });
}

#[test]
fn entries_that_nobody_needs_are_left_out_and_swept_while_the_cursor_goes_on() {
    in_town(async |town| {
        gets_and_loses(town, &town.one, &user("alice")).await;
        town.passes(i64::from(LIFETIME) + 31);
        gets_and_loses(town, &town.one, &user("bob")).await;
        let of_bob = town.page(&town.one, "").await;
        assert_eq!(of_bob.revocations.iter().map(|entry| entry.cursor).collect::<Vec<_>>(), [2]);
        town.passes(i64::from(LIFETIME) + 31);
        let empty = RevocationPage { revocations: Vec::new(), cursor: 2, more: false };
        assert_eq!(town.page(&town.one, "").await, empty);

        assert_eq!(town.one.tokens.denied().len(), 4);
        let fresh = keeps_fresh(&town.one);
        let swept = async {
            while !town.one.tokens.denied().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HALT, swept).await.unwrap();
        fresh.abort();
        assert_eq!(town.page(&town.other, "?after=1").await, empty);
        gets_and_loses(town, &town.other, &user("carol")).await;
        assert_eq!(town.page(&town.other, "?after=2").await.revocations[0].cursor, 3);
    });
}

#[test]
fn a_store_whose_clock_is_a_day_ahead_takes_no_row_away_that_others_need() {
    in_town(async |town| {
        gets_and_loses(town, &town.one, &user("alice")).await;
        let needed = town.page(&town.one, "").await;
        assert_eq!(needed.revocations.len(), 1);
        // Nobody needs this one, by any clock.
        let long_past = "INSERT INTO revocations (cursor_id, pack_id, sticker_ids, refuse_until, created_at) \
             VALUES (0, 1, '[1]', 1, 1)";
        town.one.db.execute_unprepared(long_past).await.unwrap();
        let ahead = town.opens_ahead(86_400).await;
        let fresh = keeps_fresh(&ahead);
        let swept = async { while rows(&town.one).await.contains(&0) {} };
        tokio::time::timeout(HALT, swept).await.unwrap();
        fresh.abort();
        assert_eq!(rows(&town.one).await, [1]);
        assert_eq!(town.page(&town.other, "").await, needed);
        sticker_tests::closes(&ahead.db).await;
    });
}

/// The cursors that the table has.
async fn rows(app: &App) -> Vec<i64> {
    let all = sea_orm::Statement::from_string(
        app.db.get_database_backend(),
        "SELECT cursor_id FROM revocations ORDER BY cursor_id",
    );
    let all = app.db.query_all_raw(all).await.unwrap();
    all.iter().map(|row| row.try_get("", "cursor_id").unwrap()).collect()
}

#[test]
fn nothing_is_written_for_a_right_under_which_no_token_lives() {
    in_town(async |town| {
        let order = town.buys(&town.one, &user("alice")).await;
        town.refunds(&town.one, &order).await;
        let order = town.buys(&town.one, &user("bob")).await;
        town.tokens(&town.one, &user("bob")).await.unwrap();
        town.passes(i64::from(LIFETIME) + 31);
        town.refunds(&town.one, &order).await;
        assert_eq!(town.page(&town.one, "").await.cursor, 0);
    });
}

#[test]
fn a_store_that_starts_refuses_what_was_taken_back_before() {
    in_town(async |town| {
        let alice = user("alice");
        let order = town.buys(&town.one, &alice).await;
        let issued = town.tokens(&town.one, &alice).await.unwrap();
        town.refunds(&town.one, &order).await;
        let started = town.opens_another().await;
        assert_eq!(town.own_verdict(&started, &alice, &issued[0]), Err(Refusal::Revoked));
        sticker_tests::closes(&started.db).await;
    });
}

#[test]
fn a_waiting_chat_server_hears_of_a_refund_in_the_same_store_and_in_another() {
    in_town(async |town| {
        let fresh = keeps_fresh(&town.other);
        let waits = async |app: &App, after: u64| {
            let query = format!("?after={after}&wait=30");
            let page = tokio::time::timeout(HALT, town.page(app, &query)).await.unwrap();
            assert_eq!((page.revocations.len(), page.cursor), (1, after + 1));
        };
        for (after, waiting) in [(0, &town.one), (1, &town.other)] {
            let refunds = async {
                let alice = user("alice");
                let order = town.buys(&town.one, &alice).await;
                town.tokens(&town.one, &alice).await.unwrap();
                while waiting.stopping.receiver_count() == 0 {
                    tokio::task::yield_now().await;
                }
                town.refunds(&town.one, &order).await;
            };
            tokio::join!(waits(waiting, after), refunds);
            assert_eq!(waiting.stopping.receiver_count(), 0);
        }
        fresh.abort();
    });
}

#[test]
fn a_store_that_stops_answers_who_waits_and_ends() {
    in_town(async |town| {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut chat = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stops, stop) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve(App::clone(&town.one), listener, async {
            let _ = stop.await;
        }));
        let request = format!(
            "GET /v1/revocations?wait=30 HTTP/1.1\r\nHost: store\r\nAuthorization: Bearer {}\r\n\r\n",
            town.secret
        );
        chat.write_all(request.as_bytes()).await.unwrap();
        while town.one.stopping.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        stops.send(()).unwrap();
        let mut answer = String::new();
        tokio::time::timeout(HALT, chat.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with(r#"{"revocations":[],"cursor":0,"more":false}"#), "{answer}");
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn who_follows_the_feed_misses_no_entry_of_several_stores_at_once() {
    const USERS: usize = 12;
    in_town(async |town| {
        let loses = async |app: &App, name: String| {
            let who = user(&name);
            for _ in 0..3 {
                gets_and_loses(town, app, &who).await;
            }
        };
        let all = async {
            let mut tasks = Vec::new();
            for at in 0..USERS {
                let app = if at % 2 == 0 { &town.one } else { &town.other };
                tasks.push(Box::pin(loses(app, format!("user-{at}"))));
            }
            crate::race::together(tasks).await;
        };
        let follows = async |app: &App| {
            let mut chat = Follower::default();
            while chat.cursor < 3 * USERS as u64 {
                chat.catches_up(town, app, 2).await;
                let fresh = sticker_store::token::live::refresh(app).await;
                assert!(fresh.is_ok(), "{fresh:?}");
            }
            assert_eq!(chat.seen, (1..=3 * USERS as u64).collect::<Vec<_>>());
        };
        let all = async { tokio::join!(all, follows(&town.one), follows(&town.other)) };
        tokio::time::timeout(2 * HALT, all).await.unwrap();
    });
}
