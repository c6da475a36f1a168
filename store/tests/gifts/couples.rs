//! Packs that couples share.

use axum::http::StatusCode;
use serde_json::json;
use sticker_protocol::token::Refusal;
use sticker_store::audit::Actor;
use sticker_store::catalogue::sharing::share;

use crate::people::{visits, visits_with_partner};
use crate::town::{Follower, Town, in_town};

async fn shares(town: &Town) {
    assert!(share(&town.one, Actor("operator"), town.pack, true).await.unwrap());
}

#[test]
fn a_pack_is_the_partners_too_where_couples_share_it_and_a_refund_takes_both_rights() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let bob = visits(&town.other, "bob").await;
        let page = format!("/packs/{}", town.slug);
        assert!(!alice.gets(&page).await.text.contains("for you and your partner"));
        shares(town).await;
        assert!(!share(&town.other, Actor("operator"), town.pack, true).await.unwrap());
        assert!(alice.gets(&page).await.text.contains("for you and your partner"));
        let order = alice.orders(town, None).await;
        let paid = alice.pays(&order).await;
        assert_eq!((&paid["state"], &paid["shared"]), (&json!("granted"), &json!(true)), "{paid}");
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        assert_eq!(bob.owns().await.as_deref(), Some("shared"));
        assert!(bob.gets("/library").await.text.contains("Shared by your partner"));
        let issued = town.tokens(&town.other, &bob.id).await.unwrap();
        town.refunds(&town.one, &order).await;
        assert_eq!((alice.owns().await, bob.owns().await), (None, None));
        let mut chat = Follower::default();
        chat.catches_up(town, &town.other, 1_000).await;
        for token in &issued {
            assert_eq!(town.verdict(&chat.denied, &bob.id, token), Err(Refusal::Revoked));
        }
    });
}

#[test]
fn a_partner_who_has_the_pack_keeps_it_when_the_shared_order_is_refunded() {
    in_town(async |town| {
        shares(town).await;
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let bob = visits(&town.other, "bob").await;
        town.buys(&town.other, &bob.id).await;
        let order = alice.orders(town, None).await;
        assert_eq!(alice.pays(&order).await["state"], "granted");
        assert_eq!(bob.owns().await.as_deref(), Some("own"));
        town.refunds(&town.one, &order).await;
        assert_eq!((alice.owns().await, bob.owns().await.as_deref()), (None, Some("own")));
    });
}

#[test]
fn a_shared_right_passes_to_the_partners_own_order_and_the_other_way_round() {
    in_town(async |town| {
        shares(town).await;
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let bob = visits(&town.other, "bob").await;
        // Both had ordered before either paid.
        let (hers, his) = (alice.orders(town, None).await, bob.orders(town, None).await);
        alice.pays(&hers).await;
        let late = bob.pays(&his).await;
        assert_eq!((&late["state"], &late["problem"]), (&json!("paid"), &json!("already_owned")), "{late}");
        let issued = town.tokens(&town.other, &bob.id).await.unwrap();
        town.refunds(&town.one, &hers).await;
        assert_eq!((alice.owns().await, bob.owns().await.as_deref()), (None, Some("own")));
        assert_eq!(bob.order(&his).await["state"], "granted");
        // Nobody noticed: his tokens go on.
        let mut chat = Follower::default();
        chat.catches_up(town, &town.one, 1_000).await;
        for token in &issued {
            assert_eq!(town.verdict(&chat.denied, &bob.id, token), Ok(token.expires_at));
        }
        // And back: her next order gives both the pack, and stands for both once his is refunded.
        let again = alice.orders(town, None).await;
        alice.pays(&again).await;
        town.refunds(&town.other, &his).await;
        assert_eq!(bob.owns().await.as_deref(), Some("shared"));
        town.refunds(&town.other, &again).await;
        assert_eq!((alice.owns().await, bob.owns().await), (None, None));
    });
}

#[test]
fn what_couples_do_not_share_any_more_is_one_persons_and_gifts_are_never_shared() {
    in_town(async |town| {
        shares(town).await;
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let (bob, carol) = (visits(&town.other, "bob").await, visits(&town.one, "carol").await);
        let (order, code) = alice.gives(town).await;
        assert_eq!(alice.order(&order).await["shared"], false);
        assert_eq!(carol.redeems(&code).await.status, StatusCode::OK);
        assert_eq!(bob.owns().await, None);
        assert!(share(&town.other, Actor("operator"), town.pack, false).await.unwrap());
        let order = alice.orders(town, None).await;
        assert_eq!(alice.pays(&order).await["shared"], false);
        assert_eq!(bob.owns().await, None);
    });
}
