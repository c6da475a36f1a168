//! What the page of an order says and sells.

use axum::http::StatusCode;
use serde_json::json;

use crate::people::{Person, visits, visits_with_partner};
use crate::town::{Town, in_town};

/// Looks at the page of an unpaid order that sells nothing, and presses the button that it had before.
async fn pays_in_vain(giver: &Person, order: &str, says: &str) {
    let page = format!("/orders/{order}");
    let shown = giver.gets(&page).await.text;
    assert!(shown.contains(says) && !shown.contains(&format!("{page}/pay")), "{shown}");
    let pressed = giver.submits(&format!("{page}/pay"), "").await;
    assert_eq!((pressed.status, &pressed.headers["location"]), (StatusCode::SEE_OTHER, &page));
    assert_eq!(giver.order(order).await["state"], "created");
}

#[test]
fn the_page_of_an_order_sells_no_pack_that_its_buyer_has_meanwhile() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let (one, two) = (alice.orders(town, None).await, alice.orders(town, None).await);
        let sells = alice.gets(&format!("/orders/{two}")).await.text;
        assert!(sells.contains(&format!("/orders/{two}/pay")), "{sells}");
        alice.pays(&one).await;
        pays_in_vain(&alice, &two, "You have this pack already").await;
    });
}

#[test]
fn the_page_of_a_gift_sells_no_pack_that_the_partner_has_meanwhile() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let order = alice.orders(town, Some("partner")).await;
        town.buys(&town.other, &visits(&town.other, "bob").await.id).await;
        pays_in_vain(&alice, &order, "Your partner has this pack already").await;
    });
}

async fn says(town: &Town, who: &Person, order: &str) -> String {
    town.refunds(&town.other, order).await;
    who.gets(&format!("/orders/{order}")).await.text
}

#[test]
fn the_page_of_a_refunded_order_says_who_still_has_the_pack() {
    in_town(async |town| {
        let alice = visits_with_partner(&town.one, "alice", "bob").await;
        let (one, two) = (alice.orders(town, None).await, alice.orders(town, None).await);
        alice.pays(&one).await;
        assert_eq!(alice.pays(&two).await["problem"], json!("already_owned"));
        assert!(says(town, &alice, &one).await.contains("You keep the pack"));
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        let (gift, _) = alice.gives(town).await;
        assert!(says(town, &alice, &gift).await.contains("This gift was refunded"));
        assert!(says(town, &alice, &two).await.contains("no longer in your library"));
        assert_eq!(alice.owns().await, None);
    });
}
