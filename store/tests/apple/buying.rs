//! A buyer's app hands in a transaction.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sticker_tests::apple::{AppleAuthority, Certificates};

use crate::counter::told;
use crate::shop::{PRODUCT, in_shop, in_shop_with};

#[test]
fn a_transaction_grants_its_order_once() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        let first = shop.submits(&buyer, &order, &paid).await;
        assert_eq!((first.status, first.json()["state"].as_str()), (StatusCode::OK, Some("granted")));
        let second = shop.submits(&buyer, &order, &paid).await;
        assert_eq!(second.text, first.text);
        shop.passes(60);
        let newer = shop.submits(&buyer, &order, &shop.resigned(&paid, &json!({}))).await;
        assert_eq!(newer.text, first.text);
        assert_eq!((shop.grants().await, shop.counts("purchases").await), (1, 1));
        let paid = shop.one("SELECT currency FROM purchases WHERE price_minor = 1200").await;
        assert_eq!(paid, "KRW");
        // Nobody was asked: what Apple has signed is enough.
        assert!(shop.apple.asked().is_empty());
    });
}

#[test]
fn apples_uuid_of_the_order_counts_in_capitals_as_well() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order.to_uppercase());
        assert_eq!(shop.submits(&buyer, &order, &paid).await.json()["state"], "granted");
    });
}

#[test]
fn a_transaction_that_does_not_fit_is_refused_with_its_code_and_a_trace_and_changes_nothing() {
    in_shop(async |shop| {
        let (buyer, other) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let (order, others) = (shop.orders(&buyer).await, shop.orders(&other).await);
        let paid = shop.pays("2000000001", &order);
        let with = |changes: Value| {
            let mut payload = paid.clone();
            for (name, value) in changes.as_object().unwrap() {
                payload[name] = value.clone();
            }
            shop.authority.signs(&payload)
        };
        let x5c = shop.authority.x5c();
        let under = |header: Value| shop.authority.signs_with(&header, &paid);
        let by = |like: Certificates| AppleAuthority::with(&like).signs(&paid);
        let good = shop.authority.signs(&paid);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let cheaper = with(json!({ "price": 1 }));
        let cheaper = cheaper.split('.').nth(1).unwrap();
        let altered = format!("{header}.{cheaper}.{signature}");
        let half = json!({ "revocationDate": 1, "revocationType": "REFUND_PRORATED", "revocationPercentage": 50_000 });
        for (what, text, status, code) in [
            ("another user's", with(json!({ "appAccountToken": others })), 409, "wrong_account"),
            ("no account", with(json!({ "appAccountToken": null })), 422, "missing_account"),
            ("nonsense for an account", with(json!({ "appAccountToken": "minsu" })), 422, "missing_account"),
            ("other product", with(json!({ "productId": "sticker_tier2" })), 422, "wrong_product"),
            ("two of it", with(json!({ "quantity": 2 })), 422, "wrong_quantity"),
            ("none of it", with(json!({ "quantity": 0 })), 422, "wrong_quantity"),
            ("other app", with(json!({ "bundleId": "com.example.other" })), 422, "wrong_app"),
            ("other world", with(json!({ "environment": "Production" })), 422, "wrong_environment"),
            ("Xcode", with(json!({ "environment": "Xcode" })), 422, "wrong_environment"),
            ("the family's", with(json!({ "inAppOwnershipType": "FAMILY_SHARED" })), 422, "family_shared"),
            ("a subscription", with(json!({ "type": "Auto-Renewable Subscription" })), 422, "wrong_product"),
            ("half refunded", with(half), 422, "partial_refund"),
            ("no id", with(json!({ "transactionId": null })), 422, "malformed"),
            ("chain of 2", under(json!({ "alg": "ES256", "x5c": x5c[..2] })), 422, "bad_chain"),
            (
                "chain of 4",
                under(json!({ "alg": "ES256", "x5c": [x5c[0], x5c[1], x5c[2], x5c[2]] })),
                422,
                "bad_chain",
            ),
            ("foreign root", by(Certificates::default()), 422, "bad_chain"),
            ("HS256", under(json!({ "alg": "HS256", "x5c": x5c })), 422, "bad_signature"),
            ("none", under(json!({ "alg": "none", "x5c": x5c })), 422, "bad_signature"),
            ("altered", altered, 422, "bad_signature"),
            ("no JWS", "text".to_owned(), 422, "malformed"),
            ("too long", "a".repeat(70_000), 422, "invalid_receipt"),
        ] {
            let before = shop.traces(code).await;
            let answer = shop.submits_text(&buyer, &order, &text).await;
            assert_eq!(answer.refusal(), told(status, code), "{what}: {}", answer.text);
            assert_eq!(shop.traces(code).await, before + 1, "{what}");
            assert!(!answer.text.contains(&text[..text.len().min(80)]) || text == "text", "{}", answer.text);
        }
        let path = format!("/v1/orders/{order}/receipts");
        for (nonsense, code) in [
            (json!({ "signed_transaction": 1 }), "invalid_body"),
            (json!({}), "invalid_body"),
            (json!({ "transaction": "1" }), "wrong_provider"),
            (json!({ "purchase_token": good }), "wrong_provider"),
        ] {
            assert_eq!(shop.posts(&buyer, &path, &nonsense).await.refusal(), told(422, code), "{nonsense}");
        }
        // Somebody else's order is no order.
        assert_eq!(shop.submits(&buyer, &others, &paid).await.refusal(), told(404, "not_found"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("created", 0));
        assert_eq!(shop.counts("purchases").await + shop.counts("snapshots").await, 0);
    });
}

#[test]
fn a_refusal_tells_an_app_what_an_app_can_do() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        for (text, message) in
            [("text", "it has 1 part instead of three"), ("a.b", "it has 2 parts instead of three")]
        {
            let error = shop.submits_text(&buyer, &order, text).await.json()["error"].clone();
            assert!(error["message"].as_str().unwrap().ends_with(message), "{error}");
            assert_eq!(error["hint"], "hand in `jwsRepresentation` of StoreKit 2 unchanged");
        }
    });
}

#[test]
fn certificates_count_at_the_stores_clock() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        // Certificates end in 2045, 20 years from now.
        shop.passes(20 * 366 * 86_400);
        let buyer = shop.admits("minsu").await;
        assert_eq!(shop.submits(&buyer, &order, &paid).await.refusal(), told(422, "bad_chain"));
    });
}

#[test]
fn one_payment_settles_one_order() {
    in_shop(async |shop| {
        let (buyer, other) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let (_, paid) = shop.buys(&buyer, "2000000001").await;
        let others = shop.orders(&other).await;
        // Apple never says so of another order, and who does it has Apple's key.
        let moved = shop.resigned(&paid, &json!({ "appAccountToken": others }));
        assert_eq!(shop.submits(&other, &others, &moved).await.refusal(), told(409, "transaction_taken"));
        assert_eq!((shop.grants().await, shop.state(&others).await.as_str()), (1, "created"));
    });
}

#[test]
fn what_was_refunded_before_it_was_handed_in_gives_nothing() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        shop.passes(60);
        let refunded = shop.refunded(&paid);
        let answer = shop.hears("REFUND", "n-1", &refunded).await;
        assert_eq!(answer.outcome(), told(200, "revoked"));
        // The app has the transaction as it was signed before.
        for transaction in [&paid, &refunded, &paid] {
            assert_eq!(shop.submits(&buyer, &order, transaction).await.refusal(), told(409, "revoked"));
        }
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
    });
}

#[test]
fn a_store_that_does_not_take_apples_payments_says_so() {
    in_shop_with(&[("ENABLED", "false")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let wish = json!({ "pack_id": shop.pack, "provider": "apple" });
        assert_eq!(shop.posts(&buyer, "/v1/orders", &wish).await.refusal(), told(422, "provider_disabled"));
        let body = shop.authority.notifies("REFUND", "n-1", &AppleAuthority::transaction("1", "", PRODUCT));
        assert_eq!(shop.hears_body(body.to_string()).await.refusal(), told(422, "provider_disabled"));
    });
}
