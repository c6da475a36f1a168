//! The service account and its access tokens.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use base64_simd::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use sticker_store::app::StartError;
use sticker_store::random::Random;
use sticker_tests::google::{Call, Fault, RsaKey};

use crate::counter::told;
use crate::shop::{Shop, in_shop_with};

#[test]
fn a_service_account_that_cannot_be_used_keeps_the_store_from_starting_and_shows_no_secret() {
    in_shop_with(&[], async |shop| {
        let whole = shop.play.account();
        let with = |name: &str, value: Value| {
            let mut account = whole.clone();
            account[name] = value;
            account
        };
        let without = |name: &str| {
            let mut account = whole.clone();
            account.as_object_mut().unwrap().remove(name);
            account
        };
        for (account, message) in [
            (json!("not an account"), "is not the file of a service account"),
            (without("client_email"), "is not the file of a service account"),
            (without("private_key_id"), "is not the file of a service account"),
            (with("private_key", 1.into()), "is not the file of a service account"),
            (with("private_key", "no key".into()), "private_key"),
            (with("private_key", RsaKey::of_account().pkcs1_pem().into()), "private_key"),
            (with("private_key", ec_key().into()), "private_key"),
            (with("token_uri", "http://accounts.example/token".into()), "token_uri"),
        ] {
            shop.play.writes_account(&account);
            let error = refusal(shop).await;
            assert!(error.contains(message), "{message}: {error}");
            assert!(!error.contains("BEGIN") && !error.contains("MII"), "{error}");
        }
        shop.play.writes_account(&whole);
        shop.starts_again().await.unwrap();
        std::fs::set_permissions(shop.play.account_file(), Permissions::from_mode(0o640)).unwrap();
        assert!(refusal(shop).await.contains("others may read"));
        std::fs::remove_file(shop.play.account_file()).unwrap();
        let error = shop.starts_again().await.unwrap_err();
        assert!(!error.is_refusal() && matches!(error, StartError::Google(_)), "{error:?}");
    });
}

/// Why the store does not start, with its causes.
async fn refusal(shop: &Shop) -> String {
    let error = shop.starts_again().await.unwrap_err();
    assert!(error.is_refusal() && !error.hint().is_empty());
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[test]
fn an_access_token_is_fetched_once_by_all_who_ask_and_until_its_last_minute() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.orders(&buyer).await;
        // Each for a token of its own: one that is being asked for is not asked for again.
        let ask = async |token| shop.submits(&buyer, &order, token).await;
        let (one, two, three, four) =
            tokio::join!(ask("of-nobody-1"), ask("of-nobody-2"), ask("of-nobody-3"), ask("of-nobody-4"));
        for answer in [one, two, three, four] {
            assert_eq!(answer.refusal(), told(422, "invalid_receipt"));
        }
        assert_eq!(shop.play.count(Call::Token), 1);
        // Given for 3599 s.
        shop.passes(3_538);
        ask("of-nobody-5").await;
        assert_eq!(shop.play.count(Call::Token), 1);
        shop.passes(1);
        ask("of-nobody-6").await;
        assert_eq!(shop.play.count(Call::Token), 2);
    });
}

#[test]
fn an_access_token_that_google_no_longer_takes_is_exchanged_for_another_at_once() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.submits(&buyer, &order, "token-of-nobody").await;
        shop.play.revokes_access();
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
        assert_eq!(shop.play.count(Call::Token), 2);
        // Where Google takes none at all, that is the operator's to repair; it is not asked for ever.
        shop.play.fails(Call::Lookup, Fault::Refusal(401, "authError"));
        let answer = shop.submits(&buyer, &order, "token-of-others").await;
        assert_eq!(answer.refusal(), told(503, "provider_refuses"));
        assert_eq!(shop.play.count(Call::Token), 3);
    });
}

#[test]
fn while_credentials_are_refused_nothing_is_lost() {
    in_shop_with(&[], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        for (fault, code) in [
            (Fault::Says(r#"{"access_token":"a b","expires_in":3599}"#.to_owned()), "provider_away"),
            (Fault::Says(r#"{"error":"none"}"#.to_owned()), "provider_away"),
            (Fault::Status(500, None), "provider_away"),
            (Fault::Refusal(400, "invalid_grant"), "provider_refuses"),
            (Fault::Refusal(401, "deleted"), "provider_refuses"),
        ] {
            shop.play.fails_next(Call::Token, fault.clone());
            let answer = shop.submits(&buyer, &order, "token-of-minsu").await;
            assert_eq!(answer.refusal(), told(503, code), "{fault:?}");
        }
        assert_eq!(shop.play.count(Call::Lookup), 0);
        assert_eq!(shop.submits(&buyer, &order, "token-of-minsu").await.json()["state"], "granted");
    });
}

#[test]
fn who_waited_for_an_exchange_that_failed_does_not_wait_for_another() {
    in_shop_with(&[("TIMEOUT_SECONDS", "1")], async |shop| {
        let buyer = shop.admits("minsu").await;
        let order = shop.pays(&buyer, "token-of-minsu").await;
        shop.play.fails(Call::Token, Fault::Held);
        let ask = || shop.submits(&buyer, &order, "token-of-minsu");
        let (one, two, three, four) = tokio::join!(ask(), ask(), ask(), ask());
        for answer in [one, two, three, four] {
            assert_eq!(answer.refusal(), told(503, "provider_away"));
        }
        // One that came a moment too late may have begun another.
        assert!(shop.play.count(Call::Token) < 4, "{:?}", shop.play.asked());
        shop.play.works_again();
        shop.play.releases();
        assert_eq!(ask().await.json()["state"], "granted");
    });
}

/// A key on P-256 as PKCS#8 in PEM.
fn ec_key() -> String {
    let random = Random::system();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random.secure()).unwrap();
    let text = STANDARD.encode_to_string(key.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
