//! Everything that a verification looks at, one fault at a time.

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sticker_protocol::UnixSeconds;
use sticker_store::purchase::apple::{Expected, MAX_BYTES, Root, Verifier};
use sticker_store::purchase::word::World;
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID, Certificates, Curve};

use super::{NOW, ORDER, PRODUCT, fares, verifier_of};

fn transaction() -> Value {
    AppleAuthority::transaction("2000000001", ORDER, PRODUCT)
}

/// How a transaction of an authority with such certificates fares, and why.
fn fares_with(like: &Certificates) -> (&'static str, String) {
    let authority = AppleAuthority::with(like);
    let refused = verifier_of(&authority).transaction(&authority.signs(&transaction()), NOW).map(drop);
    let Err(refused) = refused else { return ("ok", String::new()) };
    let reason = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    (refused.code(), reason)
}

/// How a transaction under a header fares, whose members are put over the right ones; null takes one out.
fn fares_under(header: &Value) -> &'static str {
    let authority = AppleAuthority::new();
    let mut whole = json!({ "alg": "ES256", "x5c": authority.x5c() });
    for (name, value) in header.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    fares(&verifier_of(&authority), &authority.signs_with(&whole, &transaction()), NOW)
}

#[test]
fn a_transaction_says_what_was_bought_for_which_order() {
    let authority = AppleAuthority::new();
    let verified = verifier_of(&authority).transaction(&authority.signs(&transaction()), NOW).unwrap();
    let claims = &verified.claims;
    assert_eq!(claims.transaction_id.as_deref(), Some("2000000001"));
    assert_eq!(claims.app_account_token.as_deref(), Some(ORDER));
    assert_eq!(claims.product_id.as_deref(), Some(PRODUCT));
    assert_eq!((claims.quantity, claims.price, claims.revocation_date), (Some(1), Some(1_200_000), None));
    assert_eq!(verified.payload().unwrap(), transaction());
}

#[test]
fn authorities_on_p256_and_p384_are_trusted_in_every_mixture() {
    for (root_curve, intermediate_curve) in [
        (Curve::P256, Curve::P256),
        (Curve::P256, Curve::P384),
        (Curve::P384, Curve::P256),
        (Curve::P384, Curve::P384),
    ] {
        let like = Certificates { root_curve, intermediate_curve, ..Certificates::default() };
        assert_eq!(fares_with(&like).0, "ok", "{root_curve:?}, {intermediate_curve:?}");
    }
}

#[test]
fn certificates_that_are_not_as_apples_are_a_bad_chain() {
    let usual = Certificates::default;
    let cases = [
        (Certificates { leaf_is_marked: false, ..usual() }, "the leaf certificate lacks Apple's marker"),
        (
            Certificates { intermediate_is_marked: false, ..usual() },
            "the intermediate certificate lacks Apple's marker",
        ),
        (
            Certificates { intermediate_is_authority: false, ..usual() },
            "one certificate does not vouch for the next",
        ),
        (Certificates { leaf_may_sign: false, ..usual() }, "the leaf certificate's key is for another use"),
        (
            Certificates { leaf_is_roots: true, ..usual() },
            "the intermediate certificate did not issue the leaf",
        ),
        (Certificates { root_years: (2014, 2020), ..usual() }, "the root certificate has expired"),
        (
            Certificates { intermediate_years: (2014, 2020), ..usual() },
            "the intermediate certificate has expired",
        ),
        (Certificates { leaf_years: (2014, 2020), ..usual() }, "the leaf certificate has expired"),
        (Certificates { root_years: (2040, 2060), ..usual() }, "the root certificate is not valid yet"),
        (
            Certificates { intermediate_years: (2040, 2050), ..usual() },
            "the intermediate certificate is not valid yet",
        ),
        (Certificates { leaf_years: (2040, 2045), ..usual() }, "the leaf certificate is not valid yet"),
    ];
    for (like, reason) in cases {
        assert_eq!(fares_with(&like), ("bad_chain", reason.to_owned()), "{like:?}");
    }
}

#[test]
fn a_leaf_that_cannot_sign_es256_is_a_bad_signature() {
    let (code, reason) = fares_with(&Certificates { leaf_curve: Curve::P384, ..Certificates::default() });
    assert_eq!((code, reason.as_str()), ("bad_signature", "the leaf certificate's key is not P-256"));
}

#[test]
fn validity_counts_at_our_clock_and_both_ends_belong_to_it() {
    let authority =
        AppleAuthority::with(&Certificates { leaf_years: (2024, 2030), ..Certificates::default() });
    let (verifier, jws) = (verifier_of(&authority), authority.signs(&transaction()));
    // 2024-01-01 and 2030-12-31, each at midnight.
    let (first, last) = (1_704_067_200, 1_924_905_600);
    for (now, expected) in
        [(first - 1, "bad_chain"), (first, "ok"), (last, "ok"), (last + 1, "bad_chain"), (0, "bad_chain")]
    {
        // The first time at a verifier of its own, and then with the chain remembered.
        assert_eq!(fares(&verifier_of(&authority), &jws, UnixSeconds(now)), expected, "{now}");
        assert_eq!(fares(&verifier, &jws, NOW), "ok");
        assert_eq!(fares(&verifier, &jws, UnixSeconds(now)), expected, "{now}, remembered");
    }
    assert_eq!(fares(&verifier, &jws, UnixSeconds(u64::MAX)), "bad_chain");
}

#[test]
fn a_chain_has_three_certificates_and_ends_in_a_root_of_ours() {
    let (authority, stranger) = (AppleAuthority::new(), AppleAuthority::new());
    let (ours, theirs) = (authority.x5c(), stranger.x5c());
    let signed = |x5c: &[&String]| {
        let header = json!({ "alg": "ES256", "x5c": x5c });
        fares(&verifier_of(&authority), &authority.signs_with(&header, &transaction()), NOW)
    };
    assert_eq!(signed(&[&ours[0], &ours[1], &ours[2]]), "ok");
    for bad in [
        &[][..],
        &[&ours[0]],
        &[&ours[0], &ours[1]],
        &[&ours[0], &ours[2]],
        &[&ours[0], &ours[1], &ours[2], &ours[2]],
        &[&ours[0], &ours[1], &ours[1], &ours[2]],
        &[&ours[2], &ours[1], &ours[0]],
        &[&ours[1], &ours[0], &ours[2]],
        &[&ours[0], &ours[0], &ours[2]],
        &[&ours[0], &ours[2], &ours[2]],
        &[&ours[0], &ours[1], &theirs[2]],
        &[&ours[0], &theirs[1], &ours[2]],
        &[&theirs[0], &ours[1], &ours[2]],
        &[&theirs[0], &theirs[1], &ours[2]],
        &[&theirs[0], &theirs[1], &theirs[2]],
    ] {
        assert_eq!(signed(bad), "bad_chain", "{} certificates", bad.len());
    }
    let by_stranger = stranger.signs(&transaction());
    assert_eq!(fares(&verifier_of(&authority), &by_stranger, NOW), "bad_chain");
    assert_eq!(fares(&verifier_of(&stranger), &by_stranger, NOW), "ok");
    let expected = verifier_of(&authority).expected().clone();
    let apples = Verifier::new(vec![Root::apple().unwrap()], expected.clone());
    assert_eq!(fares(&apples, &by_stranger, NOW), "bad_chain");
    assert_eq!(fares(&Verifier::new(Vec::new(), expected), &by_stranger, NOW), "bad_chain");
}

#[test]
fn certificates_are_standard_base64_of_der_and_nothing_more() {
    let authority = AppleAuthority::new();
    let x5c = authority.x5c();
    let leaf = STANDARD.decode_to_vec(&x5c[0]).unwrap();
    let longer = STANDARD.encode_to_string([&leaf[..], &[0]].concat());
    let shorter = STANDARD.encode_to_string(&leaf[..leaf.len() - 1]);
    let folded = format!("{}\n{}", &x5c[0][..64], &x5c[0][64..]);
    for bad in ["", "AAAA", "not base64", x5c[0].trim_end_matches('=').get(1..).unwrap()].into_iter().chain([
        longer.as_str(),
        &shorter,
        &folded,
    ]) {
        let header = json!({ "x5c": [bad, x5c[1], x5c[2]] });
        assert_eq!(fares_under(&header), "bad_chain", "{bad}");
    }
}

#[test]
fn only_es256_is_taken() {
    for alg in ["none", "None", "", "HS256", "ES384", "ES512", "RS256", "es256", "ES256 "] {
        assert_eq!(fares_under(&json!({ "alg": alg })), "bad_signature", "{alg:?}");
    }
    // An HMAC whose key is what everybody knows, and no signature at all.
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let part = |text: String| URL_SAFE_NO_PAD.encode_to_string(text);
    for (alg, with_chain) in [("HS256", true), ("HS256", false), ("none", true), ("none", false)] {
        let mut header = json!({ "alg": alg });
        if with_chain {
            header["x5c"] = authority.x5c().into();
        }
        let signed = format!("{}.{}", part(header.to_string()), part(transaction().to_string()));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, authority.root());
        let mac = URL_SAFE_NO_PAD.encode_to_string(ring::hmac::sign(&key, signed.as_bytes()));
        let forged = if alg == "none" { format!("{signed}.") } else { format!("{signed}.{mac}") };
        assert_eq!(fares(&verifier, &forged, NOW), "bad_signature", "{alg}, {with_chain}");
    }
}

#[test]
fn a_header_is_an_object_that_asks_for_nothing_critical() {
    for (header, code) in [
        (json!({ "typ": "JWT", "kid": "x", "jwk": {}, "x5u": "https://example.com" }), "ok"),
        (json!({ "crit": ["b64"], "b64": false }), "malformed"),
        (json!({ "crit": [] }), "malformed"),
        (json!({ "alg": null }), "malformed"),
        (json!({ "alg": 7 }), "malformed"),
        (json!({ "x5c": "text" }), "malformed"),
        (json!({ "x5c": [1, 2, 3] }), "malformed"),
        (json!({ "x5c": null }), "bad_chain"),
    ] {
        assert_eq!(fares_under(&header), code, "{header}");
    }
    let authority = AppleAuthority::new();
    let x5c = json!(authority.x5c());
    for header in [
        format!(r#"["ES256", {x5c}]"#),
        format!(r#"{{"alg":"ES256","x5c":{x5c}}} x"#),
        format!(r#"{{"alg":"none","alg":"ES256","x5c":{x5c}}}"#),
        format!(r#"{{"alg":"ES256","x5c":{x5c},"crit":null}}"#),
        format!("\u{feff}{}", json!({ "alg": "ES256", "x5c": x5c })),
        String::new(),
        "text".to_owned(),
    ] {
        let jws = authority.signs_bytes(header.as_bytes(), transaction().to_string().as_bytes());
        assert_eq!(fares(&verifier_of(&authority), &jws, NOW), "malformed", "{header}");
    }
}

#[test]
fn a_signature_is_64_bytes_over_what_was_sent() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let jws = authority.signs(&transaction());
    let [header, payload, signature] = jws.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
    let with = |header: &str, payload: &str, signature: &[u8]| {
        let signature = URL_SAFE_NO_PAD.encode_to_string(signature);
        fares(&verifier, &format!("{header}.{payload}.{signature}"), NOW)
    };
    assert_eq!(with(header, payload, &signature), "ok");
    // R and S as DER, as most libraries give them.
    let der = [&[0x30, 70, 2, 33, 0], &signature[..32], &[2, 33, 0], &signature[32..]].concat();
    for bad in [&[][..], &signature[..63], &[&signature[..], &[0]].concat(), &[0; 64], &[0xff; 64], &der] {
        assert_eq!(with(header, payload, bad), "bad_signature", "{} bytes", bad.len());
    }
    let mut cheaper = transaction();
    cheaper["productId"] = "com.example.stickers.tier2".into();
    let cheaper = URL_SAFE_NO_PAD.encode_to_string(cheaper.to_string());
    assert_eq!(with(header, &cheaper, &signature), "bad_signature");
    let no_json = URL_SAFE_NO_PAD.encode_to_string("no JSON");
    assert_eq!(with(header, &no_json, &signature), "bad_signature");
    let other = authority.signs(&json!({ "bundleId": BUNDLE_ID }));
    let other = URL_SAFE_NO_PAD.decode_to_vec(other.rsplit_once('.').unwrap().1).unwrap();
    assert_eq!(with(header, payload, &other), "bad_signature");
}

#[test]
fn a_text_is_three_parts_of_base64url_within_64_kib() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let jws = authority.signs(&transaction());
    let [header, payload, signature] = jws.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    for bad in [
        String::new(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{jws}."),
        format!("{jws}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.+{}", &signature[1..]),
        format!(" {jws}"),
        "{\"payload\":\"\",\"signatures\":[]}".to_owned(),
    ] {
        assert_eq!(fares(&verifier, &bad, NOW), "malformed", "{bad}");
    }
    let with_note = |length: usize| {
        let mut transaction = transaction();
        transaction["note"] = "x".repeat(length).into();
        authority.signs(&transaction)
    };
    // Three bytes of the payload are four characters of the text.
    let most = with_note((MAX_BYTES - with_note(0).len()) / 4 * 3);
    assert!(most.len() > MAX_BYTES - 4 && most.len() <= MAX_BYTES);
    assert_eq!(fares(&verifier, &most, NOW), "ok");
    assert_eq!(fares(&verifier, &with_note(MAX_BYTES), NOW), "malformed");
}

#[test]
fn a_payload_is_an_object_whose_claims_have_their_types() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let header = json!({ "alg": "ES256", "x5c": authority.x5c() }).to_string();
    let fares_with =
        |payload: &str| fares(&verifier, &authority.signs_bytes(header.as_bytes(), payload.as_bytes()), NOW);
    for bad in ["", "null", "[]", "\"text\"", "{", "{} {}", "{}", "{\"bundleId\":\"\\ud800\"}"] {
        assert_eq!(fares_with(bad), "malformed", "{bad}");
    }
    let twice = transaction().to_string().replacen('{', r#"{"transactionId":"1","#, 1);
    assert_eq!(fares_with(&twice), "malformed");
    for (claim, bad) in [
        ("transactionId", json!(7)),
        ("bundleId", json!(null)),
        ("bundleId", json!(["com.example.stickers"])),
        ("environment", json!(null)),
        ("signedDate", json!("1790000000000")),
        ("quantity", json!(1.5)),
        ("price", json!(1e300)),
    ] {
        let mut payload = transaction();
        payload[claim] = bad.clone();
        assert_eq!(fares_with(&payload.to_string()), "malformed", "{claim}: {bad}");
    }
}

#[test]
fn another_app_and_another_environment_have_codes_of_their_own() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let with = |claim: &str, value: &str| {
        let mut payload = transaction();
        payload[claim] = value.into();
        fares(&verifier, &authority.signs(&payload), NOW)
    };
    for other in ["com.example.Stickers", "com.example.stickers.", "com.example", " com.example.stickers"] {
        assert_eq!(with("bundleId", other), "wrong_app", "{other}");
    }
    for other in ["Production", "sandbox", "Xcode", "LocalTesting"] {
        assert_eq!(with("environment", other), "wrong_environment", "{other}");
    }
    let production = Expected { world: World::Production, ..verifier.expected().clone() };
    let production = Verifier::new(vec![Root::of_der(authority.root()).unwrap()], production);
    assert_eq!(fares(&production, &authority.signs(&transaction()), NOW), "wrong_environment");
}

#[test]
fn a_notification_is_as_good_as_everything_in_it() {
    let (authority, stranger) = (AppleAuthority::new(), AppleAuthority::new());
    let verifier = verifier_of(&authority);
    let renewal = json!({ "environment": "Sandbox", "originalTransactionId": "1" });
    let mut whole = authority.notification("REFUND", "n-1", &transaction());
    whole["data"]["signedRenewalInfo"] = authority.signs(&renewal).into();
    let fares = |payload: &Value| {
        let verified = verifier.notification(&authority.signs(payload), NOW);
        verified.map_or_else(|refusal| refusal.code(), |_| "ok")
    };
    let with = |place: &str, value: Value| {
        let mut payload = whole.clone();
        *payload.pointer_mut(place).unwrap() = value;
        fares(&payload)
    };

    let verified = verifier.notification(&authority.signs(&whole), NOW).unwrap();
    assert_eq!(verified.transaction.as_ref().unwrap().claims.transaction_id.as_deref(), Some("2000000001"));
    let shown = verified.payload().unwrap();
    assert_eq!(shown["data"]["signedTransactionInfo"], transaction());
    assert_eq!(shown["data"]["signedRenewalInfo"], renewal);
    assert_eq!(shown["notificationType"], "REFUND");

    let mut elsewhere = transaction();
    elsewhere["bundleId"] = "com.example.other".into();
    let mut bought = transaction();
    bought["environment"] = "Production".into();
    for (place, value, code) in [
        ("/data/signedTransactionInfo", json!(stranger.signs(&transaction())), "bad_chain"),
        ("/data/signedTransactionInfo", json!(authority.signs(&elsewhere)), "wrong_app"),
        ("/data/signedTransactionInfo", json!(authority.signs(&bought)), "wrong_environment"),
        ("/data/signedTransactionInfo", json!("text"), "malformed"),
        ("/data/signedTransactionInfo", json!(""), "malformed"),
        ("/data/signedRenewalInfo", json!(stranger.signs(&renewal)), "bad_chain"),
        ("/data/bundleId", json!("com.example.other"), "wrong_app"),
        ("/data/bundleId", json!(null), "malformed"),
        ("/data/environment", json!("Production"), "wrong_environment"),
        ("/data/environment", json!(null), "malformed"),
        ("/data", json!(null), "malformed"),
        ("/notificationType", json!(null), "malformed"),
        ("/notificationUUID", json!(null), "malformed"),
        ("/version", json!("3.0"), "malformed"),
        ("/version", json!(null), "ok"),
        ("/notificationType", json!("OF_NEXT_YEAR"), "ok"),
    ] {
        assert_eq!(with(place, value.clone()), code, "{place}: {value}");
    }
    let mut twice = whole.clone();
    twice["summary"] = json!({ "bundleId": BUNDLE_ID, "environment": "Sandbox" });
    assert_eq!(fares(&twice), "malformed");
}

#[test]
fn notifications_name_the_app_id_in_production() {
    let authority = AppleAuthority::new();
    let fares = |world: World, app_id: Option<u64>, about: &str, claimed: Value| {
        let expected = Expected { bundle_id: BUNDLE_ID.to_owned(), app_id, world };
        let verifier = Verifier::new(vec![Root::of_der(authority.root()).unwrap()], expected);
        let environment = sticker_store::purchase::apple::environment(world);
        let mut about_what =
            json!({ "bundleId": BUNDLE_ID, "environment": environment, "appAppleId": claimed });
        if about == "externalPurchaseToken" {
            let id = if world == World::Sandbox { "SANDBOX_1" } else { "1" };
            about_what["externalPurchaseId"] = id.into();
        }
        let mut payload = json!({ "notificationType": "TEST", "notificationUUID": "n-1", "version": "2.0" });
        payload[about] = about_what;
        let verified = verifier.notification(&authority.signs(&payload), NOW);
        verified.map_or_else(|refusal| refusal.code(), |_| "ok")
    };
    for about in ["data", "summary", "appData", "externalPurchaseToken"] {
        for (world, app_id, claimed, code) in [
            (World::Production, Some(7), json!(7), "ok"),
            (World::Production, Some(7), json!(8), "wrong_app"),
            (World::Production, Some(7), json!(null), "wrong_app"),
            (World::Production, None, json!(8), "ok"),
            (World::Sandbox, Some(7), json!(null), "ok"),
            (World::Sandbox, Some(7), json!(7), "ok"),
            (World::Sandbox, Some(7), json!(8), "wrong_app"),
        ] {
            assert_eq!(fares(world, app_id, about, claimed.clone()), code, "{about}: {world:?}, {claimed}");
        }
    }
}

#[test]
fn the_purchase_of_the_app_that_a_notification_carries_is_verified_too() {
    let (authority, stranger) = (AppleAuthority::new(), AppleAuthority::new());
    let app = json!({ "bundleId": BUNDLE_ID, "receiptType": "Sandbox" });
    for (signer, code) in [(&authority, "ok"), (&stranger, "bad_chain")] {
        let about = json!({
            "bundleId": BUNDLE_ID, "environment": "Sandbox", "signedAppTransactionInfo": signer.signs(&app),
        });
        let payload =
            json!({ "notificationType": "RESCIND_CONSENT", "notificationUUID": "n", "appData": about });
        let verified = verifier_of(&authority).notification(&authority.signs(&payload), NOW);
        assert_eq!(verified.map_or_else(|refusal| refusal.code(), |_| "ok"), code);
    }
}

#[test]
fn a_renewal_names_no_app_and_its_environment() {
    let authority = AppleAuthority::new();
    let fares = |payload: &Value| {
        let verified = verifier_of(&authority).renewal(&authority.signs(payload), NOW);
        verified.map_or_else(|refusal| refusal.code(), |_| "ok")
    };
    assert_eq!(fares(&json!({ "environment": "Sandbox" })), "ok");
    assert_eq!(fares(&json!({ "environment": "Production" })), "wrong_environment");
    assert_eq!(fares(&json!({})), "malformed");
}
