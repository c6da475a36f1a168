//! Notifications that Pub/Sub pushes.

use serde_json::{Value, json};
use sticker_tests::google::{Call, Fault, PlayStore, RsaKey, Signer};

use crate::counter::told;
use crate::shop::{PRODUCT, START, Shop, in_shop, in_shop_with};

#[test]
fn a_push_grants_what_no_app_has_handed_in_and_the_app_then_gets_the_same() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        let pushed = shop.pushes(&PlayStore::purchased("m-1", "token-of-minsu")).await;
        assert_eq!(pushed.outcome(), (200, "settled".to_owned()));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
        assert_eq!((shop.grants().await, shop.counts("purchases").await), (1, 1));
    });
}

#[test]
fn a_push_that_comes_again_changes_nothing_more() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        shop.pays(&buyer, "token-of-minsu").await;
        let push = PlayStore::purchased("m-1", "token-of-minsu");
        shop.pushes(&push).await;
        for _ in 0..2 {
            assert_eq!(shop.pushes(&push).await.outcome(), (200, "repeated".to_owned()));
        }
        assert_eq!((shop.grants().await, shop.counts("purchases").await), (1, 1));
    });
}

#[test]
fn a_pending_purchase_is_granted_by_the_push_that_says_that_it_was_paid() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        shop.play.sells("token-of-minsu", PRODUCT, &order, "PENDING");
        shop.submits(&buyer, &order, "token-of-minsu").await;
        // The push is a hint: while the lookup says pending, it is pending.
        let early = shop.pushes(&PlayStore::purchased("m-1", "token-of-minsu")).await;
        assert_eq!((early.outcome().0, shop.state(&order).await.as_str()), (200, "pending"));
        shop.play.takes_payment("token-of-minsu");
        shop.pushes(&PlayStore::purchased("m-2", "token-of-minsu")).await;
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
    });
}

#[test]
fn a_refund_is_believed_once_the_lookup_says_so_and_takes_the_pack_back() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.buys(&buyer, "token-of-minsu").await;
        shop.pushes(&PlayStore::voided("m-1", "token-of-minsu")).await;
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
        shop.play.voids("token-of-minsu");
        let pushed = shop.pushes(&PlayStore::voided("m-2", "token-of-minsu")).await;
        assert_eq!(pushed.outcome(), (200, "revoked".to_owned()));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
    });
}

#[test]
fn an_answer_of_google_that_was_overtaken_on_its_way_changes_nothing() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.fails_next(Call::Lookup, Fault::Held);
        let (late, early) =
            (PlayStore::purchased("m-1", "token-of-minsu"), PlayStore::voided("m-2", "token-of-minsu"));
        let overtaking = async {
            // The first lookup has seen a purchase that is paid.
            while shop.play.count(Call::Lookup) == 0 {
                tokio::task::yield_now().await;
            }
            shop.play.voids("token-of-minsu");
            let answer = shop.pushes(&early).await;
            shop.play.releases();
            answer
        };
        let (first, second) = tokio::join!(shop.pushes(&late), overtaking);
        assert_eq!(second.outcome(), (200, "revoked".to_owned()));
        assert_eq!(first.outcome(), (200, "stale".to_owned()));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("revoked", 0));
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.refusal(), told(409, "revoked"));
    });
}

#[test]
fn while_google_cannot_be_asked_a_push_is_not_taken_and_comes_again() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        let push = PlayStore::purchased("m-1", "token-of-minsu");
        shop.play.fails_next(Call::Lookup, Fault::Status(500, None));
        assert_eq!(shop.pushes(&push).await.refusal(), told(503, "provider_away"));
        assert_eq!((shop.outcome("m-1").await.as_str(), shop.grants().await), ("nothing", 0));
        assert_eq!(shop.pushes(&push).await.outcome(), (200, "settled".to_owned()));
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("granted", 1));
    });
}

#[test]
fn a_push_that_is_faster_than_its_purchase_comes_again_for_ten_minutes() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        let push = |message: &str| {
            let about = json!({ "version": "1.0", "notificationType": 1, "purchaseToken": "token-of-minsu" });
            let now = (START * 1_000).to_string();
            PlayStore::message(
                message,
                &json!({ "eventTimeMillis": now, "oneTimeProductNotification": about }),
            )
        };
        shop.passes(599);
        assert_eq!(shop.pushes(&push("m-1")).await.refusal(), told(503, "purchase_unknown"));
        shop.play.sells("token-of-minsu", PRODUCT, &order, "PURCHASED");
        assert_eq!(shop.pushes(&push("m-1")).await.outcome(), (200, "settled".to_owned()));
        // What Google knows no longer, it will not know again.
        shop.play.fails_next(Call::Lookup, Fault::Refusal(410, "purchaseTokenNoLongerValid"));
        assert_eq!(shop.pushes(&push("m-2")).await.outcome(), (200, "invalid_receipt".to_owned()));
        shop.passes(1);
        shop.play.forgets("token-of-minsu");
        assert_eq!(shop.pushes(&push("m-3")).await.outcome(), (200, "invalid_receipt".to_owned()));
    });
}

#[test]
fn what_changes_nothing_is_kept_and_taken_so_that_it_does_not_come_again() {
    in_shop(async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-a-tester").await;
        shop.play.changes("token-of-a-tester", |it| it["testPurchaseContext"] = json!({ "fopType": "TEST" }));
        shop.play.sells("token-of-no-order", PRODUCT, "018f3c9a-1122-4333-8444-5566778899aa", "PURCHASED");
        shop.play.sells("token-of-coins", "coins_100", "018f3c9a-1122-4333-8444-5566778899aa", "PURCHASED");
        shop.play.sells("token-of-other-product", "sticker_tier9", &order, "PURCHASED");
        let of_subscription = json!({ "voidedPurchaseNotification": {
            "purchaseToken": "token-of-minsu", "orderId": "GPA.1", "productType": 1, "refundType": 1,
        }});
        let of_other_app = PlayStore::push("m-6", OTHER_APP.as_bytes());
        for (push, event, outcome, traced) in [
            (
                PlayStore::message("m-1", &json!({ "testNotification": { "version": "1.0" } })),
                "m-1",
                "test",
                0,
            ),
            (
                PlayStore::message("m-2", &json!({ "pendingRefundReviewNotification": {} })),
                "m-2",
                "unknown_type",
                0,
            ),
            (PlayStore::message("m-3", &of_subscription), "m-3", "unknown_type", 0),
            (PlayStore::purchased("m-4", "token-of-a-tester"), "m-4", "wrong_environment", 1),
            (PlayStore::purchased("m-5", "token-of-nobody"), "m-5", "invalid_receipt", 1),
            (of_other_app, "m-6", "wrong_app", 1),
            (PlayStore::purchased("m-7", "token-of-no-order"), "m-7", "no_order", 1),
            (PlayStore::purchased("m-8", "token-of-other-product"), "m-8", "wrong_product", 1),
            (PlayStore::purchased("m-9", "token-of-coins"), "m-9", "other_product", 0),
        ] {
            assert_eq!(shop.pushes(&push).await.outcome(), (200, outcome.to_owned()), "{event}");
            assert_eq!(shop.outcome(event).await, outcome, "{event}");
            assert_eq!(shop.traces(outcome).await, traced, "{event}");
        }
        assert_eq!((shop.state(&order).await.as_str(), shop.grants().await), ("created", 0));
    });
}

const OTHER_APP: &str = r#"{"version":"1.0","packageName":"com.example.other","eventTimeMillis":"1",
    "oneTimeProductNotification":{"version":"1.0","notificationType":1,"purchaseToken":"token-of-minsu","sku":"s"}}"#;

#[test]
fn a_body_that_is_no_push_is_refused_with_a_trace() {
    in_shop_with(&[], async |shop| {
        let push = PlayStore::purchased("m-1", "token-of-minsu");
        let with = |name: &str, value: Value| {
            let mut push = push.clone();
            push["message"][name] = value;
            push.to_string()
        };
        for (body, status, code) in [
            ("no JSON".to_owned(), 400, "malformed"),
            (String::new(), 400, "malformed"),
            ("{}".to_owned(), 400, "malformed"),
            (format!("{push}{push}"), 400, "malformed"),
            (with("data", "no base64!".into()), 400, "malformed"),
            (with("data", "bm8gSlNPTg==".into()), 400, "malformed"),
            (with("messageId", "".into()), 400, "malformed"),
            (with("messageId", "m".repeat(201).into()), 400, "malformed"),
            (PlayStore::purchased("m-1", "short").to_string(), 400, "malformed"),
            (with("data", "A".repeat(65 << 10).into()), 413, "too_large"),
        ] {
            let before = shop.traces(code).await;
            let answer = shop.pushes_as(Some(&shop.play.authorization()), body.clone()).await;
            assert_eq!(answer.refusal(), told(status, code), "{body:.80}");
            assert_eq!(shop.traces(code).await, before + 1, "{body:.80}");
        }
        assert_eq!((shop.play.count(Call::Lookup), shop.counts("inbox").await), (0, 0));
    });
}

#[test]
fn only_the_token_of_our_subscription_lets_a_push_in() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        shop.pays(&buyer, "token-of-minsu").await;
        let good = shop.play.claims();
        let bearer = |token: String| Some(format!("Bearer {token}"));
        let claims = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            bearer(Signer::google().signs(&claims))
        };
        let header = |header: Value| bearer(Signer::google().signs_as(&header, &good));
        let google = |alg: &str| json!({ "alg": alg, "kid": "key-of-google", "typ": "JWT" });
        let stranger = Signer { id: "key-of-google".to_owned(), key: RsaKey::of_stranger() };
        let whole = Signer::google().signs(&good);
        let (signed, _) = whole.rsplit_once('.').unwrap();
        let (head, _) = signed.split_once('.').unwrap();
        let other_claims = Signer::google().signs(&json!({ "iss": "x" }));
        let (_, other_signature) = other_claims.rsplit_once('.').unwrap();
        for (authorization, code) in [
            (None, "missing"),
            (Some("Basic eDp5".to_owned()), "missing"),
            (Some("Bearer".to_owned()), "missing"),
            (bearer(String::new()), "malformed"),
            (bearer("a.b".to_owned()), "malformed"),
            (bearer("!.!.!".to_owned()), "malformed"),
            (bearer("x".repeat(9_000)), "malformed"),
            (bearer(format!("{whole}.more")), "malformed"),
            (bearer(format!("{head}.e30.{other_signature}")), "bad_signature"),
            (bearer(format!("{signed}.")), "bad_signature"),
            (bearer(format!("{signed}.{other_signature}")), "bad_signature"),
            (bearer(stranger.signs(&good)), "bad_signature"),
            (header(google("none")), "wrong_algorithm"),
            (header(google("HS256")), "wrong_algorithm"),
            (header(google("RS384")), "wrong_algorithm"),
            (header(google("ES256")), "wrong_algorithm"),
            (header(json!({ "alg": "RS256" })), "malformed"),
            (header(json!({ "alg": "RS256", "kid": "key-of-google", "crit": ["exp"] })), "malformed"),
            (header(json!({ "alg": "RS256", "kid": "key-of-nobody" })), "unknown_key"),
            (bearer(Signer::google().signs(&json!({ "iss": "https://accounts.google.com" }))), "malformed"),
            (claims("iss", "https://accounts.example.com".into()), "wrong_issuer"),
            (claims("aud", "https://elsewhere.example".into()), "wrong_audience"),
            (claims("aud", json!([good["aud"]])), "malformed"),
            (claims("exp", (START - 30).into()), "expired"),
            (claims("iat", (START + 31).into()), "not_yet_valid"),
            (claims("email", "other@messenger.iam.gserviceaccount.com".into()), "wrong_email"),
            (claims("email", Value::Null), "malformed"),
            (claims("email_verified", false.into()), "email_not_verified"),
            (claims("email_verified", "true".into()), "malformed"),
        ] {
            let code = format!("push_token_{code}");
            let before = shop.traces(&code).await;
            let push = PlayStore::purchased("m-1", "token-of-minsu").to_string();
            let answer = shop.pushes_as(authorization.as_deref(), push).await;
            assert_eq!(answer.refusal(), told(401, &code), "{authorization:?}");
            assert_eq!(shop.traces(&code).await, before + 1, "{authorization:?}");
        }
        assert_eq!((shop.play.count(Call::Lookup), shop.counts("inbox").await), (0, 0));
        // What is just within the leeway, and both of Google's names.
        for (name, value) in [
            ("exp", json!(START - 29)),
            ("iat", json!(START + 30)),
            ("iss", json!("accounts.google.com")),
            ("iss", json!("https://accounts.google.com")),
        ] {
            let push = PlayStore::purchased(&format!("{name}-{value}"), "token-of-minsu").to_string();
            let answer = shop.pushes_as(claims(name, value).as_deref(), push).await;
            assert_eq!(answer.outcome().0, 200, "{name}");
        }
    });
}

#[test]
fn an_unknown_key_is_looked_for_once_a_minute() {
    in_shop_with(&[], async |shop| {
        let next = Signer { id: "key-of-tomorrow".to_owned(), key: RsaKey::of_stranger() };
        let push = async || -> (u16, String) {
            let authorization = format!("Bearer {}", next.signs(&shop.play.claims()));
            let body = PlayStore::message("m-1", &json!({ "testNotification": {} })).to_string();
            let answer = shop.pushes_as(Some(&authorization), body).await;
            (answer.status.as_u16(), answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
        };
        for _ in 0..5 {
            assert_eq!(push().await, told(401, "push_token_unknown_key"));
        }
        assert_eq!(shop.play.count(Call::Keys), 1);
        shop.play.publishes(vec![Signer::google(), next.clone()], 21_600);
        shop.passes(59);
        assert_eq!(push().await, told(401, "push_token_unknown_key"));
        shop.passes(1);
        assert_eq!(push().await, (200, String::new()));
        assert_eq!(shop.play.count(Call::Keys), 2);
        // A key that is published no longer is no longer taken once the set was to be fetched again.
        shop.play.publishes(vec![Signer::google()], 21_600);
        shop.passes(21_599);
        assert_eq!(push().await.0, 200);
        shop.passes(1);
        assert_eq!(push().await, told(401, "push_token_unknown_key"));
    });
}

#[test]
fn while_googles_keys_cannot_be_had_those_that_are_known_hold_for_a_day() {
    in_shop_with(&[], async |shop| {
        shop.play.publishes(vec![Signer::google()], 300);
        shop.play.fails(Call::Keys, Fault::Status(500, None));
        assert_eq!(tests(shop, "m-1").await, (503, "provider_away".to_owned()));
        assert_eq!(tests(shop, "m-1").await, (503, "provider_away".to_owned()));
        // Google is not asked for each push.
        assert_eq!(shop.play.count(Call::Keys), 1);
        shop.play.works_again();
        shop.passes(5);
        assert_eq!(tests(shop, "m-1").await.0, 200);
        for fault in [
            Fault::Status(500, None),
            Fault::Says("{}".to_owned()),
            Fault::Says(r#"{"keys":[]}"#.to_owned()),
            Fault::Says(r#"{"keys":[{"kty":"EC","kid":"key-of-google","crv":"P-256"}]}"#.to_owned()),
        ] {
            shop.play.fails(Call::Keys, fault);
            shop.passes(300);
            assert_eq!(tests(shop, "m-2").await.0, 200);
        }
        shop.passes(86_400);
        assert_eq!(tests(shop, "m-3").await, (503, "provider_away".to_owned()));
        shop.play.works_again();
        shop.passes(5);
        assert_eq!(tests(shop, "m-3").await.0, 200);
    });
}

/// Pushes a test notification.
async fn tests(shop: &Shop, message: &str) -> (u16, String) {
    let answer = shop.pushes(&PlayStore::message(message, &json!({ "testNotification": {} }))).await;
    (answer.status.as_u16(), answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
}
