//! Each field at its ends, and what may not be confused with what.

use serde_json::{Value, json};

use super::build::{
    Body, EXPIRY, NOW, SECRET, SEED, STICKER, Token, V1, both, case, counted, ed25519_alone, ed25519_key,
    hex, hmac_alone, hmac_key, mac, one, text, two,
};

const MAX_ID: u64 = (1 << 53) - 1;

pub(super) fn cases() -> Vec<Token> {
    let mut list = Vec::new();
    for body in [one(), two()] {
        list.extend(versions_and_keys(&body));
        list.extend(expiries(&body));
        list.extend(stickers(&body));
        list.extend(flips(&body));
    }
    list.extend(users());
    list.extend(rings());
    list
}

fn versions_and_keys(body: &Body) -> Vec<Token> {
    let own = body.version;
    let version = |number| Body { version: number, ..body.clone() };
    let key = |id| Body { key: id, ..body.clone() };
    // The key under the id that the token names, beside another.
    let known = |id| match own {
        1 => vec![hmac_key(id, &SECRET), hmac_key(5, &counted(0x80))],
        _ => vec![ed25519_key(id, &SEED), ed25519_key(5, &counted(0x80))],
    };
    let mut list: Vec<_> = [0, 3, 4, 127, 128, 255]
        .map(|number| {
            case(
                format!("version {number} over the signature of version {own}"),
                text(&version(number).with(&body.signed()[31..])),
            )
            .refused("unsupported_version")
        })
        .into();
    for id in [0, 1, 255, 256, 65_535] {
        list.push(case(format!("key id {id}, version {own}"), key(id).text()).keys(known(id)));
        list.push(
            case(format!("key id {id} that is not in the ring, version {own}"), key(id).text())
                .refused("unknown_key"),
        );
    }
    let swapped = body.key.swap_bytes();
    list.push(
        case(format!("the key id with its bytes swapped, version {own}"), key(swapped).text())
            .refused("unknown_key"),
    );
    list
}

fn expiries(body: &Body) -> Vec<Token> {
    let own = body.version;
    let at = |what: &str, expires, now| {
        let text = Body { expires, ..body.clone() }.text();
        case(format!("{what}, version {own}"), text).now(now).until(expires)
    };
    let end = u64::from(EXPIRY);
    vec![
        at("one second before the expiry", EXPIRY, end - 1),
        at("the second of the expiry", EXPIRY, end).refused("expired"),
        at("one second after the expiry", EXPIRY, end + 1).refused("expired"),
        at("the beginning of 1970", EXPIRY, 0),
        at("expiry 0 at second 0", 0, 0).refused("expired"),
        at("expiry 1 at second 0", 1, 0),
        at("expiry 1 at second 1", 1, 1).refused("expired"),
        at("expiry 0", 0, NOW).refused("expired"),
        at("expiry 2^31 - 1 one second before", 2_147_483_647, 2_147_483_646),
        at("expiry 2^31 one second before", 2_147_483_648, 2_147_483_647),
        at("expiry 2^31", 2_147_483_648, 2_147_483_648).refused("expired"),
        at("the last expiry", u32::MAX, NOW),
        at("the last expiry one second before", u32::MAX, 4_294_967_294),
        at("the last expiry at its second", u32::MAX, 4_294_967_295).refused("expired"),
        at("now at 2^32", u32::MAX, 4_294_967_296).refused("expired"),
        at("now at 2^32 and a little", EXPIRY, 4_294_967_296 + 5).refused("expired"),
        at("now in milliseconds", EXPIRY, NOW * 1_000).refused("expired"),
        at("now at 2^53 - 1", u32::MAX, MAX_ID).refused("expired"),
    ]
}

fn stickers(body: &Body) -> Vec<Token> {
    let own = body.version;
    let of = |what: &str, signed, message| {
        let text = Body { sticker: signed, ..body.clone() }.text();
        case(format!("{what}, version {own}"), text).sticker(message)
    };
    vec![
        of("sticker 1", 1, 1),
        of("sticker 2^53 - 1", MAX_ID, MAX_ID),
        of("sticker 2^32", 1 << 32, 1 << 32),
        of("sticker 0", 0, STICKER).refused("malformed"),
        of("sticker 2^53", MAX_ID + 1, MAX_ID).refused("malformed"),
        of("sticker 2^53 + 1", MAX_ID + 2, 1).refused("malformed"),
        of("sticker 2^63", 1 << 63, 1).refused("malformed"),
        of("sticker 2^64 - 1", u64::MAX, 1).refused("malformed"),
        of("one sticker below", STICKER, STICKER - 1).refused("wrong_sticker"),
        of("one sticker above", STICKER, STICKER + 1).refused("wrong_sticker"),
        of("another sticker with the same low 32 bits", STICKER, STICKER + (1 << 32))
            .refused("wrong_sticker"),
        of("the largest sticker and the one below", MAX_ID, MAX_ID - 1).refused("wrong_sticker"),
    ]
}

/// Every bit of the version, and the lowest and the highest bit of every other field's first and last byte.
fn flips(body: &Body) -> Vec<Token> {
    let bytes = body.signed();
    let fields = [
        ("the key id", 1, 2, "unknown_key"),
        ("the expiry", 3, 6, "bad_signature"),
        ("the sticker", 7, 14, "bad_signature"),
        ("the user", 15, 30, "bad_signature"),
        ("the signature", 31, bytes.len() - 1, "bad_signature"),
    ];
    let flip = |what: &str, at: usize, bit: u8, code| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << bit;
        let name = format!("bit {bit} of byte {at}, in {what}, version {}", body.version);
        case(name, text(&bytes)).refused(code)
    };
    let each = |(what, first, last, code)| {
        [(first, 0), (first, 7), (last, 0), (last, 7)].map(|(at, bit)| flip(what, at, bit, code))
    };
    let version = (0..8).map(|bit| flip("the version", 0, bit, "unsupported_version"));
    version.chain(fields.into_iter().flat_map(each)).collect()
}

fn users() -> Vec<Token> {
    let of = |name: &str, user: &[u8]| case(name, one().user(user).text()).user(user);
    let not = |name: &str, signed: &[u8], sender: &[u8]| {
        case(name, one().user(signed).text()).user(sender).refused("wrong_user")
    };
    let two_not = |name: &str, signed: &[u8], sender: &[u8]| {
        case(name, two().user(signed).text()).user(sender).refused("wrong_user")
    };
    let (composed, decomposed) = ("josé".as_bytes(), "jose\u{301}".as_bytes());
    vec![
        of("a user of one NUL", &[0]),
        of("a user of 128 NULs", &[0; 128]),
        of("a user of 128 bytes 255", &[255; 128]),
        of("a user of bytes that are no UTF-8", &[0xff, 0xc0, 0x80, 0xfe]),
        of("a user with a NUL in the middle", b"alice\0admin"),
        of("a user in composed form", composed),
        of("a user in decomposed form", decomposed),
        of("a user of every byte from 0 to 127", &(0..128).collect::<Vec<u8>>()),
        of("a user of every byte from 128 to 255", &(128..=255).collect::<Vec<u8>>()),
        not("the token is composed and the sender decomposed", composed, decomposed),
        not("the token is decomposed and the sender composed", decomposed, composed),
        not("the sender in another case", b"alice", b"Alice"),
        not("the token's user is the beginning of the sender", b"alic", b"alice"),
        not("the sender is the beginning of the token's user", b"alice", b"alic"),
        not("the sender with a NUL at the end", b"alice", b"alice\0"),
        not("the token's user with a NUL at the end", b"alice\0", b"alice"),
        not("the sender with a NUL and more", b"alice", b"alice\0admin"),
        not("the sender with a line feed at the end", b"alice", b"alice\n"),
        not("the sender with a space at the end", b"alice", b"alice "),
        not("the sender with a zero before the number", b"42", b"042"),
        not("two bytes that are no UTF-8", &[0xff], &[0xfe]),
        not("a byte that is no UTF-8 and the replacement character", &[0xff], "\u{fffd}".as_bytes()),
        not("a lone surrogate and the replacement character", &[0xed, 0xa0, 0x80], "\u{fffd}".as_bytes()),
        not("an overlong form of a letter", &[0xc1, 0xa1], b"a"),
        not("a Cyrillic letter that looks Latin", "аlice".as_bytes(), b"alice"),
        not("a full-width letter", "ａlice".as_bytes(), b"alice"),
        not("bytes and their hexadecimal digits", &[0xab, 0xcd], b"abcd"),
        not("the last byte differs", &[7; 128], &[&[7; 127][..], &[8]].concat()),
        not("the first byte differs", &[7; 128], &[&[8][..], &[7; 127]].concat()),
        not("127 and 128 equal bytes", &[7; 127], &[7; 128]),
        two_not("version 2, the token's user is the beginning of the sender", b"alic", b"alice"),
        two_not("version 2, the sender is the beginning of the token's user", b"alice", b"alic"),
        two_not("version 2, composed and decomposed", composed, decomposed),
        two_not("version 2, two bytes that are no UTF-8", &[0xff], &[0xfe]),
    ]
}

/// Which key of which ring.
fn rings() -> Vec<Token> {
    let with = |mut key: Value, changes: Value| {
        key.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        key
    };
    let in_state = |state: &str| both().into_iter().map(|key| with(key, json!({"state": state}))).collect();
    let upper = |mut key: Value, field: &str| {
        key[field] = json!(key[field].as_str().unwrap().to_uppercase());
        vec![key]
    };
    let mut list = Vec::new();
    for body in [one(), two()] {
        let named = |what: &str| format!("{what}, version {}", body.version);
        for state in ["published", "signing", "verify"] {
            list.push(
                case(named(&format!("a key that is {state} verifies")), body.text()).keys(in_state(state)),
            );
        }
        let many = (0..40).map(|id| {
            if id == 3 {
                hmac_key(3, &SECRET)
            } else {
                ed25519_key(id, &if id == 4 { SEED } else { counted(0x90) })
            }
        });
        list.push(case(named("a ring of 40 keys"), body.text()).keys(many.rev().collect()));
        let unsorted = vec![
            hmac_key(9, &counted(1)),
            ed25519_key(4, &SEED),
            ed25519_key(1, &counted(2)),
            hmac_key(3, &SECRET),
        ];
        list.push(case(named("a ring in no order"), body.text()).keys(unsorted));
    }
    let explicit = with(
        hmac_key(3, &SECRET),
        json!({"algorithm": "hmac-sha256", "public": "none", "made": {"by": ["x"]}}),
    );
    let unknown = json!({"id": 3, "algorithm": "hmac-sha512", "secret": hex(&SECRET), "state": "verify"});
    let own_file = with(ed25519_key(4, &SEED), json!({"secret": hex(&SEED)}));
    list.extend([
        case("an empty ring knows no key", one().text()).keys(vec![]).refused("unknown_key"),
        case("an empty ring does not know version 2", two().text())
            .keys(vec![])
            .refused("unsupported_version"),
        case("a ring of HMAC keys does not know version 2", two().text())
            .keys(hmac_alone())
            .refused("unsupported_version"),
        case("a ring of Ed25519 keys knows version 1 and none of its keys", one().text())
            .keys(ed25519_alone())
            .refused("unknown_key"),
        case("the algorithm by name, and fields that nobody knows", one().text()).keys(vec![explicit]),
        case("the secret in upper case", one().text()).keys(upper(hmac_key(3, &SECRET), "secret")),
        case("the public key in upper case", two().text()).keys(upper(ed25519_key(4, &SEED), "public")),
        case("the issuer's own file with the seed", two().text()).keys(vec![own_file]),
        case("a key of an unknown algorithm is not there", one().text())
            .keys(vec![unknown.clone()])
            .refused("unknown_key"),
        case("a key of an unknown algorithm does not make version 2 known", two().text())
            .keys(vec![unknown])
            .refused("unsupported_version"),
        case("another secret under the id", one().text())
            .keys(vec![hmac_key(3, &counted(1))])
            .refused("bad_signature"),
        case("another public key under the id", two().text())
            .keys(vec![ed25519_key(4, &counted(1))])
            .refused("bad_signature"),
    ]);
    list.extend(alike());
    list
}

/// HMAC fills its key with zeros to 64 bytes and hashes a longer one. Keys of exactly 32 bytes meet in none of that.
fn alike() -> Vec<Token> {
    let mut ends_in_zeros = [0xaa; 32];
    ends_in_zeros[24..].fill(0);
    let mut begins_with_zeros = ends_in_zeros;
    begins_with_zeros.rotate_right(8);
    let signed = |key: &[u8]| text(&one().with(&mac(key, V1, &one().bytes())));
    let ring = |key: &[u8; 32]| vec![hmac_key(3, key)];
    let digits = hex(&SECRET);
    vec![
        case("a secret that ends in zero bytes", signed(&ends_in_zeros)).keys(ring(&ends_in_zeros)),
        case("a secret that begins with zero bytes", signed(&begins_with_zeros))
            .keys(ring(&begins_with_zeros)),
        case("a secret of zeros alone", signed(&[0; 32])).keys(ring(&[0; 32])),
        case("a secret shifted by its zeros", signed(&begins_with_zeros))
            .keys(ring(&ends_in_zeros))
            .refused("bad_signature"),
        case("a secret whose first byte is one lower", signed(&counted(0)))
            .keys(ring(&counted(1)))
            .refused("bad_signature"),
        case("the secret's hexadecimal digits as the key", signed(digits.as_bytes()))
            .refused("bad_signature"),
        case("the secret twice as the key", signed(&[SECRET, SECRET].concat())).refused("bad_signature"),
        case("the secret backwards as the key", signed(&SECRET.into_iter().rev().collect::<Vec<_>>()))
            .refused("bad_signature"),
        case("the secret without its last byte as the key", signed(&SECRET[..31])).refused("bad_signature"),
        case("an empty key", signed(&[])).refused("bad_signature"),
    ]
}
