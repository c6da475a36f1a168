//! What the deny feed takes back, and what it leaves.

use super::build::{Body, EXPIRY, STICKER, Token, USER, case, entry, hex, one, two};

pub(super) fn cases() -> Vec<Token> {
    let mut list = Vec::new();
    for body in [one(), two()] {
        list.extend(each(&body));
    }
    list.extend(alike());
    list
}

fn each(body: &Body) -> Vec<Token> {
    let of =
        |what: &str, entries| case(format!("{what}, version {}", body.version), body.text()).revoked(entries);
    let user = |until| entry(Some(&USER), &[STICKER], until);
    let everybody = |until| entry(None, &[STICKER], until);
    let other = entry(Some(b"mallory"), &[STICKER], u32::MAX);
    vec![
        of("revoked until the token's expiry", vec![user(EXPIRY)]).refused("revoked"),
        of("revoked until one second before the token's expiry", vec![user(EXPIRY - 1)]),
        of("revoked until one second after the token's expiry", vec![user(EXPIRY + 1)]).refused("revoked"),
        of("revoked for ever", vec![user(u32::MAX)]).refused("revoked"),
        of("revoked until 0", vec![user(0)]),
        of("revoked for everybody until the token's expiry", vec![everybody(EXPIRY)]).refused("revoked"),
        of("revoked for everybody until one second before", vec![everybody(EXPIRY - 1)]),
        of("another user is revoked", vec![other.clone()]),
        of("another sticker is revoked", vec![entry(Some(&USER), &[1, STICKER - 1, STICKER + 1], u32::MAX)]),
        of("another sticker is revoked for everybody", vec![entry(None, &[1], u32::MAX)]),
        of("one of several stickers", vec![entry(Some(&USER), &[1, 2, STICKER, 3], EXPIRY)])
            .refused("revoked"),
        of("the second of two entries", vec![other.clone(), user(EXPIRY)]).refused("revoked"),
        of("the later of two counts, first", vec![user(EXPIRY), user(EXPIRY - 10)]).refused("revoked"),
        of("the later of two counts, last", vec![user(EXPIRY - 10), user(EXPIRY)]).refused("revoked"),
        of("two entries, both before the token", vec![user(EXPIRY - 10), user(EXPIRY - 1)]),
        of("the later of two for everybody, first", vec![everybody(EXPIRY), everybody(1)]).refused("revoked"),
        of("everybody later than the user", vec![user(EXPIRY - 1), everybody(EXPIRY)]).refused("revoked"),
        of("the user later than everybody", vec![everybody(EXPIRY - 1), user(EXPIRY)]).refused("revoked"),
        of("both before the token", vec![everybody(EXPIRY - 1), user(EXPIRY - 1)]),
        of("an entry that ended at this second", vec![user(1_800_000_000)]),
        of("an entry that ended long ago beside one that counts", vec![user(1), user(EXPIRY)])
            .refused("revoked"),
        of("an entry for everybody that ended beside one that counts", vec![everybody(1), everybody(EXPIRY)])
            .refused("revoked"),
    ]
}

/// Users and stickers that must not run into each other.
fn alike() -> Vec<Token> {
    let of = |name: &str, user: &[u8], sticker, revoked: &[u8], of_sticker| {
        let body = Body { sticker, ..one().user(user) };
        case(name, body.text()).user(user).sticker(sticker).revoked(vec![entry(
            Some(revoked),
            &[of_sticker],
            u32::MAX,
        )])
    };
    let mut upper = entry(Some(&USER), &[STICKER], EXPIRY);
    upper["user_hex"] = hex(&USER).to_uppercase().into();
    vec![
        of("the last digit of the sticker is the user's first, one way", b"23", 1, b"3", 12),
        of("the last digit of the sticker is the user's first, the other way", b"3", 12, b"23", 1),
        of("a user that is the beginning of the revoked one", b"alic", STICKER, b"alice", STICKER),
        of("a user that begins with the revoked one", b"alice", STICKER, b"alic", STICKER),
        of(
            "the revoked user in composed form",
            "jose\u{301}".as_bytes(),
            STICKER,
            "josé".as_bytes(),
            STICKER,
        ),
        of("the revoked user in another case", b"alice", STICKER, b"ALICE", STICKER),
        of("the revoked user with a NUL at the end", b"alice", STICKER, b"alice\0", STICKER),
        of("the revoked user and this one are no UTF-8", &[0xff], STICKER, &[0xfe], STICKER),
        of("the revoked user is the word null", b"alice", STICKER, b"null", STICKER),
        of("the user is the word null", b"null", STICKER, b"alice", STICKER),
        of("a revoked user that is no UTF-8", &[0xff], STICKER, &[0xff], STICKER).refused("revoked"),
        of("a revoked user of 128 bytes", &[7; 128], STICKER, &[7; 128], STICKER).refused("revoked"),
        of("a revoked user of one NUL", &[0], STICKER, &[0], STICKER).refused("revoked"),
        of("a revoked sticker 2^53 - 1", &USER, (1 << 53) - 1, &USER, (1 << 53) - 1).refused("revoked"),
        of("a revoked sticker with the same low 32 bits", &USER, STICKER, &USER, STICKER + (1 << 32)),
        case("a revoked user in upper-case digits", one().text()).revoked(vec![upper]).refused("revoked"),
    ]
}
