//! What an operator gives, takes and looks at.

use sticker_protocol::token::Refusal;
use sticker_store::audit::Actor;
use sticker_store::purchase::manual::{give, revoke};
use sticker_store::purchase::order::{Wish, make};
use sticker_store::purchase::state::{Problem, State};
use sticker_store::purchase::support::{case, stuck};
use sticker_store::purchase::word::Provider;

use crate::people::{visits, visits_with_partner};
use crate::town::{Follower, in_town};

const OPERATOR: Actor<'_> = Actor("operator");

#[test]
fn a_pack_that_an_operator_gave_is_the_users_until_it_is_taken_with_its_tokens() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let given = give(&town.one, OPERATOR, &alice.id, town.pack, "an apology").await.unwrap();
        assert_eq!((given.provider, given.state), (Provider::Manual, State::Granted));
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        let again = give(&town.other, OPERATOR, &alice.id, town.pack, "twice").await;
        assert_eq!(again.unwrap_err().code(), "already_owned");
        let issued = town.tokens(&town.one, &alice.id).await.unwrap();
        let taken =
            revoke(&town.other, OPERATOR, &alice.id, town.pack, "given to the wrong one").await.unwrap();
        assert_eq!(taken.iter().map(|order| &order.id).collect::<Vec<_>>(), [&given.id]);
        assert_eq!(alice.owns().await, None);
        let mut chat = Follower::default();
        chat.catches_up(town, &town.one, 1_000).await;
        for token in &issued {
            assert_eq!(town.verdict(&chat.denied, &alice.id, token), Err(Refusal::Revoked));
        }
        let nothing = revoke(&town.one, OPERATOR, &alice.id, town.pack, "again").await;
        assert_eq!(nothing.unwrap_err().code(), "not_owned");
        assert_eq!(
            give(&town.one, OPERATOR, &alice.id, town.pack, " ").await.unwrap_err().code(),
            "invalid_reason"
        );
    });
}

#[test]
fn a_user_with_several_paid_orders_loses_the_pack_with_the_last_of_them() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let (first, second) = (alice.orders(town, None).await, alice.orders(town, None).await);
        alice.pays(&first).await;
        assert_eq!(alice.pays(&second).await["problem"], "already_owned");
        let taken = revoke(&town.one, OPERATOR, &alice.id, town.pack, "a stolen card").await.unwrap();
        assert_eq!(taken.iter().map(|order| &order.id).collect::<Vec<_>>(), [&first, &second]);
        assert_eq!(alice.owns().await, None);
    });
}

#[test]
fn a_case_has_everything_about_an_order_and_no_code() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, code) = alice.gives(town).await;
        bob.redeems(&code).await;
        let case = case(&town.one, &order).await.unwrap();
        assert_eq!((case.purchases.len(), case.snapshots.len(), case.events.len()), (1, 1, 1));
        assert_eq!(case.grants[0].user_id, bob.id.as_bytes());
        assert_eq!(case.gift.as_ref().unwrap().redeemed_by.as_deref(), Some(bob.id.as_bytes()));
        let actions: Vec<&str> = case.trace.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["paid", "redeem"]);
        assert_eq!(case.trace[1].actor, format!("user:{}", bob.id.to_hex()));
        let all = format!("{case:?}");
        assert!(!all.contains(&code) && !all.contains(&code.replace('-', "")), "{all}");
        assert_eq!(
            sticker_store::purchase::support::case(&town.one, "none").await.unwrap_err().code(),
            "not_found"
        );
    });
}

#[test]
fn what_is_stuck_is_shown_and_what_waits_as_it_should_is_not() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        alice.gives(town).await;
        alice.orders(town, None).await;
        let nothing = stuck(&town.one).await.unwrap();
        assert!(nothing.paid.is_empty() && nothing.problems.is_empty() && nothing.events.is_empty());
        let gift = alice.orders(town, Some("partner")).await;
        town.buys(&town.other, &crate::town::user("bob")).await;
        alice.pays(&gift).await;
        let now = stuck(&town.other).await.unwrap();
        assert_eq!(now.paid.iter().map(|order| &order.id).collect::<Vec<_>>(), [&gift]);
        assert_eq!(now.problems[0].problem, Some(Problem::AlreadyOwned));
        assert!(now.pending.is_empty() && now.unfinished.is_empty());
    });
}

#[test]
fn an_order_of_another_provider_is_no_till_for_test_money() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let given = give(&town.one, OPERATOR, &alice.id, town.pack, "an apology").await.unwrap();
        let receipt = serde_json::json!({ "transaction": "t-1" });
        let refused = alice.posts(&format!("/v1/orders/{}/receipts", given.id), &receipt).await;
        assert_eq!(refused.error_code(), "wrong_provider");
        let by_hand =
            make(&town.one, &crate::town::user("bob"), Wish::new(town.pack, Provider::Manual)).await;
        assert_eq!(by_hand.unwrap_err().code(), "provider_disabled");
    });
}
