//! Two things are wrong: the earlier step's code comes out.

use super::build::{Body, STICKER, Token, USER, case, entry, hmac_alone, one, text, two};

pub(super) fn cases() -> Vec<Token> {
    let mut list = Vec::new();
    for body in [one(), two()] {
        list.extend(pairs(&body));
    }
    let three = Body { version: 3, ..one() };
    list.extend([
        case("an unknown version and a foreign character", format!("{}=", three.text())).refused("malformed"),
        case("an unknown version and an unknown key", Body { key: 77, ..three.clone() }.text())
            .refused("unsupported_version"),
        case("an unknown version that has expired", Body { expires: 0, ..three }.text())
            .refused("unsupported_version"),
        case("version 2 too short and of an unknown key", text(&Body { key: 77, ..two() }.signed()[..79]))
            .refused("malformed"),
        case("version 2 not known, and of an unknown key", Body { key: 77, ..two() }.text())
            .keys(hmac_alone())
            .refused("unsupported_version"),
        case("version 2 not known, and a wrong signature", text(&two().with(&[0; 64])))
            .keys(hmac_alone())
            .refused("unsupported_version"),
    ]);
    list
}

fn pairs(body: &Body) -> Vec<Token> {
    let named = |what: &str| format!("{what}, version {}", body.version);
    let of = |what: &str, body: Body| case(named(what), body.text());
    // Everything from the signature's bytes on is wrong.
    let forged = |what: &str, body: Body| {
        let length = if body.version == 2 { 64 } else { 32 };
        case(named(what), text(&body.with(&vec![0; length]))).refused("bad_signature")
    };
    let expired = || Body { expires: 1, ..body.clone() };
    let out_of_range = || Body { sticker: 0, ..body.clone() };
    let unknown = || Body { key: 77, ..body.clone() };
    let denied = || vec![entry(Some(&USER), &[STICKER], u32::MAX)];
    vec![
        case(named("a line feed in the middle of an expired token"), {
            let text = expired().text();
            format!("{}\n{}", &text[..40], &text[40..])
        })
        .refused("malformed"),
        of("an unknown key and expired", Body { expires: 1, ..unknown() }).refused("unknown_key"),
        case(named("an unknown key and a wrong signature"), text(&unknown().with(&[0; 64])))
            .refused("unknown_key"),
        of("an unknown key and a sticker out of range", Body { sticker: 0, ..unknown() })
            .refused("unknown_key"),
        of("an unknown key and another sender", unknown()).user(b"mallory").refused("unknown_key"),
        forged("a wrong signature and expired", expired()),
        forged("a wrong signature and a sticker out of range", out_of_range()),
        forged("a wrong signature and another sticker", body.clone()).sticker(1),
        forged("a wrong signature and another sender", body.clone()).user(b"mallory"),
        forged("a wrong signature and revoked", body.clone()).revoked(denied()),
        of("expired and a sticker out of range", Body { expires: 1, ..out_of_range() }).refused("expired"),
        of("expired and another sticker", expired()).sticker(1).refused("expired"),
        of("expired and another sender", expired()).user(b"mallory").refused("expired"),
        of("expired and revoked", expired()).revoked(denied()).refused("expired"),
        of("a sticker out of range and another sender", out_of_range()).user(b"mallory").refused("malformed"),
        of("a sticker out of range and revoked", out_of_range()).revoked(denied()).refused("malformed"),
        of("another sticker and another sender", body.clone())
            .sticker(1)
            .user(b"mallory")
            .refused("wrong_sticker"),
        of("another sticker, and the token's is revoked", body.clone())
            .sticker(1)
            .revoked(denied())
            .refused("wrong_sticker"),
        of("another sender, and the token's is revoked", body.clone())
            .user(b"mallory")
            .revoked(denied())
            .refused("wrong_user"),
        of("everything from the expiry on is wrong", Body { expires: 1, sticker: 0, ..body.clone() })
            .sticker(1)
            .user(b"mallory")
            .revoked(denied())
            .refused("expired"),
    ]
}
