//! A store whose database was put back to an earlier time.

use sea_orm::ConnectionTrait as _;
use sticker_protocol::token::Refusal;
use sticker_store::app::App;
use sticker_store::audit::Actor;
use sticker_store::catalogue::takedown::take_down;
use sticker_store::token::keys::{self, KeysError};
use sticker_store::token::live;
use sticker_store::token::restored::{Restored, restored};

use crate::town::{Follower, LIFETIME, START, Town, in_town, user};

/// What a backup has of rights, keys and the feed.
const TABLES: [&str; 5] = ["orders", "grants", "token_keys", "counters", "revocations"];

async fn backs_up(town: &Town) {
    for table in TABLES {
        let copy = format!("CREATE TABLE backup_{table} AS SELECT * FROM {table}");
        town.one.db.execute_unprepared(&copy).await.unwrap();
    }
}

async fn puts_back(town: &Town) {
    for table in TABLES {
        for statement in
            [format!("DELETE FROM {table}"), format!("INSERT INTO {table} SELECT * FROM backup_{table}")]
        {
            town.one.db.execute_unprepared(&statement).await.unwrap();
        }
    }
}

async fn says_restored(app: &App) -> Restored {
    restored(app, Actor("operator"), "the disk broke").await.unwrap()
}

async fn gets_and_loses(town: &Town, app: &App, name: &str) {
    let order = town.buys(app, &user(name)).await;
    town.tokens(app, &user(name)).await.unwrap();
    town.refunds(app, &order).await;
}

#[test]
fn a_refund_after_a_restore_covers_what_was_issued_since_the_backup_and_reaches_who_was_ahead() {
    in_town(async |town| {
        let (alice, bob) = (user("alice"), user("bob"));
        let of_alice = town.buys(&town.one, &alice).await;
        let of_bob = town.buys(&town.one, &bob).await;
        gets_and_loses(town, &town.one, "earlier").await;
        backs_up(town).await;
        // What the backup does not know: tokens, and entries of the feed that a chat server has.
        town.passes(60);
        let issued = town.tokens(&town.one, &alice).await.unwrap();
        gets_and_loses(town, &town.one, "carol").await;
        gets_and_loses(town, &town.one, "dave").await;
        let mut chat = Follower::default();
        chat.catches_up(town, &town.one, 1_000).await;
        assert_eq!(chat.cursor, 3);

        town.passes(60);
        puts_back(town).await;
        let store = town.opens_another().await;
        // Too early: this takes a number that the chat server has seen.
        let before = town.tokens(&store, &bob).await.unwrap();
        town.refunds(&store, &of_bob).await;
        assert_eq!(says_restored(&store).await.cursor, 1_000_000_002);
        town.refunds(&store, &of_alice).await;
        chat.catches_up(town, &store, 1_000).await;
        assert_eq!(chat.seen, [1, 2, 3, 1_000_000_001, 1_000_000_002, 1_000_000_003]);
        assert_eq!(town.verdict(&chat.denied, &bob, &before[0]), Err(Refusal::Revoked));
        assert_eq!(town.verdict(&chat.denied, &alice, &issued[0]), Err(Refusal::Revoked));

        // Who begins now gets the same, and who buys again gets tokens that count.
        let mut another = Follower::default();
        another.catches_up(town, &store, 1).await;
        assert_eq!(another.seen, [1_000_000_001, 1_000_000_002, 1_000_000_003]);
        town.buys(&store, &alice).await;
        let again = town.tokens(&store, &alice).await.unwrap();
        assert_eq!(town.verdict(&chat.denied, &alice, &again[0]), Ok(again[0].expires_at));
        sticker_tests::closes(&store.db).await;
    });
}

#[test]
fn a_takedown_after_a_restore_covers_what_was_issued_since_the_backup() {
    in_town(async |town| {
        let alice = user("alice");
        town.buys(&town.one, &alice).await;
        backs_up(town).await;
        let issued = town.tokens(&town.one, &alice).await.unwrap();
        puts_back(town).await;
        says_restored(&town.one).await;
        take_down(&town.one, Actor("operator"), town.pack, "a claim").await.unwrap();
        let mut chat = Follower::default();
        chat.catches_up(town, &town.other, 1_000).await;
        assert_eq!(town.verdict(&chat.denied, &alice, &issued[0]), Err(Refusal::Revoked));
    });
}

#[test]
fn no_key_is_destroyed_while_a_token_lives_that_it_signed_since_the_backup() {
    in_town(async |town| {
        let algorithm = sticker_protocol::token::Algorithm::HmacSha256;
        let alice = user("alice");
        town.buys(&town.one, &alice).await;
        let second = keys::add(&town.one, algorithm, None).await.unwrap();
        keys::publish(&town.one, second).await.unwrap();
        let gone = keys::add(&town.one, algorithm, None).await.unwrap();
        keys::destroy(&town.one, gone, None).await.unwrap();
        backs_up(town).await;
        // The second key signs, and the backup does not know.
        keys::sign_with(&town.one, second, true).await.unwrap();
        live::refresh(&town.one).await.unwrap();
        let issued = town.tokens(&town.one, &alice).await.unwrap();
        town.passes(i64::from(LIFETIME) / 4);
        puts_back(town).await;
        let before = town.other.tokens.ring().version;
        let done = says_restored(&town.one).await;
        assert_eq!(done.tokens_until, START + i64::from(LIFETIME) / 4 + i64::from(LIFETIME) + 30);
        let refused = keys::destroy(&town.one, second, None).await.unwrap_err();
        assert!(matches!(refused, KeysError::TokensLive { .. }), "{refused}");
        let last = |rows: &[keys::KeyRow]| rows.iter().map(|row| row.last_expiry).collect::<Vec<_>>();
        let rows = keys::list(&town.one.db).await.unwrap();
        assert_eq!(last(&rows), [Some(done.tokens_until), Some(done.tokens_until), None]);

        live::refresh(&town.other).await.unwrap();
        assert!(town.other.tokens.ring().version > before + 1_000, "every process takes the ring anew");
        let chat = Follower::default();
        assert_eq!(town.verdict(&chat.denied, &alice, &issued[0]), Ok(issued[0].expires_at));
        town.passes(done.tokens_until + 30 - town.now());
        keys::destroy(&town.one, second, None).await.unwrap();
    });
}

#[test]
fn saying_so_twice_does_no_harm_and_saying_no_reason_does_nothing() {
    in_town(async |town| {
        gets_and_loses(town, &town.one, "alice").await;
        gets_and_loses(town, &town.one, "bob").await;
        let refused = restored(&town.one, Actor("operator"), " ").await.unwrap_err();
        assert_eq!(refused.code(), "invalid_reason");
        assert_eq!(town.page(&town.one, "").await.cursor, 2);
        let first = says_restored(&town.one).await;
        let second = says_restored(&town.other).await;
        assert_eq!((first.cursor, second.cursor), (1_000_000_002, 2_000_000_002));
        assert_eq!(second.keyring, first.keyring + 1_000_000_000);
        let page = town.page(&town.one, "?after=2").await;
        let cursors: Vec<u64> = page.revocations.iter().map(|entry| entry.cursor).collect();
        assert_eq!((cursors, page.cursor), (vec![2_000_000_001, 2_000_000_002], 2_000_000_002));
        let noted = town
            .one
            .db
            .query_all_raw(sea_orm::Statement::from_string(
                town.one.db.get_database_backend(),
                "SELECT actor FROM audit WHERE action = 'restored'",
            ))
            .await
            .unwrap();
        assert_eq!(noted.len(), 2);
    });
}
