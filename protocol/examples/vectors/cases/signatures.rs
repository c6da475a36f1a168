//! Signatures of everything but this token, and one version presented as the other.

use super::build::{
    Body, SECRET, SEED, STICKER, Token, USER, V1, V2, case, counted, ed25519, ed25519_alone, ed25519_key,
    hex, hmac_alone, hmac_key, mac, one, public, text, two,
};

/// The order of the group, little-endian (RFC 8032, section 5.1).
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn cases() -> Vec<Token> {
    let mut list = hmacs();
    list.extend(ed25519s());
    list.extend(confusions());
    list
}

fn hmacs() -> Vec<Token> {
    let bytes = one().bytes();
    let right = mac(&SECRET, V1, &bytes);
    let with =
        |name: &str, signature: &[u8]| case(name, text(&one().with(signature))).refused("bad_signature");
    let padded = text(&one().with(&[right.as_slice(), &[0; 32]].concat()));
    vec![
        with("a MAC of zeros", &[0; 32]),
        with("a MAC of ones", &[255; 32]),
        with("a MAC backwards", &right.iter().rev().copied().collect::<Vec<_>>()),
        with("a MAC without its domain", &mac(&SECRET, b"", &bytes)),
        with("a MAC of version 2's domain", &mac(&SECRET, V2, &bytes)),
        with("a MAC of the domain in upper case", &mac(&SECRET, b"STICKER-TOKEN-V1", &bytes)),
        with("a MAC of the domain and a NUL", &mac(&SECRET, b"sticker-token-v1\0", &bytes)),
        with("a MAC of the domain alone", &mac(&SECRET, V1, b"")),
        with("a MAC of the text instead of the bytes", &mac(&SECRET, V1, text(&bytes).as_bytes())),
        with("a MAC of the bytes with the domain at the end", &mac(&SECRET, &bytes, V1)),
        with("a MAC of another user's token", &mac(&SECRET, V1, &one().user(b"mallory").bytes())),
        with("a MAC of another sticker's token", &mac(&SECRET, V1, &Body { sticker: 1, ..one() }.bytes())),
        with("a MAC of a later expiry", &mac(&SECRET, V1, &Body { expires: u32::MAX, ..one() }.bytes())),
        with("a MAC cut to 17 bytes, the shortest text there is", &right[..17]),
        case("a MAC cut to 16 bytes", text(&one().with(&right[..16]))).refused("malformed"),
        with("a MAC cut to 31 bytes", &right[..31]),
        with("a MAC with a byte more", &[right.as_slice(), &[0]].concat()),
        with("a MAC twice", &right.repeat(2)),
        case("a MAC and 32 zeros, as long as a signature", padded).refused("bad_signature"),
        with(
            "a plain SHA-256 of key and message",
            ring::digest::digest(&ring::digest::SHA256, &[&SECRET, V1, &bytes].concat()).as_ref(),
        ),
        with("a MAC with the key of another id", &mac(&counted(0x80), V1, &bytes)),
        case("a byte moved from the sticker to the user", {
            let moved = Body { sticker: STICKER >> 8, user: [&[0xed][..], &USER].concat(), ..one() };
            text(&moved.with(&right))
        })
        .refused("bad_signature"),
    ]
}

fn ed25519s() -> Vec<Token> {
    let bytes = two().bytes();
    let right = ed25519(&SEED, V2, &bytes);
    let (r, s) = right.split_at(32);
    let with =
        |name: &str, signature: &[u8]| case(name, text(&two().with(signature))).refused("bad_signature");
    let changed = |at: usize, bits: u8| {
        let mut changed = right.clone();
        changed[at] ^= bits;
        changed
    };
    let joined = |r: &[u8], s: &[u8]| [r, s].concat();
    let digest = ring::digest::digest(&ring::digest::SHA512, &[V2, &bytes].concat());
    let mut neutral = [0; 32];
    neutral[0] = 1;
    vec![
        with("S and the order of the group", &joined(r, &sum(s, 1))),
        with("S and twice the order of the group", &joined(r, &sum(s, 2))),
        with("S and eight times the order of the group", &joined(r, &sum(s, 8))),
        with("S is the order of the group", &joined(r, &L)),
        with("S negated", &joined(r, &negated(s))),
        with("S is 0", &joined(r, &[0; 32])),
        with("the highest bit of S set", &changed(63, 0x80)),
        with("R and S swapped", &joined(s, r)),
        with("the sign of R changed", &changed(31, 0x80)),
        with("R changed in its lowest bit", &changed(0, 1)),
        with("R of another signature", &joined(&ed25519(&SEED, V2, b"another")[..32], s)),
        with("R is the neutral element, S is 0", &joined(&neutral, &[0; 32])),
        with("R is the public key", &joined(&public(&SEED), s)),
        with("a signature of zeros", &[0; 64]),
        with("a signature of ones", &[255; 64]),
        with("a signature without its domain", &ed25519(&SEED, b"", &bytes)),
        with("a signature of version 1's domain", &ed25519(&SEED, V1, &bytes)),
        with("a signature of the domain alone", &ed25519(&SEED, V2, b"")),
        with("a signature of the text instead of the bytes", &ed25519(&SEED, V2, text(&bytes).as_bytes())),
        with("a signature of the SHA-512 of the message", &ed25519(&SEED, b"", digest.as_ref())),
        with("a signature of another user's token", &ed25519(&SEED, V2, &two().user(b"mallory").bytes())),
        with(
            "a signature of another sticker's token",
            &ed25519(&SEED, V2, &Body { sticker: 1, ..two() }.bytes()),
        ),
        with(
            "a signature of a later expiry",
            &ed25519(&SEED, V2, &Body { expires: u32::MAX, ..two() }.bytes()),
        ),
        with("a signature with another seed", &ed25519(&counted(0x80), V2, &bytes)),
        with("a signature cut to 63 bytes", &right[..63]),
        with("a signature with a byte more", &[right.as_slice(), &[0]].concat()),
    ]
}

/// S with so many times the order added, which every group equation takes for the same.
fn sum(s: &[u8], times: u8) -> Vec<u8> {
    (0..times).fold(s.to_vec(), |s, _| {
        let mut carry = 0;
        let add = |(&a, b): (&u8, u8)| {
            let sum = u16::from(a) + u16::from(b) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        };
        let sum: Vec<_> = s.iter().zip(L).map(add).collect();
        assert_eq!(carry, 0, "it no longer fits 32 bytes");
        sum
    })
}

/// The order less S.
fn negated(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let subtract = |(a, &b): (u8, &u8)| {
        let difference = i16::from(a) - i16::from(b) - borrow;
        borrow = i16::from(difference < 0);
        difference.to_le_bytes()[0]
    };
    L.into_iter().zip(s).map(subtract).collect()
}

fn confusions() -> Vec<Token> {
    let long = [7; 60];
    let (one, two) = (one().user(&long), two().user(&long));
    let public = public(&SEED);
    let as_two = |key: u16| Body { version: 2, key, ..one.clone() };
    let as_one = |key: u16| Body { version: 1, key, ..two.clone() };
    let of = |name: &str, bytes: Vec<u8>| case(name, text(&bytes)).user(&long);
    let longest = self::two().user(&[7; 128]);
    let by_public = |body: &Body, domain: &[u8]| body.with(&mac(&public, domain, &body.bytes()));
    vec![
        of("version 1 with the number 2, under its own key id", as_two(3).with(&one.signed()[75..]))
            .refused("unknown_key"),
        of("version 1 with the number 2, under the Ed25519 key's id", as_two(4).with(&one.signed()[75..]))
            .refused("bad_signature"),
        case(
            "version 1 with the number 2, too short for it",
            text(&[&[2][..], &self::one().signed()[1..]].concat()),
        )
        .refused("malformed"),
        case(
            "version 1 with the number 2 where version 2 is not known",
            text(&[&[2][..], &self::one().signed()[1..]].concat()),
        )
        .keys(hmac_alone())
        .refused("unsupported_version"),
        of("version 2 with the number 1, under its own key id", as_one(4).with(&two.signed()[75..]))
            .refused("unknown_key"),
        of("version 2 with the number 1, under the HMAC key's id", as_one(3).with(&two.signed()[75..]))
            .refused("bad_signature"),
        case(
            "version 2 with the number 1, too long for it",
            text(&[&[1][..], &longest.signed()[1..]].concat()),
        )
        .refused("malformed"),
        of("an HMAC with the public key as its secret, version 1", by_public(&as_one(4), V1))
            .refused("unknown_key"),
        of("an HMAC with the public key as its secret, version 2", by_public(&two, V2))
            .refused("bad_signature"),
        of("an HMAC with the public key's digits as its secret, version 2", {
            two.with(&mac(hex(&public).as_bytes(), V2, &two.bytes()))
        })
        .refused("bad_signature"),
        of("an HMAC with the public key, to a verifier without HMAC keys", by_public(&as_one(4), V1))
            .keys(ed25519_alone())
            .refused("unknown_key"),
        of(
            "a MAC of version 2's bytes under the HMAC key",
            Body { key: 3, ..two.clone() }.with(&mac(&SECRET, V2, &two.bytes())),
        )
        .refused("unknown_key"),
        of("the secret is the public key, version 1", by_public(&one, V1))
            .keys(vec![hmac_key(3, &public), ed25519_key(4, &SEED)]),
        of("the secret is the public key, an HMAC as version 2", by_public(&two, V2))
            .keys(vec![hmac_key(3, &public), ed25519_key(4, &SEED)])
            .refused("bad_signature"),
        of("the secret is the seed, version 1", one.with(&mac(&SEED, V1, &one.bytes())))
            .keys(vec![hmac_key(3, &SEED), ed25519_key(4, &SEED)]),
        of("the secret is the seed, version 2", two.signed())
            .keys(vec![hmac_key(3, &SEED), ed25519_key(4, &SEED)]),
        of("the seed is the HMAC secret, a signature as version 1", {
            as_one(3).with(&ed25519(&SECRET, V1, &as_one(3).bytes()))
        })
        .refused("bad_signature"),
        of("a MAC and a signature, one after the other", {
            let first = two.with(&mac(&SECRET, V2, &two.bytes()));
            [first.as_slice(), &ed25519(&SEED, V2, &first)].concat()
        })
        .refused("wrong_user"),
        case("two tokens, one after the other", self::one().text().repeat(2)).refused("bad_signature"),
        case("two tokens with a full stop between", format!("{0}.{0}", self::one().text()))
            .refused("malformed"),
        of("the id is an HMAC key's in this ring, version 2", two.signed())
            .keys(vec![hmac_key(4, &SECRET), ed25519_key(3, &SEED)])
            .refused("unknown_key"),
        of("the id is an Ed25519 key's in this ring, version 1", one.signed())
            .keys(vec![hmac_key(4, &SECRET), ed25519_key(3, &SEED)])
            .refused("unknown_key"),
    ]
}
