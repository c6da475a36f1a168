//! Gifts whose refund an app store takes back.

use axum::http::StatusCode;
use sea_orm::{ActiveModelTrait as _, Set};
use serde_json::json;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::settle::{Outcome, hear};
use sticker_store::purchase::word::{Event, Provider, Standing, Word, World};

use crate::people::{Person, code_in, visits};
use crate::town::{Town, in_town};

/// A gift with a code that Google is to be paid for.
async fn orders(town: &Town, giver: &Person) -> String {
    let id = giver.orders(town, Some("code")).await;
    let row =
        order::ActiveModel { id: Set(id.clone()), provider: Set(Provider::Google), ..Default::default() };
    row.update(&town.one.db).await.unwrap();
    id
}

/// What Google says of the payment.
async fn says(town: &Town, order: &str, standing: Standing, version: i64) -> Outcome {
    let word = Word {
        provider: Provider::Google,
        world: World::Production,
        transaction: format!("g-{order}"),
        order: order.parse().ok(),
        product: None,
        quantity: 1,
        paid: None,
        standing,
        version,
        snapshot: json!({}),
        then: None,
    };
    let event = Event { source: "google", id: format!("{order}:{version}"), kind: "TOLD".to_owned() };
    hear(&town.other, &event, &word, None).await.unwrap().outcome
}

#[test]
fn a_gift_that_waited_when_its_refund_was_taken_back_is_the_givers_to_send_again() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let order = orders(town, &alice).await;
        assert_eq!(says(town, &order, Standing::Paid, 1).await, Outcome::Settled);
        let first = code_in(&alice.order(&order).await);
        assert_eq!(says(town, &order, Standing::Revoked, 2).await, Outcome::Revoked);
        assert_eq!(bob.redeems(&first).await.error_code(), "code_invalid");
        assert_eq!(says(town, &order, Standing::Paid, 3).await, Outcome::Settled);
        let back = alice.order(&order).await;
        assert_eq!((&back["state"], &back["gift"]["state"]), (&json!("paid"), &json!("returned")), "{back}");
        assert_eq!(bob.redeems(&first).await.error_code(), "code_invalid");
        let second = code_in(&alice.acts(&order, "new_code").await.json());
        assert_eq!(bob.redeems(&second).await.status, StatusCode::OK);
    });
}

#[test]
fn who_redeemed_a_gift_has_it_again_when_its_refund_was_taken_back() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let order = orders(town, &alice).await;
        says(town, &order, Standing::Paid, 1).await;
        let code = code_in(&alice.order(&order).await);
        assert_eq!(bob.redeems(&code).await.status, StatusCode::OK);
        says(town, &order, Standing::Revoked, 2).await;
        assert_eq!(bob.owns().await, None);
        says(town, &order, Standing::Paid, 3).await;
        assert_eq!(bob.owns().await.as_deref(), Some("gift"));
        assert_eq!(alice.order(&order).await["gift"]["state"], "redeemed");
        assert_eq!(bob.redeems(&code).await.status, StatusCode::OK);
        // A word about the payment that comes again changes nothing.
        assert_eq!(says(town, &order, Standing::Paid, 4).await, Outcome::Settled);
        assert_eq!(alice.owns().await, None);
    });
}
