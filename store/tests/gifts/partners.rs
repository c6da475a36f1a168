//! Gifts to the partner whom the messenger named.

use axum::http::StatusCode;
use serde_json::json;

use crate::people::{code_in, visits, visits_with_partner};
use crate::town::{Town, in_town};

#[test]
fn a_partner_has_the_gift_as_soon_as_it_is_paid_and_loses_it_with_a_refund() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let bob = visits(&town.other, "bob").await;
        let order = alice.orders(town, Some("partner")).await;
        assert_eq!(bob.owns().await, None);
        let paid = alice.pays(&order).await;
        let gift = json!({ "kind": "partner", "state": "given", "partner": "bob" });
        assert_eq!((&paid["state"], &paid["gift"]), (&json!("granted"), &gift));
        assert_eq!((alice.owns().await, bob.owns().await.as_deref()), (None, Some("gift")));
        let wish = json!({ "pack_id": town.pack, "provider": "sandbox", "gift": "partner" });
        assert_eq!(alice.posts("/v1/orders", &wish).await.error_code(), "recipient_owns");
        town.refunds(&town.other, &order).await;
        assert_eq!(bob.owns().await, None);
        let nobody = visits(&town.one, "carol").await.posts("/v1/orders", &wish).await;
        assert_eq!(
            (nobody.status, nobody.error_code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "no_partner")
        );
    });
}

/// The partner buys the pack between the order and its payment.
async fn comes_too_late(town: &Town, giver: &str) -> (crate::people::Person, String) {
    let alice = visits_with_partner(&town.one, giver, "bob").await;
    let order = alice.orders(town, Some("partner")).await;
    let bob = visits(&town.other, "bob").await;
    if bob.owns().await.is_none() {
        town.buys(&town.other, &bob.id).await;
    }
    // An order that was made before the partner had the pack can still be paid.
    let paid = alice.pays(&order).await;
    assert_eq!((&paid["state"], &paid["problem"]), (&json!("paid"), &json!("already_owned")), "{paid}");
    assert_eq!(paid["gift"]["state"], "partner_owns");
    (alice, order)
}

#[test]
fn a_gift_to_a_partner_who_bought_the_pack_meanwhile_becomes_a_code() {
    in_town(async |town| {
        let (alice, order) = comes_too_late(town, "alice").await;
        assert!(
            alice.gets(&format!("/orders/{order}")).await.text.contains("Your partner has this pack already")
        );
        let turned = alice.acts(&order, "new_code").await.json();
        assert_eq!((&turned["problem"], &turned["gift"]["kind"]), (&json!(null), &json!("code")), "{turned}");
        let carol = visits(&town.other, "carol").await;
        assert_eq!(carol.redeems(&code_in(&turned)).await.status, StatusCode::OK);
        assert_eq!(carol.owns().await.as_deref(), Some("gift"));
        // The partner's own right is another order's.
        town.refunds(&town.one, &order).await;
        assert_eq!(carol.owns().await, None);
        assert_eq!(visits(&town.one, "bob").await.owns().await.as_deref(), Some("own"));
    });
}

#[test]
fn a_gift_to_a_partner_who_bought_the_pack_meanwhile_can_be_kept() {
    in_town(async |town| {
        let (alice, order) = comes_too_late(town, "alice").await;
        assert_eq!(alice.acts(&order, "take_back").await.json()["gift"]["state"], "partner_owns");
        let kept = alice.acts(&order, "keep").await.json();
        assert_eq!((&kept["state"], &kept["problem"]), (&json!("granted"), &json!(null)), "{kept}");
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        town.refunds(&town.other, &order).await;
        assert_eq!(alice.owns().await, None);
    });
}

#[test]
fn a_partners_own_purchase_that_is_refunded_leaves_them_the_gift() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let bob = visits(&town.other, "bob").await;
        let order = alice.orders(town, Some("partner")).await;
        let own = town.buys(&town.other, &bob.id).await;
        assert_eq!(alice.pays(&order).await["problem"], "already_owned");
        town.refunds(&town.other, &own).await;
        assert_eq!(bob.owns().await.as_deref(), Some("gift"));
        let given = alice.order(&order).await;
        assert_eq!(
            (&given["state"], &given["gift"]["state"]),
            (&json!("granted"), &json!("given")),
            "{given}"
        );
        assert_eq!(alice.acts(&order, "new_code").await.error_code(), "gift_taken");
    });
}
