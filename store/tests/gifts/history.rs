//! The history of a user's orders, and restoring on another phone.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::people::visits;
use crate::town::in_town;

#[test]
fn the_history_has_every_order_of_the_user_once_page_by_page() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.one, "bob").await);
        let mut made = Vec::new();
        for at in 0..7 {
            made.push(alice.orders(town, Some("code")).await);
            bob.orders(town, None).await;
            // Some in the same moment.
            town.passes(at % 2);
        }
        let (mut seen, mut before): (Vec<String>, String) = (Vec::new(), String::new());
        loop {
            let page = alice.gets(&format!("/v1/orders?limit=3{before}")).await.json();
            let orders = page["orders"].as_array().unwrap();
            assert!(orders.len() <= 3);
            let times: Vec<i64> = orders.iter().map(|order| order["created_at"].as_i64().unwrap()).collect();
            assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
            seen.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(seen.len(), made.len());
        seen.sort();
        made.sort();
        assert_eq!(seen, made);
        let others = bob.gets(&format!("/v1/orders?before={}", made[0])).await;
        assert_eq!(others.status, StatusCode::NOT_FOUND);
        for limit in ["0", "201"] {
            let refused = alice.gets(&format!("/v1/orders?limit={limit}")).await;
            assert_eq!(
                (refused.status, refused.error_code().as_str()),
                (StatusCode::BAD_REQUEST, "invalid_limit")
            );
        }
    });
}

#[test]
fn a_new_phone_restores_what_its_user_paid_and_nothing_of_anybody_else() {
    in_town(async |town| {
        let (alice, mallory) = (visits(&town.one, "alice").await, visits(&town.one, "mallory").await);
        let order = alice.orders(town, None).await;
        alice.pays(&order).await;
        let proofs = json!({
            "transactions": [format!("t-{order}"), "t-unknown", ""],
            "signed_transactions": ["a.b.c"], "purchase_tokens": ["token"],
        });
        let restored = visits(&town.other, "alice").await.posts("/v1/restore", &proofs).await;
        assert_eq!(restored.status, StatusCode::OK, "{}", restored.text);
        let restored = restored.json();
        let own = json!({ "order_id": order, "pack_id": town.pack, "state": "granted" });
        assert_eq!(restored["transactions"][0], own);
        let codes = |field: &str| -> Vec<Value> {
            restored[field].as_array().unwrap().iter().map(|result| result["code"].clone()).collect()
        };
        assert_eq!(codes("transactions"), [json!(null), json!("not_found"), json!("invalid_receipt")]);
        assert_eq!((codes("signed_transactions").len(), codes("purchase_tokens").len()), (1, 1));
        let stolen = mallory.posts("/v1/restore", &proofs).await.json();
        assert_eq!(stolen["transactions"][0]["code"], "wrong_account");
        assert_eq!(mallory.owns().await, None);
        assert_eq!(alice.owns().await.as_deref(), Some("own"));

        town.refunds(&town.one, &order).await;
        let after = alice.posts("/v1/restore", &proofs).await.json();
        assert_eq!(after["transactions"][0]["state"], "revoked", "{after}");
        assert_eq!(alice.owns().await, None);
        let many = json!({ "transactions": vec!["t"; 101] });
        assert_eq!(alice.posts("/v1/restore", &many).await.error_code(), "too_many");
        let empty = alice.posts("/v1/restore", &json!({})).await.json();
        assert_eq!(empty, json!({ "transactions": [], "signed_transactions": [], "purchase_tokens": [] }));
    });
}

#[test]
fn an_order_of_a_pack_that_was_taken_down_has_neither_link_nor_till() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let (unpaid, paid) = (alice.orders(town, None).await, alice.orders(town, Some("code")).await);
        alice.pays(&paid).await;
        let operator = sticker_store::audit::Actor("operator");
        sticker_store::catalogue::takedown::take_down(&town.one, operator, town.pack, "a claim")
            .await
            .unwrap();
        let link = format!("/packs/{}", town.slug);
        for order in [&unpaid, &paid] {
            let page = alice.gets(&format!("/orders/{order}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.text.contains(&link) && !page.text.contains("/pay"), "{}", page.text);
        }
        let refused = alice.submits(&format!("/orders/{unpaid}/pay"), "").await;
        assert_eq!(refused.status, StatusCode::SEE_OTHER);
        assert_eq!(alice.order(&unpaid).await["state"], "created");
        assert!(alice.gets(&format!("/orders/{unpaid}")).await.text.contains("Nothing was charged"));
    });
}
