//! What is found without a push.

use serde_json::json;
use sticker_store::db;
use sticker_store::purchase::google::finish;
use sticker_tests::google::{Call, Fault};

use crate::shop::{PRODUCT, Shop, in_shop};

#[test]
fn refunds_that_nobody_told_are_found_page_by_page_and_heard_once() {
    in_shop(async |shop| {
        let mut orders = Vec::new();
        for name in ["minsu", "jisoo", "hana"] {
            let buyer = shop.admits(name).await;
            orders.push(shop.buys(&buyer, &format!("token-of-{name}")).await);
        }
        assert_eq!(shop.sweeps().await.unwrap().voided, 0);
        shop.passes(600);
        for name in ["minsu", "jisoo", "hana"] {
            shop.play.voids(&format!("token-of-{name}"));
        }
        shop.passes(600);
        shop.play.lists_by(1);
        assert_eq!(shop.sweeps().await.unwrap().voided, 3);
        for order in &orders {
            assert_eq!(shop.state(order).await, "revoked");
        }
        assert_eq!(shop.grants().await, 0);
        // Three pages, and one before.
        assert_eq!(shop.play.count(Call::Voided), 4);
        // The next window has them again; nobody is asked about them.
        let looked_up = shop.play.count(Call::Lookup);
        shop.passes(600);
        assert_eq!(shop.sweeps().await.unwrap().voided, 0);
        assert_eq!((shop.play.count(Call::Voided), shop.play.count(Call::Lookup)), (7, looked_up));
    });
}

#[test]
fn the_window_begins_where_the_last_one_was_done_and_not_where_one_broke_off() {
    in_shop(async |shop| {
        let (one, two) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let orders = [shop.buys(&one, "token-of-minsu").await, shop.buys(&two, "token-of-jisoo").await];
        let mark = async || db::mark(&shop.app.db, "google_voided").await.unwrap();
        // Nothing is known of the first, so that its lookup matters.
        shop.play.sells("token-of-hana", PRODUCT, "018f3c9a-1122-4333-8444-5566778899aa", "PURCHASED");
        for token in ["token-of-hana", "token-of-minsu", "token-of-jisoo"] {
            shop.play.voids(token);
        }
        shop.passes(600);
        shop.play.lists_by(1);
        for fault in [
            (Call::Voided, Fault::Status(500, None)),
            (Call::Lookup, Fault::Status(503, None)),
            (Call::Voided, Fault::Says(r#"{"voidedPurchases":[{"orderId":"x"}]}"#.to_owned())),
        ] {
            shop.play.fails(fault.0, fault.1);
            assert!(shop.sweeps().await.unwrap_err().is_fault());
            assert_eq!(mark().await, 0);
            shop.play.works_again();
        }
        // A list that goes on for ever is no list.
        let endless = r#"{"voidedPurchases":[],"tokenPagination":{"nextPageToken":"from-0"}}"#;
        shop.play.fails(Call::Voided, Fault::Says(endless.to_owned()));
        assert!(shop.sweeps().await.is_err());
        assert_eq!(mark().await, 0);
        shop.play.works_again();
        // Being listed was proof enough of those that are known, while Google could not be asked about them.
        for order in orders {
            assert_eq!(shop.state(&order).await, "revoked");
        }
        assert_eq!(shop.sweeps().await.unwrap().voided, 1);
        assert!(mark().await > 0);
    });
}

#[test]
fn a_purchase_that_fails_keeps_none_behind_it_from_being_seen_to() {
    in_shop(async |shop| {
        let mut orders = Vec::new();
        for name in ["minsu", "jisoo", "hana"] {
            let buyer = shop.admits(name).await;
            orders.push(shop.buys(&buyer, &format!("token-of-{name}")).await);
        }
        for name in ["yuna", "doha"] {
            let (buyer, token) = (shop.admits(name).await, format!("token-of-{name}"));
            let order = shop.orders(&buyer).await;
            shop.play.sells(&token, PRODUCT, &order, "PENDING");
            shop.submits(&buyer, &order, &token).await;
            shop.play.takes_payment(&token);
        }
        shop.passes(360);
        // Of each kind the first that comes up fails.
        shop.play.fails_next(Call::Lookup, Fault::Status(500, None));
        shop.play.fails_next(Call::Consume, Fault::Status(500, None));
        assert!(shop.sweeps().await.unwrap_err().is_fault());
        let mut acknowledged = 0;
        for order in &orders {
            acknowledged += usize::from(shop.state(order).await == "acknowledged");
        }
        assert_eq!((acknowledged, shop.grants().await), (2, 4));
        let swept = shop.sweeps().await.unwrap();
        assert_eq!((swept.decided, swept.finished), (1, 1));
    });
}

#[test]
fn a_purchase_that_is_no_longer_what_was_granted_is_a_failure_that_stays() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.play.changes("token-of-minsu", |purchase| {
            purchase["productLineItem"][0]["productOfferDetails"]["quantity"] = 2.into();
        });
        let payload = json!({ "purchase_token": "token-of-minsu" });
        for _ in 0..2 {
            let failed = finish::acknowledge(&shop.app, &payload).await.unwrap_err();
            assert_eq!((failed.code(), failed.is_fault()), ("partial_refund", false));
        }
        assert_eq!((shop.state(&order).await.as_str(), shop.play.count(Call::Consume)), ("granted", 0));
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap_err().code(), "partial_refund");
        assert_eq!(shop.traces("partial_refund").await, 1);
    });
}

#[test]
fn what_is_listed_as_voided_is_revoked_whatever_the_purchase_itself_says() {
    in_shop(async |shop| {
        let (one, two) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let late = shop.buys(&one, "token-of-minsu").await;
        let gone = shop.buys(&two, "token-of-jisoo").await;
        shop.play.lists_as_voided("token-of-minsu", None);
        shop.play.lists_as_voided("token-of-jisoo", Some(1));
        shop.play.forgets("token-of-jisoo");
        // Nothing is known of this one.
        shop.play.lists_as_voided("token-of-nobody", None);
        shop.passes(60);
        assert_eq!(shop.sweeps().await.unwrap().voided, 3);
        assert_eq!(
            (shop.state(&late).await.as_str(), shop.state(&gone).await.as_str()),
            ("revoked", "revoked")
        );
        assert_eq!((shop.grants().await, shop.traces("invalid_receipt").await), (0, 1));
    });
}

#[test]
fn a_voided_purchase_that_was_never_handed_in_gives_nothing_later() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.lists_as_voided("token-of-minsu", None);
        shop.passes(60);
        assert_eq!(shop.sweeps().await.unwrap().voided, 1);
        // The lookup still says that it was paid.
        shop.submits(&buyer, &order, "token-of-minsu").await;
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
    });
}

#[test]
fn a_partial_refund_changes_nothing_and_leaves_a_trace() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.play.changes("token-of-minsu", |purchase| {
            purchase["productLineItem"][0]["productOfferDetails"]["quantity"] = 3.into();
            purchase["productLineItem"][0]["productOfferDetails"]["refundableQuantity"] = 2.into();
        });
        shop.play.lists_as_voided("token-of-minsu", Some(1));
        shop.passes(60);
        shop.sweeps().await.unwrap();
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        assert_eq!(shop.traces("partial_refund").await, 1);
    });
}

#[test]
fn pending_purchases_are_looked_up_until_they_are_decided() {
    in_shop(async |shop| {
        let (one, two) = (shop.admits("minsu").await, shop.admits("jisoo").await);
        let (paid, cancelled) = (shop.orders(&one).await, shop.orders(&two).await);
        for (buyer, order, token) in [(&one, &paid, "token-of-minsu"), (&two, &cancelled, "token-of-jisoo")] {
            shop.play.sells(token, PRODUCT, order, "PENDING");
            shop.submits(buyer, order, token).await;
        }
        assert_eq!(shop.sweeps().await.unwrap().decided, 0);
        shop.play.takes_payment("token-of-minsu");
        shop.play
            .changes("token-of-jisoo", |it| it["purchaseStateContext"]["purchaseState"] = "CANCELLED".into());
        assert_eq!(shop.sweeps().await.unwrap().decided, 2);
        assert_eq!(
            (shop.state(&paid).await.as_str(), shop.state(&cancelled).await.as_str()),
            ("granted", "revoked")
        );
        let looked_up = shop.play.count(Call::Lookup);
        assert_eq!(shop.sweeps().await.unwrap().decided, 0);
        assert_eq!(shop.play.count(Call::Lookup), looked_up);
    });
}

#[test]
fn a_purchase_is_acknowledged_until_google_takes_it_and_then_no_more() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.play.fails(Call::Consume, Fault::Status(503, None));
        for _ in 0..3 {
            shop.passes(3_600);
            assert!(shop.sweeps().await.unwrap_err().is_fault());
            assert_eq!(shop.state(&order).await, "granted");
        }
        shop.play.works_again();
        // It is done, and the answer does not come; the next look sees it, and does nothing twice.
        shop.play.fails_next(Call::Consume, Fault::Lost);
        assert!(shop.sweeps().await.is_err());
        assert_eq!(shop.state(&order).await, "granted");
        let consumed = shop.play.count(Call::Consume);
        assert_eq!(shop.sweeps().await.unwrap().finished, 1);
        assert_eq!(
            (shop.state(&order).await.as_str(), shop.play.count(Call::Consume)),
            ("acknowledged", consumed)
        );
    });
}

#[test]
fn the_job_of_the_outbox_finishes_a_purchase_however_often_it_runs() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        let payload = json!({ "purchase_token": "token-of-minsu" });
        for _ in 0..3 {
            finish::acknowledge(&shop.app, &payload).await.unwrap();
            assert_eq!(shop.state(&order).await, "acknowledged");
        }
        assert_eq!(shop.play.count(Call::Consume), 1);
        let nonsense = finish::acknowledge(&shop.app, &json!({})).await.unwrap_err();
        assert!(!nonsense.is_fault());
        assert_eq!(shop.grants().await, 1);
    });
}

#[test]
fn a_job_that_comes_after_the_refund_hears_of_it_and_consumes_nothing() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.play.voids("token-of-minsu");
        finish::acknowledge(&shop.app, &json!({ "purchase_token": "token-of-minsu" })).await.unwrap();
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
        assert_eq!(shop.play.count(Call::Consume), 0);
    });
}

#[test]
fn a_payment_for_what_the_buyer_owned_is_left_for_google_to_give_back() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let (first, second) = (shop.pays(&buyer, "token-one").await, shop.pays(&buyer, "token-two").await);
        shop.submits(&buyer, &first, "token-one").await;
        shop.submits(&buyer, &second, "token-two").await;
        assert_eq!(
            (shop.state(&first).await.as_str(), shop.state(&second).await.as_str()),
            ("granted", "paid")
        );
        finish::acknowledge(&shop.app, &json!({ "purchase_token": "token-two" })).await.unwrap();
        shop.passes(360);
        assert_eq!(shop.sweeps().await.unwrap().finished, 1);
        assert!(acknowledged(shop, "token-one"));
        assert!(!acknowledged(shop, "token-two"));
        // Google gives it back after three days.
        shop.play.voids("token-two");
        shop.passes(60);
        shop.sweeps().await.unwrap();
        assert_eq!((shop.state(&second).await.as_str(), shop.grants().await), ("revoked", 1));
    });
}

#[test]
fn of_two_payments_for_one_order_the_first_is_acknowledged() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-one").await;
        shop.passes(10);
        shop.play.sells("token-two", PRODUCT, &order, "PURCHASED");
        shop.submits(&buyer, &order, "token-two").await;
        shop.passes(360);
        shop.sweeps().await.unwrap();
        assert_eq!((acknowledged(shop, "token-one"), acknowledged(shop, "token-two")), (true, false));
    });
}

fn acknowledged(shop: &Shop, token: &str) -> bool {
    shop.play.purchase(token)["acknowledgementState"] == "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"
}

#[test]
fn a_mark_says_how_far_a_job_came() {
    in_shop(async |shop| {
        let db = &shop.app.db;
        assert_eq!(db::mark(db, "job").await.unwrap(), 0);
        for value in [7, 7, 9] {
            db::set_mark(db, "job", value, 2_000).await.unwrap();
            assert_eq!(db::mark(db, "job").await.unwrap(), value);
        }
        db::set_mark(db, "other", 3, 2_000).await.unwrap();
        assert_eq!((db::mark(db, "job").await.unwrap(), db::mark(db, "other").await.unwrap()), (9, 3));
    });
}
