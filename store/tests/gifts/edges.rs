//! What makes no sense as an address, a query or a form: a clear answer, and no database is asked.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use sticker_protocol::release::{MANIFEST_FILE, Manifest};
use sticker_store::account::client::{Scope, add};

use crate::people::{Person, visits};
use crate::published::built;
use crate::town::{Answer, in_town, send};

/// Status and code of a JSON error.
fn told(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.headers["content-type"], "application/json", "{}", answer.text);
    (answer.status.as_u16(), answer.error_code())
}

#[test]
fn a_zero_byte_in_an_address_or_a_form_is_refused_on_every_database() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        for path in [
            "/v1/orders/%00",
            "/v1/orders?before=%00",
            "/v1/releases/%00",
            "/orders/a%00b",
            "/packs/%00",
            "/packs/moss?missed=%00",
            "/artists/%00",
            "/search?q=a%00",
            "/redeem?pack=%00",
        ] {
            assert_eq!(told(&alice.gets(path).await), (400, "invalid_address".to_owned()), "{path}");
        }
        let order = alice.orders(town, None).await;
        let receipts = format!("/v1/orders/{order}/receipts");
        for (path, body) in [
            (&receipts, json!({ "purchase_token": "\0" })),
            (&receipts, json!({ "signed_transaction": "a\0" })),
            (&receipts, json!({ "transaction": "\0" })),
        ] {
            let refused = alice.posts(path, &body).await;
            assert_eq!(told(&refused), (422, "invalid_receipt".to_owned()), "{body}");
        }
        let typed = alice.redeems("abcd\0efgh").await;
        assert_eq!(told(&typed), (422, "code_invalid".to_owned()));
        let without_key = format!("pack={}&idempotency_key=%00", town.slug);
        for (path, form, status) in [
            ("/orders", "pack=%00&idempotency_key=k", StatusCode::NOT_FOUND),
            ("/orders", without_key.as_str(), StatusCode::BAD_REQUEST),
            ("/redeem", "code=%00%00%00%00", StatusCode::UNPROCESSABLE_ENTITY),
            ("/launch", "code=%00", StatusCode::GONE),
        ] {
            assert_eq!(alice.submits(path, form).await.status, status, "{path} {form}");
        }
    });
}

#[test]
fn a_release_with_a_zero_byte_in_a_title_is_rejected_on_every_database() {
    in_town(async |town| {
        let out = built("zero");
        let bytes = std::fs::read(out.path().join("release").join(MANIFEST_FILE)).unwrap();
        let mut manifest = Manifest::read(&bytes).unwrap();
        manifest.titles.values_mut().for_each(|title| title.push('\0'));
        let secret = add(&town.one, "artist", &[Scope::Publish]).await.unwrap().secret;
        let request = Request::post("/v1/releases")
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .body(Body::from(manifest.write().unwrap()))
            .unwrap();
        let answer = Answer::of(send(&town.one, request).await).await;
        assert_eq!(told(&answer), (422, "release_rejected".to_owned()), "{}", answer.text);
        let findings = &answer.json()["error"]["findings"];
        assert_eq!(
            (findings[0]["code"].as_str(), findings.as_array().unwrap().len()),
            (Some("zero_byte"), 1)
        );
    });
}

#[test]
fn every_answer_of_the_api_that_is_an_error_is_json() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        for (path, expected) in [
            ("/v1/orders?limit=abc", (400, "invalid_query")),
            ("/v1/orders?limit=0", (400, "invalid_limit")),
            ("/v1/orders?before=abc", (404, "not_found")),
            ("/v1/orders/%ff", (400, "invalid_address")),
            ("/v1/orders/abc", (404, "not_found")),
            ("/dl/%ff", (404, "not_found")),
            ("/v1/nothing", (404, "not_found")),
        ] {
            assert_eq!(told(&alice.gets(path).await), (expected.0, expected.1.to_owned()), "{path}");
        }
        for (method, path, allowed) in [
            (Method::DELETE, "/v1/orders", "GET,HEAD,POST"),
            (Method::PUT, "/v1/orders/1", "GET,HEAD"),
            (Method::GET, "/v1/tokens/verify", "POST"),
            (Method::GET, "/v1/releases", "POST"),
            (Method::POST, "/dl/1.zip", "GET,HEAD"),
        ] {
            let request = Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
            let answer = Answer::of(send(&town.one, request).await).await;
            assert_eq!(told(&answer), (405, "wrong_method".to_owned()), "{method} {path}");
            assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
        }
    });
}

#[test]
fn an_order_is_found_by_its_id_in_capitals_as_phones_write_it() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let order = alice.orders(town, None).await;
        assert_eq!(alice.order(&order.to_uppercase()).await["id"], json!(order));
    });
}

#[test]
fn who_tries_too_many_codes_on_the_page_learns_when_to_try_again() {
    in_town(async |town| {
        let mallory: Person = visits(&town.one, "mallory").await;
        let limited = loop {
            let answer = mallory.submits("/redeem", "code=AAAA-AAAA-AAAA-AAAA").await;
            if answer.status != StatusCode::UNPROCESSABLE_ENTITY {
                break answer;
            }
        };
        assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
        let seconds: u32 = limited.headers["retry-after"].parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(limited.text.contains("Too many tries"), "{}", limited.text);
    });
}

#[test]
fn nobody_is_their_own_partner() {
    in_town(async |town| {
        let secret = add(&town.one, "messenger", &[Scope::Launch]).await.unwrap().secret;
        let asks = async |body: serde_json::Value| {
            let request = Request::post("/v1/launch-codes")
                .header(header::AUTHORIZATION, format!("Bearer {secret}"))
                .header(header::CONTENT_TYPE, "application/json");
            Answer::of(send(&town.one, request.body(Body::from(body.to_string())).unwrap()).await).await
        };
        let refused = (422, "invalid_partner".to_owned());
        assert_eq!(told(&asks(json!({ "user": "alice", "partner": "alice" })).await), refused);
        let in_hex = json!({ "user": "alice", "partner_hex": "616c696365" });
        assert_eq!(told(&asks(in_hex).await), refused);
        let bob = json!({ "user": "alice", "partner": "bob" });
        assert_eq!(asks(bob).await.status, StatusCode::CREATED);
    });
}
