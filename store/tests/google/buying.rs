//! A buyer's app hands in a purchase token.

use axum::http::StatusCode;
use serde_json::json;
use sticker_tests::google::{Call, Fault, PlayStore};

use crate::counter::told;
use crate::shop::{PRODUCT, all, in_shop, in_shop_with, retry_after};

#[test]
fn a_purchase_grants_its_order_once_and_is_consumed() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        let first = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!((first.status, first.json()["state"].as_str()), (StatusCode::OK, Some("granted")));
        let second = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(second.text, first.text);
        assert_eq!(shop.grants().await, 1);
        assert_eq!(shop.counts("outbox WHERE kind = 'google_consume'").await, 1);
        // The purchase can be bought again once it is consumed, which the sweep does where the outbox has not.
        assert_eq!(shop.sweeps().await.unwrap().finished, 0);
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap().finished, 1);
        assert_eq!(shop.state(&order).await, "acknowledged");
        let offer = &shop.play.purchase("token-of-minsu")["productLineItem"][0]["productOfferDetails"];
        assert_eq!(offer["consumptionState"], "CONSUMPTION_STATE_CONSUMED");
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap().finished, 0);
        assert_eq!((shop.play.count(Call::Consume), shop.play.count(Call::Acknowledge)), (1, 0));
        // What was handed in goes on having the same answer but for the state.
        let third = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(third.json()["state"], "acknowledged");
        assert_eq!(shop.grants().await, 1);
    });
}

#[test]
fn a_product_of_one_pack_is_acknowledged_alone_where_the_store_says_so() {
    in_shop_with(&[("CONSUME", "false"), ("PRODUCT", "pack_{pack}")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap().finished, 1);
        assert_eq!(shop.state(&order).await, "acknowledged");
        assert_eq!((shop.play.count(Call::Consume), shop.play.count(Call::Acknowledge)), (0, 1));
        let path = shop.play.asked().into_iter().find(|asked| asked.call == Call::Acknowledge).unwrap().path;
        assert!(path.ends_with(&format!("/products/pack_{}/tokens/token-of-minsu:acknowledge", shop.pack)));
    });
}

#[test]
fn a_pending_purchase_gives_nothing_until_it_is_paid() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        shop.play.sells("token-of-minsu", PRODUCT, &order, "PENDING");
        let pending = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(pending.refusal(), told(409, "pending"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("pending", 0));
        shop.play.takes_payment("token-of-minsu");
        let paid = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(paid.json()["state"], "granted");
        assert_eq!(shop.grants().await, 1);
    });
}

#[test]
fn what_was_revoked_before_it_was_handed_in_gives_nothing() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.voids("token-of-minsu");
        let revoked = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(revoked.refusal(), told(409, "revoked"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
        // Google's memory may fail; ours does not.
        shop.play.takes_payment("token-of-minsu");
        shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
    });
}

#[test]
fn a_purchase_that_does_not_fit_is_refused_with_its_code_and_a_trace_and_changes_nothing() {
    in_shop(async |shop| {
        let (buyer, other) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let order = shop.orders(&buyer).await;
        let others = shop.orders(&other).await;
        let sells = |token: &str, change: fn(&mut serde_json::Value)| {
            shop.play.sells(token, PRODUCT, &order, "PURCHASED");
            shop.play.changes(token, change);
        };
        sells("of-no-account", |it| drop(it.as_object_mut().unwrap().remove("obfuscatedExternalAccountId")));
        sells("of-nonsense", |it| it["obfuscatedExternalAccountId"] = "minsu".into());
        sells("of-other-product", |it| it["productLineItem"][0]["productId"] = "sticker_tier2".into());
        sells("of-two-products", |it| {
            let item = it["productLineItem"][0].clone();
            it["productLineItem"] = json!([item, item]);
        });
        sells("of-quantity-two", |it| {
            it["productLineItem"][0]["productOfferDetails"]["quantity"] = 2.into();
            it["productLineItem"][0]["productOfferDetails"]["refundableQuantity"] = 2.into();
        });
        sells("partly-refunded", |it| it["productLineItem"][0]["productOfferDetails"]["quantity"] = 2.into());
        sells("of-a-tester", |it| it["testPurchaseContext"] = json!({ "fopType": "TEST" }));
        sells("in-another-state", |it| it["purchaseStateContext"]["purchaseState"] = "LENT".into());
        shop.play.sells("of-somebody-else", PRODUCT, &others, "PURCHASED");
        for (token, status, code) in [
            ("of-no-account", 422, "missing_account"),
            ("of-nonsense", 422, "missing_account"),
            ("of-other-product", 422, "wrong_product"),
            ("of-two-products", 422, "wrong_product"),
            ("of-quantity-two", 422, "wrong_quantity"),
            ("partly-refunded", 422, "partial_refund"),
            ("of-a-tester", 422, "wrong_environment"),
            ("in-another-state", 422, "unknown_state"),
            ("of-somebody-else", 409, "wrong_account"),
            ("never-sold-to-anybody", 422, "invalid_receipt"),
            ("../../../v3/applications", 422, "invalid_receipt"),
            ("short", 422, "invalid_receipt"),
            ("with a space in it", 422, "invalid_receipt"),
        ] {
            let before = shop.traces(code).await;
            let answer = shop.submits(&buyer, &order, token).await;
            assert_eq!(answer.refusal(), told(status, code), "{token}");
            assert_eq!(shop.traces(code).await, before + 1, "{token}");
            assert!(!answer.text.contains(token), "{}", answer.text);
        }
        let nonsense = json!({ "purchase_token": 1 });
        let answer = shop.posts(&buyer, &format!("/v1/orders/{order}/receipts"), &nonsense).await;
        assert_eq!(answer.refusal(), told(422, "invalid_body"));
        // Somebody else's order is no order.
        let answer = shop.submits(&buyer, &others, "of-somebody-else").await;
        assert_eq!(answer.refusal(), told(404, "not_found"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("created", 0));
        assert_eq!(shop.counts("purchases").await, 0);
        // Nobody acknowledges what was refused, so that Google gives it back.
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap().finished, 0);
        assert_eq!(shop.play.count(Call::Consume), 0);
    });
}

#[test]
fn a_testers_purchase_counts_where_the_store_takes_them() {
    in_shop_with(&[("TEST_PURCHASES", "true")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.changes("token-of-minsu", |it| it["testPurchaseContext"] = json!({ "fopType": "TEST" }));
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
        assert_eq!(shop.counts("purchases WHERE environment = 'sandbox'").await, 1);
    });
}

#[test]
fn while_google_is_away_nothing_is_lost_and_the_app_is_told_when_to_come_again() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        let faults = [
            (Fault::Status(500, None), "provider_away", "5"),
            (Fault::Status(503, Some(11)), "provider_away", "11"),
            (Fault::Status(429, Some(17)), "provider_away", "17"),
            (Fault::Status(302, None), "provider_away", "5"),
            (Fault::Refusal(403, "userRateLimitExceeded"), "provider_away", "5"),
            (Fault::Refusal(403, "permissionDenied"), "provider_refuses", "60"),
            (Fault::Refusal(404, "applicationNotFound"), "provider_refuses", "60"),
            (Fault::Refusal(400, "required"), "provider_refuses", "60"),
            (Fault::Status(404, None), "provider_refuses", "60"),
            (Fault::Says("<html>".to_owned()), "provider_away", "5"),
            (Fault::Says("{}".to_owned()), "provider_away", "5"),
            (Fault::Says(format!("\"{}\"", "x".repeat(1 << 20))), "provider_away", "5"),
            (Fault::Says(format!("{}{{}}", shop.play.purchase("token-of-minsu"))), "provider_away", "5"),
        ];
        for (fault, code, seconds) in faults {
            shop.play.fails_next(Call::Lookup, fault.clone());
            let answer = shop.submits(&buyer, &order, "token-of-minsu").await;
            assert_eq!(answer.refusal(), told(503, code), "{fault:?}");
            assert_eq!(retry_after(&answer), seconds, "{fault:?}");
            assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("created", 0), "{fault:?}");
        }
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
    });
}

#[test]
fn what_google_says_of_a_token_is_told_from_what_it_says_of_the_request() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let said = [
            (400, "invalidValue"),
            (400, "invalid"),
            (400, "purchaseTokenDoesNotMatchPackageName"),
            (404, "purchaseTokenNotFound"),
            (410, "purchaseTokenNoLongerValid"),
            (410, "somethingElse"),
        ];
        for (number, (status, reason)) in said.into_iter().enumerate() {
            shop.play.fails_next(Call::Lookup, Fault::Refusal(status, reason));
            let answer = shop.submits(&buyer, &order, &format!("token-number-{number}")).await;
            assert_eq!(answer.refusal(), told(422, "invalid_receipt"), "{status} {reason}");
        }
        assert_eq!(shop.play.count(Call::Lookup), said.len());
    });
}

#[test]
fn a_purchase_that_is_handed_in_again_and_again_is_looked_up_once() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.fails_next(Call::Lookup, Fault::Held);
        let again = (0..40).map(|_| shop.submits(&buyer, &order, "token-of-minsu"));
        let released = async {
            while shop.play.count(Call::Lookup) == 0 {
                tokio::task::yield_now().await;
            }
            shop.play.releases();
        };
        let (answers, ()) = tokio::join!(all(again), released);
        for answer in answers {
            assert_eq!(answer.json()["state"], "granted", "{}", answer.text);
        }
        let restored = json!({ "purchase_tokens": vec!["token-of-minsu"; 100] });
        let restored = shop.posts(&buyer, "/v1/restore", &restored).await.json();
        assert!(restored["purchase_tokens"].as_array().unwrap().iter().all(|it| it["state"] == "granted"));
        // Somebody else who has the token gets nothing by it, and costs nothing.
        let other = shop.admits("jisoo").await;
        let others = shop.orders(&other).await;
        let answer = shop.submits(&other, &others, "token-of-minsu").await;
        assert_eq!(answer.refusal(), told(409, "wrong_account"));
        assert_eq!((shop.play.count(Call::Lookup), shop.grants().await), (1, 1));
    });
}

#[test]
fn a_user_has_google_asked_for_thirty_purchases_at_once_and_no_more() {
    in_shop_with(&[], async |shop| {
        let (buyer, other) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let bought = shop.buys(&other, "token-of-jisoo").await;
        let tokens: Vec<String> = (0..100).map(|number| format!("token-number-{number}")).collect();
        let restored = shop.posts(&buyer, "/v1/restore", &json!({ "purchase_tokens": tokens })).await.json();
        let restored = restored["purchase_tokens"].as_array().unwrap().clone();
        let count = |code: &str| restored.iter().filter(|it| it["code"] == code).count();
        // While the requests are under way one or the other more is admitted.
        let asked = shop.play.count(Call::Lookup) - 1;
        assert!((30..40).contains(&asked), "{asked}");
        assert_eq!((count("invalid_receipt"), count("rate_limited")), (asked, 100 - asked));
        assert!(restored.last().unwrap()["retry_after"].as_u64().unwrap() >= 1);
        assert_eq!(shop.traces("rate_limited").await, 0);
        // Those that Google did not know just now are not asked for again, by nobody.
        let again =
            shop.posts(&other, "/v1/restore", &json!({ "purchase_tokens": tokens[..30] })).await.json();
        assert!(
            again["purchase_tokens"].as_array().unwrap().iter().all(|it| it["code"] == "invalid_receipt")
        );
        assert_eq!(shop.play.count(Call::Lookup), asked + 1);
        // Who has tried too often may still hand in what is known.
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.pushes(&PlayStore::purchased("m-1", "token-of-minsu")).await;
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
        assert_eq!(shop.state(&bought).await, "granted");
    });
}

#[test]
fn a_google_that_does_not_answer_in_time_is_away() {
    in_shop_with(&[("TIMEOUT_SECONDS", "1")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.fails_next(Call::Lookup, Fault::Held);
        let answer = shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!(answer.refusal(), told(503, "provider_away"));
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
    });
}

#[test]
fn a_store_without_google_sells_nothing_for_it() {
    in_shop_with(&[("ENABLED", "false")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = json!({ "pack_id": shop.pack, "provider": "google" });
        let answer = shop.posts(&buyer, "/v1/orders", &order).await;
        assert_eq!(answer.refusal(), told(422, "provider_disabled"));
        let answer = shop.pushes(&PlayStore::purchased("1", "token-of-minsu")).await;
        assert_eq!(answer.refusal(), told(422, "provider_disabled"));
    });
}
