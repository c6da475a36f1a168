use sticker_protocol::token::{Claims, KeyFile};

use super::*;

const KEYS: &str = concat!(
    r#"{"keys":[{"id":3,"secret":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","#,
    r#""state":"signing"}]}"#
);

fn ring() -> Keyring {
    Keyring::new(&KeyFile::parse(KEYS).unwrap())
}

fn token(user: &str, sticker: u64) -> String {
    let claims = Claims {
        sticker: StickerId::new(sticker).unwrap(),
        user: UserId::from_text(user).unwrap(),
        expires: Expiry(4_000_000_000),
    };
    ring().issue(&claims).unwrap().to_string()
}

fn answered(body: &str) -> String {
    let (ring, denied) = (ring(), DenyList::new());
    let known = Known { now: UnixSeconds(1_800_000_000), ring: &ring, denied: &denied };
    String::from_utf8(Checks::read(body.as_bytes()).unwrap().answer(known)).unwrap()
}

/// The codes of the results, `accepted` where there is none.
fn results(checks: &[&str]) -> Vec<String> {
    let answer = answered(&format!("{{\"checks\":[{}]}}", checks.join(",")));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let results = answer["results"].as_array().unwrap().iter();
    results.map(|it| it["code"].as_str().unwrap_or("accepted").to_owned()).collect()
}

#[test]
fn a_right_token_is_accepted_until_it_expires() {
    let token = token("alice", 7);
    let body = format!(r#"{{"checks":[{{"token":"{token}","sticker_id":7,"user":"alice"}}]}}"#);
    assert_eq!(answered(&body), r#"{"results":[{"accepted":true,"expires_at":4000000000}]}"#);
    assert_eq!(answered(r#"{"checks":[]}"#), r#"{"results":[]}"#);
}

#[test]
fn users_and_tokens_may_be_written_in_every_way_that_json_and_hexadecimal_have() {
    let token = token("a\u{e9}\"", 7);
    let escaped = token.bytes().fold(String::new(), |text, byte| text + &format!("\\u{byte:04x}"));
    let of = |token: &str, user: &str| format!(r#"{{ {user}, "token" : "{token}","sticker_id":7}}"#);
    let written = [
        of(&token, "\"user\":\"a\u{e9}\\\"\""),
        of(&token, r#""user":"\u0061\u00e9\u0022""#),
        of(&token, r#""user_hex":"61c3a922""#),
        of(&escaped, r#""user_hex":"61C3A922""#),
    ];
    let written: Vec<_> = written.iter().map(String::as_str).collect();
    assert_eq!(results(&written), ["accepted"; 4]);
}

#[test]
fn a_check_that_makes_no_sense_does_not_spoil_its_neighbours() {
    let token = token("alice", 7);
    let good = format!(r#"{{"token":"{token}","sticker_id":7,"user":"alice"}}"#);
    let long = "a".repeat(129);
    let huge = "9".repeat(400);
    let senseless = [
        "{}".to_owned(),
        "null".to_owned(),
        "true".to_owned(),
        "7".to_owned(),
        "-7".to_owned(),
        "0.5".to_owned(),
        "\"text\"".to_owned(),
        "[1,[2]]".to_owned(),
        good.replace("\"user\":\"alice\"", "\"user\":null"),
        good.replace("\"user\":\"alice\"", "\"user\":\"\""),
        good.replace("\"user\":\"alice\"", &format!("\"user\":\"{long}\"")),
        good.replace("\"user\":\"alice\"", &format!("\"user_hex\":\"{long}{long}\"")),
        good.replace("\"user\":\"alice\"", "\"user_hex\":\"616\""),
        good.replace("\"user\":\"alice\"", "\"user_hex\":\"6g\""),
        good.replace("\"user\":\"alice\"", "\"user_hex\":\"\""),
        good.replace("\"user\":\"alice\"", "\"user\":\"alice\",\"user_hex\":\"616c696365\""),
        good.replace("\"user\":\"alice\"", "\"user\":\"\\ud800\""),
        good.replace("\"user\":\"alice\"", "\"user\":{\"id\":\"alice\"}"),
        good.replace(",\"user\":\"alice\"", ""),
        good.replace(":7", ":0"),
        good.replace(":7", ":9007199254740992"),
        good.replace(":7", &format!(":{huge}")),
        good.replace(":7", ":1e999"),
        good.replace(":7", ":7.0"),
        good.replace(":7", ":\"7\""),
        good.replace(":7", ":7,\"sticker_id\":7"),
        good.replace(":7", ":7,\"stickers\":7"),
        good.replace(&format!("\"{token}\""), "7"),
        good.replace(&format!("\"{token}\""), "[\"x\"]"),
    ];
    for check in &senseless {
        assert_eq!(results(&[&good, check, &good]), ["accepted", "invalid_check", "accepted"], "{check}");
    }
}

#[test]
fn each_refusal_has_its_code() {
    let token = token("alice", 7);
    let of = |token: &str, sticker: u64, user: &str| {
        format!(r#"{{"token":"{token}","sticker_id":{sticker},"user":"{user}"}}"#)
    };
    let checks = [
        of(&token, 8, "alice"),
        of(&token, 7, "alice2"),
        of("", 7, "alice"),
        of(&token.replacen("AQ", "Ag", 1), 7, "alice"),
        of(&token.replacen("AQAD", "AQAE", 1), 7, "alice"),
        of(&token.replacen("AQAD7", "AQAD6", 1), 7, "alice"),
    ];
    let checks: Vec<_> = checks.iter().map(String::as_str).collect();
    let codes = ["wrong_sticker", "wrong_user", "malformed", "unsupported_version", "unknown_key"];
    let wanted: Vec<_> = codes.iter().copied().chain(["bad_signature"]).collect();
    // The last character of "AQAD7" is in the expiry: a change there breaks the signature and nothing before it.
    assert_eq!(results(&checks), wanted);
}

#[test]
fn bodies_of_another_shape_are_refused_as_a_whole() {
    let many = |count: usize| format!("{{\"checks\":[{}]}}", vec!["{}"; count].join(","));
    assert_eq!(Checks::read(many(1_000).as_bytes()).unwrap().len(), 1_000);
    assert!(matches!(Checks::read(many(1_001).as_bytes()), Err(BodyError::TooMany)));
    assert!(matches!(Checks::read(many(3_000).as_bytes()), Err(BodyError::TooMany)));
    for shape in
        ["[]", "{}", "7", r#"{"checks":{}}"#, r#"{"checks":[],"more":1}"#, r#"{"checks":[],"checks":[]}"#]
    {
        assert!(matches!(Checks::read(shape.as_bytes()), Err(BodyError::Shape(_))), "{shape}");
    }
    for broken in [
        "",
        "{",
        r#"{"checks":[}"#,
        r#"{"checks":[{"token":"x}]}"#,
        r#"{"checks":[{]}]}"#,
        r#"{"checks":[]}x"#,
    ] {
        assert!(matches!(Checks::read(broken.as_bytes()), Err(BodyError::NotJson(_))), "{broken}");
    }
    assert!(matches!(Checks::read(b"{\"checks\":[\"\xff\"]}"), Err(BodyError::NotJson(_))));
}

#[test]
fn the_largest_checks_fit_into_the_largest_body() {
    let user = "\\u00ff".repeat(128);
    let check = format!(
        "    {{\n      \"token\": \"{}\",\n      \"sticker_id\": 9007199254740991,\n      \"user\": \"{user}\"\n    }},\n",
        "A".repeat(276)
    );
    assert!(check.len() * MAX_CHECKS + 64 <= MAX_BODY, "{} bytes", check.len());
}

#[test]
fn numbers_are_written_as_the_standard_library_does() {
    for number in [0, 1, 9, 10, 99, 1_800_086_400, u32::MAX] {
        let mut written = Vec::new();
        write_number(&mut written, number);
        assert_eq!(String::from_utf8(written).unwrap(), number.to_string());
    }
}
