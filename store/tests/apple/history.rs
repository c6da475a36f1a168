//! What was lost on the way is found at Apple.

use std::time::Duration;

use serde_json::json;
use sticker_store::purchase::apple::lookup;
use sticker_store::purchase::apple::sweep::{self, Swept};
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID, Mood};

use crate::counter::told;
use crate::shop::{Shop, in_shop, in_shop_with};

const DAY: i64 = 86_400;

async fn sweeps(shop: &Shop) -> (usize, usize) {
    let Swept { heard, refused } = sweep::run(&shop.app).await.unwrap();
    (heard, refused)
}

/// The day that windows overlap is read in four.
fn is_once_in_the_fifth_window(shop: &Shop, mood: Mood) {
    for _ in 0..4 {
        shop.apple.is_once(Mood::Well);
    }
    shop.apple.is_once(mood);
}

#[test]
fn notifications_that_never_came_are_found_and_heard_once_over_pages_and_overlaps() {
    in_shop(async |shop| {
        // The first look goes back as far as Apple does, in several steps.
        assert_eq!(sweeps(shop).await, (0, 0));
        let before = shop.apple.asked().len();
        shop.passes(60);
        let mut orders = Vec::new();
        for user in ["a", "b", "c", "d", "e"] {
            let buyer = shop.admits(user).await;
            let order = shop.orders(&buyer).await;
            let paid = shop.pays(&format!("2{user}"), &order);
            shop.misses("ONE_TIME_CHARGE", &format!("n-{user}"), &paid);
            orders.push((order, paid));
        }
        is_once_in_the_fifth_window(shop, Mood::Twice);
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (5, 0));
        assert_eq!(shop.grants().await, 5);
        let asked = &shop.apple.asked()[before + 4..];
        assert_eq!(asked.len(), 2, "three on the first page, two on the second");
        assert!(asked.iter().all(|asked| asked.token_fault.is_none()), "{asked:?}");
        assert_eq!(asked[0].what, "POST /inApps/v1/notifications/history");
        assert_eq!(asked[1].what, "POST /inApps/v1/notifications/history?paginationToken=page-3");
        assert_eq!(asked[0].body, asked[1].body);

        // A refund is lost while the others come again.
        shop.passes(60);
        let (order, paid) = &orders[0];
        shop.misses("REFUND", "n-refund", &shop.refunded(paid));
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (1, 0));
        assert_eq!((shop.state(order).await.as_str(), shop.grants().await), ("revoked", 4));
        // Windows overlap by a day, and what is known is neither heard nor traced again.
        let traces = shop.counts("audit").await;
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (0, 0));
        assert_eq!(shop.counts("audit").await, traces);
        // What is found is what would have come.
        let late = shop.hears("REFUND", "n-refund", &shop.refunded(paid)).await;
        assert_eq!(late.outcome(), told(200, "repeated"));
    });
}

#[test]
fn a_sweep_that_fails_begins_again_where_it_began() {
    in_shop(async |shop| {
        assert_eq!(sweeps(shop).await, (0, 0));
        let before = shop.apple.asked().len();
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        shop.passes(60);
        shop.misses("ONE_TIME_CHARGE", "n-1", &shop.pays("2000000001", &order));
        for (mood, code) in [
            (Mood::Failing, "provider_away"),
            (Mood::Babbling, "provider_away"),
            (Mood::Unauthorized, "provider_refuses"),
            (Mood::TooMany(30), "provider_away"),
        ] {
            shop.apple.is_once(mood.clone());
            let failed = sweep::run(&shop.app).await.unwrap_err();
            assert_eq!((failed.code(), failed.is_fault()), (code, true), "{mood:?}");
            let answer = axum::response::IntoResponse::into_response(failed);
            assert_eq!(answer.status(), 503, "{mood:?}");
            assert_eq!(shop.grants().await, 0);
        }
        // Weeks later, as long as Apple remembers.
        shop.passes(28 * DAY);
        assert_eq!(sweeps(shop).await, (1, 0));
        assert_eq!(shop.state(&order).await, "granted");
        let starts: Vec<_> =
            shop.apple.asked()[before..].iter().map(|asked| asked.body["startDate"].clone()).collect();
        assert!(starts.len() > 5 && starts[..5].iter().all(|start| *start == starts[0]), "{starts:?}");
    });
}

#[test]
fn a_sweep_that_is_broken_off_goes_on_with_the_window_where_it_was() {
    in_shop_with(&[], async |shop| {
        assert_eq!(sweeps(shop).await, (0, 0));
        shop.passes(DAY);
        let mut starts = Vec::new();
        // Each time a window is read and the next is not: it comes further than the time that windows overlap.
        for _ in 0..7 {
            let before = shop.apple.asked().len();
            shop.apple.is_once(Mood::Well);
            shop.apple.is_once(Mood::Failing);
            sweep::run(&shop.app).await.unwrap_err();
            starts.push(shop.apple.asked()[before].body["startDate"].as_i64().unwrap());
        }
        let first = shop.now_ms() - 2 * DAY * 1_000;
        let quarters: Vec<_> = (0..7).map(|window| first + window * DAY * 250).collect();
        assert_eq!(starts, quarters);
        assert_eq!(sweeps(shop).await, (0, 0));
        let before = shop.apple.asked().len();
        sweeps(shop).await;
        assert_eq!(shop.apple.asked()[before].body["startDate"], shop.now_ms() - DAY * 1_000);
    });
}

#[test]
fn what_came_is_asked_for_by_an_operator_alone() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        let notification = shop.authority.notification("ONE_TIME_CHARGE", "n-1", &paid);
        // It was answered with 200, and what was kept was lost with the database.
        shop.apple.has_delivered(shop.now_ms(), notification);
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (0, 0));
        let asked = shop.apple.asked();
        assert!(asked.iter().all(|asked| asked.body["onlyFailures"] == true), "{asked:?}");
        let recovered = sweep::recover(&shop.app, shop.now_ms() - DAY * 1_000).await.unwrap();
        assert_eq!(recovered, Swept { heard: 1, refused: 0 });
        assert_eq!(shop.state(&order).await, "granted");
    });
}

#[test]
fn what_somebody_else_signed_is_refused_and_keeps_nobody_from_being_heard() {
    in_shop_with(&[], async |shop| {
        assert_eq!(sweeps(shop).await, (0, 0));
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let paid = shop.pays("2000000001", &order);
        let about = json!({ "bundleId": "com.example.other", "environment": "Sandbox" });
        let elsewhere = json!({ "notificationType": "TEST", "notificationUUID": "n-0", "data": about });
        shop.passes(60);
        shop.apple.has_sent(shop.now_ms(), elsewhere);
        shop.misses("ONE_TIME_CHARGE", "n-1", &paid);
        is_once_in_the_fifth_window(shop, Mood::Forging);
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (0, 2));
        assert_eq!(shop.grants().await, 0);
        shop.passes(60);
        assert_eq!(sweeps(shop).await, (1, 1));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        let test = json!({ "bundleId": BUNDLE_ID, "environment": "Sandbox" });
        let test = json!({ "notificationType": "TEST", "notificationUUID": "n-2", "data": test });
        shop.apple.has_sent(shop.now_ms(), test);
        assert_eq!(sweeps(shop).await, (1, 1));
        assert_eq!(shop.outcome("n-2").await, "test");
    });
}

#[test]
fn windows_go_back_as_far_as_apple_and_a_clock_that_stepped_back_asks_nothing() {
    in_shop_with(&[], async |shop| {
        // How far back a sweep goes, and how many steps it takes.
        let reach = async || {
            let before = shop.apple.asked().len();
            assert_eq!(sweeps(shop).await, (0, 0));
            let asked = shop.apple.asked().split_off(before);
            let windows: Vec<_> =
                asked.iter().map(|asked| (&asked.body["startDate"], &asked.body["endDate"])).collect();
            assert!(windows.windows(2).all(|pair| pair[0].1 == pair[1].0), "{windows:?}");
            assert!(windows.last().is_none_or(|last| *last.1 == shop.now_ms()), "{windows:?}");
            (windows.first().map(|first| shop.now_ms() - first.0.as_i64().unwrap()), windows.len())
        };
        assert_eq!(reach().await, (Some(30 * DAY * 1_000 - 600_000), 120));
        shop.passes(600);
        assert_eq!(reach().await, (Some((DAY + 600) * 1_000), 5));
        shop.passes(40 * DAY);
        assert_eq!(reach().await, (Some(30 * DAY * 1_000 - 600_000), 120));
        shop.passes(-3_600);
        assert_eq!(reach().await, (Some((DAY - 3_600) * 1_000), 4));
        shop.passes(-2 * DAY);
        assert_eq!(reach().await, (None, 0));
    });
}

#[test]
fn an_operator_recovers_a_transaction_or_a_time() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        shop.pays("2000000001", &order);
        assert_eq!(lookup::recover(&shop.app, "2000000001").await.unwrap(), "settled");
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        assert_eq!(shop.apple.asked()[0].what, "GET /inApps/v1/transactions/2000000001");
        assert_eq!(shop.apple.asked()[0].token_fault, None);
        for (id, code) in
            [("2000000002", "invalid_receipt"), ("..", "invalid_receipt"), ("a/b", "invalid_receipt")]
        {
            let refused = lookup::recover(&shop.app, id).await.unwrap_err();
            assert_eq!((refused.code(), refused.is_fault()), (code, false), "{id}");
        }
        shop.apple.is_once(Mood::Forging);
        assert_eq!(lookup::recover(&shop.app, "2000000001").await.unwrap_err().code(), "provider_refuses");

        let paid = AppleAuthority::transaction("2000000001", &order, crate::shop::PRODUCT);
        shop.passes(60);
        shop.misses("REFUND", "n-1", &shop.refunded(&paid));
        let since = shop.now_ms() - 1_000;
        shop.passes(60);
        assert_eq!(sweep::recover(&shop.app, since).await.unwrap(), Swept { heard: 1, refused: 0 });
        assert_eq!(shop.state(&order).await, "revoked");
        assert_eq!(sweep::recover(&shop.app, 0).await.unwrap(), Swept::default());
        let future = sweep::recover(&shop.app, shop.now_ms() + 1).await.unwrap_err();
        assert_eq!(future.code(), "invalid_time");
    });
}

#[test]
fn an_apple_that_says_nothing_is_left_after_a_while_and_holds_up_nobody_else() {
    in_shop_with(&[("TIMEOUT_SECONDS", "1")], async |shop| {
        shop.apple.is(Mood::Silent);
        let failed = sweep::run(&shop.app).await.unwrap_err();
        assert_eq!((failed.code(), failed.is_fault()), ("provider_away", true));
        // Buying goes on: nobody is asked for it.
        let buyer = shop.admits("minsu").await;
        shop.buys(&buyer, "2000000001").await;
        assert_eq!(shop.grants().await, 1);
        shop.apple.is(Mood::Well);
        tokio::time::timeout(Duration::from_mins(1), sweep::run(&shop.app)).await.unwrap().unwrap();
    });
}

#[test]
fn a_key_is_its_owners_alone_and_one_of_app_store_connect() {
    in_shop_with(&[], async |shop| {
        use std::os::unix::fs::PermissionsExt as _;
        let file = shop.apple.key_file();
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        let refused = shop.starts_again().await.unwrap_err();
        assert!(refused.is_refusal() && format!("{refused:?}").contains("TooOpen"), "{refused:?}");
        mode(0o600);
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        let refused = shop.starts_again().await.unwrap_err();
        assert!(refused.is_refusal() && format!("{refused:?}").contains("NoKey"), "{refused:?}");
        std::fs::remove_file(&file).unwrap();
        assert!(!shop.starts_again().await.unwrap_err().is_refusal());
    });
}

#[test]
fn a_store_without_a_key_hears_and_asks_nothing() {
    in_shop_with(&[("ISSUER_ID", ""), ("KEY_ID", ""), ("KEY_FILE", "")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let (_, paid) = shop.buys(&buyer, "2000000001").await;
        shop.passes(60);
        let asked = shop.resigned(&paid, &json!({}));
        assert_eq!(shop.hears("CONSUMPTION_REQUEST", "n-1", &asked).await.outcome(), told(200, "settled"));
        assert_eq!(shop.counts("outbox").await, 0);
        assert_eq!(sweep::run(&shop.app).await.unwrap_err().code(), "provider_disabled");
        sweep::round(&shop.app).await.unwrap();
        assert!(shop.apple.asked().is_empty());
    });
}
