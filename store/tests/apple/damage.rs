//! Texts that were altered on the way.

use sticker_tests::apple::AppleAuthority;

use super::{NOW, ORDER, PRODUCT, fares, verifier_of};

#[test]
fn no_text_with_another_byte_is_accepted() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let jws = authority.signs(&AppleAuthority::transaction("2000000001", ORDER, PRODUCT));
    assert_eq!(fares(&verifier, &jws, NOW), "ok");
    let mut codes = std::collections::BTreeSet::new();
    for at in 0..jws.len() {
        // Flips the lowest and the highest bit that ASCII has, and puts characters that mean something in the form.
        for byte in [jws.as_bytes()[at] ^ 1, jws.as_bytes()[at] ^ 0x40, b'.', b'=', b'A', b'\n'] {
            let mut altered = jws.clone().into_bytes();
            altered[at] = byte;
            let altered = String::from_utf8(altered).unwrap();
            if altered != jws {
                let code = fares(&verifier, &altered, NOW);
                assert_ne!(code, "ok", "byte {at} of {} as {byte}", jws.len());
                codes.insert(code);
            }
        }
    }
    assert_eq!(Vec::from_iter(codes), ["bad_chain", "bad_signature", "malformed"]);
    assert_eq!(fares(&verifier, &jws, NOW), "ok");
}

#[test]
fn no_text_that_was_cut_or_lengthened_is_accepted() {
    let authority = AppleAuthority::new();
    let verifier = verifier_of(&authority);
    let jws = authority.signs(&AppleAuthority::transaction("2000000001", ORDER, PRODUCT));
    for length in 0..jws.len() {
        assert_ne!(fares(&verifier, &jws[..length], NOW), "ok", "cut after {length}");
        assert_ne!(fares(&verifier, &jws[length + 1..], NOW), "ok", "cut before {length}");
    }
    for more in ["A", "AA", "AAAA", "=", ".", ".AA", "\n", " ", "\0", "é"] {
        assert_ne!(fares(&verifier, &format!("{jws}{more}"), NOW), "ok", "{more:?} after it");
        assert_ne!(fares(&verifier, &format!("{more}{jws}"), NOW), "ok", "{more:?} before it");
    }
}
