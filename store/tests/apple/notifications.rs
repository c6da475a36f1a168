//! Apple notifies.

use serde_json::{Value, json};
use sticker_store::purchase::apple::consumption;
use sticker_store::purchase::support::stuck;
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID, Mood};

use crate::counter::told;
use crate::shop::{PRODUCT, in_shop, in_shop_with};

#[test]
fn a_charge_grants_the_order_though_the_app_never_hands_it_in() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        assert_eq!(shop.hears("ONE_TIME_CHARGE", "n-1", &paid).await.outcome(), told(200, "settled"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        // The app is late, and Apple says it twice.
        assert_eq!(shop.submits(&buyer, &order, &paid).await.json()["state"], "granted");
        assert_eq!(shop.hears("ONE_TIME_CHARGE", "n-1", &paid).await.outcome(), told(200, "repeated"));
        assert_eq!((shop.grants().await, shop.counts("purchases").await), (1, 1));
    });
}

#[test]
fn a_refund_takes_the_pack_and_its_reversal_gives_it_back_in_whatever_order_they_come() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (order, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        let refunded = shop.refunded(&paid);
        assert_eq!(shop.hears("REFUND", "n-1", &refunded).await.outcome(), told(200, "revoked"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
        assert!(shop.counts("revocations").await <= 1);
        shop.passes(60);
        let reversed = shop.resigned(&paid, &json!({}));
        assert_eq!(shop.hears("REFUND_REVERSED", "n-2", &reversed).await.outcome(), told(200, "settled"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        // The refund comes once more, under another name: what Apple said last stays.
        assert_eq!(shop.hears("REFUND", "n-3", &refunded).await.outcome(), told(200, "stale"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        for event in ["n-1", "n-2", "n-3"] {
            assert_ne!(shop.outcome(event).await, "nothing");
        }
    });
}

#[test]
fn what_apple_says_is_the_transactions_and_not_the_types() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let (order, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        // A refund was declined: nothing is revoked.
        let same = shop.resigned(&paid, &json!({}));
        assert_eq!(shop.hears("REFUND_DECLINED", "n-1", &same).await.outcome(), told(200, "settled"));
        assert_eq!(shop.state(&order).await, "granted");
        shop.passes(60);
        let revoked = shop.resigned(&paid, &json!({ "revocationDate": 1, "revocationReason": 0 }));
        assert_eq!(shop.hears("REVOKE", "n-2", &revoked).await.outcome(), told(200, "revoked"));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
    });
}

#[test]
fn tests_and_types_of_next_year_are_kept_and_answered_200() {
    in_shop(async |shop| {
        let about = json!({ "bundleId": BUNDLE_ID, "environment": "Sandbox" });
        let test =
            json!({ "notificationType": "TEST", "notificationUUID": "n-1", "version": "2.0", "data": about });
        let body = json!({ "signedPayload": shop.authority.signs(&test) });
        assert_eq!(shop.hears_body(body.to_string()).await.outcome(), told(200, "test"));
        assert_eq!(shop.hears_body(body.to_string()).await.outcome(), told(200, "test"));
        let paid = AppleAuthority::transaction("2000000001", "", PRODUCT);
        let answer = shop.hears("OF_NEXT_YEAR", "n-2", &paid).await;
        assert_eq!(answer.outcome(), told(200, "unknown_type"));
        // Nobody knows what it is about, and Apple need not send it again.
        let bare = |kind: &str, id: &str| {
            let bare = json!({ "notificationType": kind, "notificationUUID": id, "version": "2.0" });
            json!({ "signedPayload": shop.authority.signs(&bare) }).to_string()
        };
        assert_eq!(shop.hears_body(bare("OF_NEXT_YEAR", "n-3")).await.outcome(), told(200, "unknown_type"));
        assert_eq!(shop.hears_body(bare("TEST", "n-4")).await.refusal(), told(422, "malformed"));
        assert_eq!(shop.counts("inbox WHERE source = 'apple'").await, 3);
        assert!(stuck(&shop.app).await.unwrap().events.is_empty(), "it is as it should be");
        let kept = shop.one("SELECT payload FROM inbox WHERE event_id = 'n-2'").await;
        let kept: Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(
            (&kept["notificationType"], &kept["transactionId"]),
            (&json!("OF_NEXT_YEAR"), &json!("2000000001"))
        );
        assert_eq!(shop.counts("snapshots").await, 0);
    });
}

#[test]
fn what_changes_nothing_is_kept_with_its_code_and_a_trace_and_answered_200() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (order, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        let half = json!({ "revocationDate": 1, "revocationType": "REFUND_PRORATED", "revocationPercentage": 50_000 });
        let nobodys = "8f14e45f-ceea-467f-a0e6-3f2b2f6c9a11";
        let other = |changes: Value| {
            let mut other = shop.resigned(&paid, &changes);
            other["transactionId"] = "2000000002".into();
            other
        };
        for (id, transaction, code) in [
            ("half", shop.resigned(&paid, &half), "partial_refund"),
            ("family", other(json!({ "inAppOwnershipType": "FAMILY_SHARED" })), "family_shared"),
            ("subscription", other(json!({ "type": "Auto-Renewable Subscription" })), "wrong_product"),
            ("product", other(json!({ "productId": "sticker_tier2" })), "wrong_product"),
            ("quantity", other(json!({ "quantity": 3 })), "wrong_quantity"),
            ("nobody", other(json!({ "appAccountToken": nobodys })), "no_order"),
            ("no id", other(json!({ "quantity": null })), "malformed"),
        ] {
            let before = shop.traces(code).await;
            let answer = shop.hears("REFUND", &id.replace(' ', "-"), &transaction).await;
            assert_eq!(answer.outcome(), told(200, code), "{id}");
            assert_eq!(shop.traces(code).await, before + 1, "{id}");
            assert_eq!(shop.outcome(&id.replace(' ', "-")).await, code, "{id}");
            assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1), "{id}");
        }
        let bare = json!({
            "notificationType": "REFUND", "notificationUUID": "bare", "version": "2.0",
            "data": { "bundleId": BUNDLE_ID, "environment": "Sandbox" },
        });
        let bare = json!({ "signedPayload": shop.authority.signs(&bare) });
        assert_eq!(shop.hears_body(bare.to_string()).await.outcome(), told(200, "malformed"));
    });
}

#[test]
fn what_else_the_app_sells_leaves_one_row_and_no_trace_and_is_not_spoken_of() {
    in_shop(async |shop| {
        let others = json!({ "productId": "coins_100", "appAccountToken": null });
        let paid = shop.resigned(&AppleAuthority::transaction("2000000001", "", PRODUCT), &others);
        let traces = shop.counts("audit").await;
        for (kind, id) in [("ONE_TIME_CHARGE", "n-1"), ("CONSUMPTION_REQUEST", "n-2"), ("REFUND", "n-3")] {
            let told_first = shop.hears(kind, id, &shop.resigned(&paid, &json!({}))).await;
            assert_eq!(told_first.outcome(), told(200, "other_product"), "{kind}");
            let again = shop.hears(kind, id, &paid).await;
            assert_eq!(again.outcome(), told(200, "other_product"), "{kind}");
            shop.passes(60);
        }
        let subscription = shop.resigned(&paid, &json!({ "type": "Auto-Renewable Subscription" }));
        assert_eq!(shop.hears("REFUND", "n-4", &subscription).await.outcome(), told(200, "other_product"));
        assert_eq!(shop.counts("inbox WHERE outcome = 'other_product'").await, 4);
        assert_eq!(shop.counts("audit").await, traces);
        assert_eq!(shop.counts("snapshots").await + shop.counts("outbox").await, 0);
        assert!(stuck(&shop.app).await.unwrap().events.is_empty());
    });
}

#[test]
fn what_nobody_has_signed_for_us_is_refused_with_its_code_and_a_trace() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (order, paid) = shop.buys(&buyer, "2000000001").await;
        let refunded = shop.refunded(&paid);
        let stranger = AppleAuthority::new();
        let notification = shop.authority.notification("REFUND", "n-1", &refunded);
        let signed = |payload: &Value| json!({ "signedPayload": shop.authority.signs(payload) }).to_string();
        let with = |place: &str, value: Value| {
            let mut payload = notification.clone();
            *payload.pointer_mut(place).unwrap() = value;
            signed(&payload)
        };
        let inner = "/data/signedTransactionInfo";
        for (what, body, status, code) in [
            ("foreign", stranger.notifies("REFUND", "n-1", &refunded).to_string(), 422, "bad_chain"),
            ("foreign inside", with(inner, stranger.signs(&refunded).into()), 422, "bad_chain"),
            ("other app", with("/data/bundleId", "com.example.other".into()), 422, "wrong_app"),
            ("other world", with("/data/environment", "Production".into()), 422, "wrong_environment"),
            ("long name", with("/notificationUUID", "x".repeat(201).into()), 422, "malformed"),
            ("odd name", with("/notificationUUID", "a b".into()), 422, "malformed"),
            ("no payload", "{}".to_owned(), 422, "malformed"),
            ("no JSON", "signedPayload".to_owned(), 422, "malformed"),
            ("nothing", String::new(), 422, "malformed"),
            ("too long", json!({ "signedPayload": "a".repeat(65_600) }).to_string(), 422, "malformed"),
            ("far too long", json!({ "signedPayload": "a".repeat(100_000) }).to_string(), 413, "too_large"),
        ] {
            let before = shop.traces(code).await;
            assert_eq!(shop.hears_body(body).await.refusal(), told(status, code), "{what}");
            assert_eq!(shop.traces(code).await, before + 1, "{what}");
        }
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        assert_eq!(shop.counts("inbox WHERE source = 'apple'").await, 0);
    });
}

#[test]
fn apple_is_told_what_became_of_a_purchase_once_it_asks() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (_, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        let asked = shop.resigned(&paid, &json!({}));
        for outcome in ["settled", "repeated"] {
            let answer = shop.hears("CONSUMPTION_REQUEST", "n-1", &asked).await;
            assert_eq!(answer.outcome(), told(200, outcome));
        }
        assert_eq!(shop.counts("outbox WHERE kind = 'apple_consumption'").await, 1);
        let job = shop.one("SELECT payload FROM outbox WHERE job_key = 'n-1'").await;
        let job: Value = serde_json::from_str(&job).unwrap();

        shop.apple.is_once(Mood::Failing);
        let failed = consumption::answer(&shop.app, &job).await.unwrap_err();
        assert!(failed.is_fault() && failed.code() == "provider_away");
        consumption::answer(&shop.app, &job).await.unwrap();
        let told_apple = shop.apple.asked();
        assert_eq!(told_apple.len(), 2);
        assert_eq!(told_apple[1].token_fault, None);
        assert_eq!(told_apple[1].what, "PUT /inApps/v2/transactions/consumption/2000000001");
        assert_eq!(
            told_apple[1].body,
            json!({ "customerConsented": true, "sampleContentProvided": true, "deliveryStatus": "DELIVERED" })
        );

        // By then the pack was taken back, and it is what holds at the time of the answer that counts.
        shop.passes(60);
        let refunded = shop.refunded(&paid);
        shop.hears("REFUND", "n-2", &refunded).await;
        consumption::answer(&shop.app, &job).await.unwrap();
        assert_eq!(shop.apple.asked()[2].body["deliveryStatus"], "UNDELIVERED_OTHER");
    });
}

#[test]
fn apple_is_told_of_payments_that_gave_nothing_and_refuses_what_it_does_not_know() {
    in_shop_with(&[], async |shop| {
        let lost = shop.pays("2000000009", "8f14e45f-ceea-467f-a0e6-3f2b2f6c9a11");
        let answer = shop.hears("CONSUMPTION_REQUEST", "n-1", &lost).await;
        assert_eq!(answer.outcome(), told(200, "no_order"));
        let job = shop.one("SELECT payload FROM outbox WHERE job_key = 'n-1'").await;
        consumption::answer(&shop.app, &serde_json::from_str(&job).unwrap()).await.unwrap();
        assert_eq!(shop.apple.asked()[0].body["deliveryStatus"], "UNDELIVERED_OTHER");
        for (job, code) in [
            (json!({ "transaction_id": "2000000008", "order_id": null }), "invalid_receipt"),
            (json!({ "transaction_id": "../x", "order_id": null }), "invalid_receipt"),
            (json!({}), "invalid_job"),
        ] {
            let refused = consumption::answer(&shop.app, &job).await.unwrap_err();
            assert_eq!((refused.code(), refused.is_fault()), (code, false));
        }
    });
}

#[test]
fn a_payment_that_does_not_fit_gave_nothing_also_where_a_crash_came_before_the_job() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (order, _) = shop.buys(&buyer, "2000000001").await;
        let three = shop.resigned(&shop.pays("2000000002", &order), &json!({ "quantity": 3 }));
        for outcome in ["wrong_quantity", "repeated"] {
            let answer = shop.hears("CONSUMPTION_REQUEST", "n-1", &three).await;
            assert_eq!(answer.outcome(), told(200, outcome));
            let job = shop.one("SELECT payload FROM outbox WHERE job_key = 'n-1'").await;
            let job: Value = serde_json::from_str(&job).unwrap();
            assert_eq!(job, json!({ "transaction_id": "2000000002", "order_id": null }), "{outcome}");
            shop.does("DELETE FROM outbox").await;
        }
        assert_eq!(shop.state(&order).await, "granted");
    });
}

#[test]
fn without_consent_apple_is_told_nothing() {
    in_shop_with(&[("CONSUMPTION_CONSENT", "false")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let (_, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        let asked = shop.resigned(&paid, &json!({}));
        assert_eq!(shop.hears("CONSUMPTION_REQUEST", "n-1", &asked).await.outcome(), told(200, "settled"));
        assert_eq!(shop.counts("outbox").await, 0);
    });
}
