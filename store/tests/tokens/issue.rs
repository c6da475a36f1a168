//! What is issued, and that it stays the same while it can.

use sticker_protocol::StickerId;
use sticker_protocol::token::{Refusal, Version};
use sticker_store::token::issue::{Issued, Wanted, issue};

use crate::town::{Follower, LIFETIME, in_town, user};

fn texts(issued: &[Issued]) -> Vec<String> {
    issued.iter().map(|issued| issued.token.to_string()).collect()
}

#[test]
fn the_text_stays_within_a_window_on_every_store_and_is_new_in_the_next() {
    in_town(async |town| {
        let alice = user("alice");
        town.buys(&town.one, &alice).await;
        let first = town.tokens(&town.one, &alice).await.unwrap();
        assert_eq!(first.len(), 2);
        let remaining = i64::from(first[0].expires_at.0) - town.now();
        assert!(remaining > i64::from(LIFETIME) * 3 / 4 && remaining <= i64::from(LIFETIME), "{remaining}");

        let until_edge = i64::try_from(first[0].renew_at).unwrap() - town.now();
        town.passes(until_edge - 1);
        assert_eq!(texts(&town.tokens(&town.other, &alice).await.unwrap()), texts(&first));
        town.passes(1);
        let next = town.tokens(&town.other, &alice).await.unwrap();
        assert_eq!(next[0].expires_at.0, first[0].expires_at.0 + LIFETIME / 4);
        assert_eq!(texts(&town.tokens(&town.one, &alice).await.unwrap()), texts(&next));
    });
}

#[test]
fn nothing_is_issued_to_who_owns_nothing_or_for_stickers_that_are_not_there() {
    in_town(async |town| {
        let (alice, mallory) = (user("alice"), user("mallory"));
        town.buys(&town.one, &alice).await;
        assert_eq!(town.tokens(&town.one, &mallory).await.unwrap_err().code(), "not_owned");
        let unknown = StickerId::new(1).unwrap();
        let mixed = Wanted::Stickers(vec![town.stickers[0], unknown]);
        let refused = issue(&town.one, &alice, &mixed, Version::V1).await.unwrap_err();
        assert_eq!(refused.code(), "not_owned");

        let wanted = Wanted::Stickers(vec![town.stickers[1], town.stickers[0]]);
        let issued = issue(&town.one, &alice, &wanted, Version::V1).await.unwrap();
        let of: Vec<_> = issued.iter().map(|issued| issued.sticker).collect();
        assert_eq!(of, [town.stickers[1], town.stickers[0]]);
        let refused = issue(&town.one, &alice, &wanted, Version::V2).await.unwrap_err();
        assert_eq!(refused.code(), "version_unavailable");
    });
}

#[test]
fn bought_refunded_and_bought_again_in_one_second_the_old_text_is_refused_and_the_new_one_counts() {
    in_town(async |town| {
        let alice = user("alice");
        let mut chat = Follower::default();
        let mut old: Vec<Issued> = Vec::new();
        for round in 0..4 {
            let order = town.buys(&town.one, &alice).await;
            let fresh = town.tokens(&town.one, &alice).await.unwrap();
            chat.catches_up(town, &town.other, 1_000).await;
            for issued in &fresh {
                assert_eq!(town.verdict(&chat.denied, &alice, issued), Ok(issued.expires_at), "{round}");
                assert_eq!(town.own_verdict(&town.one, &alice, issued), Ok(issued.expires_at), "{round}");
            }
            for issued in &old {
                assert_eq!(town.verdict(&chat.denied, &alice, issued), Err(Refusal::Revoked), "{round}");
            }
            town.refunds(&town.one, &order).await;
            // The store that refunded refuses at once, without anybody refreshing it.
            for issued in &fresh {
                assert_eq!(town.own_verdict(&town.one, &alice, issued), Err(Refusal::Revoked), "{round}");
            }
            assert_eq!(town.tokens(&town.other, &alice).await.unwrap_err().code(), "not_owned");
            old.extend(fresh);
        }
    });
}
