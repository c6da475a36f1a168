//! The golden case of the specification, what issuing does, and each refusal of version 1. The vectors for all languages, which
//! have both versions, come on top.

use super::*;
use crate::{Expiry, StickerId, UnixSeconds};

const GOLDEN: &str = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC";
const EXPIRY: u32 = 1_800_086_400;

fn ring() -> Keyring {
    let secret = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let record =
        KeyRecord { id: KeyId(3), key: KeyMaterial::Hmac(Secret::new(secret)), state: KeyState::Signing };
    Keyring::new(&KeyFile::new(vec![record]).unwrap())
}

fn owner() -> UserId {
    UserId::from_hex("018f3c9a1122733384445566778899aa").unwrap()
}

fn claims() -> Claims {
    Claims { sticker: StickerId::new(8_675_309).unwrap(), user: owner(), expires: Expiry(EXPIRY) }
}

fn verify(text: &str) -> Result<Expiry, Refusal> {
    verify_at(text, u64::from(EXPIRY) - 1)
}

fn verify_at(text: &str, now: u64) -> Result<Expiry, Refusal> {
    let expected = Expected { sticker: claims().sticker, user: owner() };
    ring().verify(text, UnixSeconds(now), &expected, &DenyList::new())
}

#[test]
fn the_golden_case_is_issued_and_accepted() {
    assert_eq!(ring().issue(&claims()).unwrap().as_str(), GOLDEN);
    assert_eq!(verify(GOLDEN), Ok(Expiry(EXPIRY)));
}

#[test]
fn a_token_is_valid_until_the_second_before_its_expiry() {
    assert!(verify_at(GOLDEN, u64::from(EXPIRY) - 1).is_ok());
    assert_eq!(verify_at(GOLDEN, u64::from(EXPIRY)), Err(Refusal::Expired));
}

#[test]
fn no_single_flipped_bit_is_accepted() {
    let engine = base64_simd::URL_SAFE_NO_PAD;
    let bytes = engine.decode_to_vec(GOLDEN).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0 => Refusal::UnsupportedVersion,
            1 | 2 => Refusal::UnknownKey,
            _ => Refusal::BadSignature,
        };
        assert_eq!(verify(&engine.encode_to_string(flipped)), Err(expected), "bit {bit}");
    }
}

#[test]
fn only_the_canonical_text_is_accepted() {
    let stray_bits = format!("{}D", &GOLDEN[..GOLDEN.len() - 1]);
    let other_alphabet = GOLDEN.replace('_', "/");
    let padded = format!("{GOLDEN}=");
    let with_newline = format!("{GOLDEN}\n");
    for text in [stray_bits.as_str(), &other_alphabet, &padded, &with_newline, "", "AQAD", &GOLDEN.repeat(3)]
    {
        let refused = verify(text);
        // 84 characters hold 63 bytes exactly, so the last character has no stray bits here: it is another MAC.
        let expected = if text == stray_bits { Refusal::BadSignature } else { Refusal::Malformed };
        assert_eq!(refused, Err(expected), "{text:?}");
    }
}

#[test]
fn stray_bits_in_the_last_character_are_malformed() {
    let user = UserId::from_text("a").unwrap();
    let text = ring().issue(&Claims { user, ..claims() }).unwrap().to_string();
    let longer =
        ring().issue(&Claims { user: UserId::from_text("ab").unwrap(), ..claims() }).unwrap().to_string();
    assert_eq!((text.len(), longer.len()), (64, 66));
    let last = longer.chars().last().unwrap();
    let neighbour = char::from(u8::try_from(last).unwrap() + 1);
    let stray = format!("{}{neighbour}", &longer[..longer.len() - 1]);
    assert_eq!(UntrustedToken::parse(&stray).unwrap_err(), Refusal::Malformed);
}

#[test]
fn the_lengths_of_the_text_reach_from_64_to_234() {
    let token = |user: &[u8]| ring().issue(&Claims { user: UserId::new(user).unwrap(), ..claims() }).unwrap();
    assert_eq!(token(&[0]).as_str().len(), 64);
    assert_eq!(token(&[255; 128]).as_str().len(), 234);
    let expected = Expected { sticker: claims().sticker, user: UserId::new(&[255; 128]).unwrap() };
    assert!(ring().verify(token(&[255; 128]).as_str(), UnixSeconds(0), &expected, &DenyList::new()).is_ok());
}

#[test]
fn a_token_counts_for_its_sticker_and_its_user_alone() {
    let now = UnixSeconds(0);
    let check = |expected: Expected| ring().verify(GOLDEN, now, &expected, &DenyList::new());
    let other_sticker = Expected { sticker: StickerId::new(1).unwrap(), user: owner() };
    let other_user = Expected { sticker: claims().sticker, user: UserId::from_text("mallory").unwrap() };
    assert_eq!(check(other_sticker), Err(Refusal::WrongSticker));
    assert_eq!(check(other_user), Err(Refusal::WrongUser));
}

#[test]
fn a_revoked_right_is_refused_until_its_last_token_has_expired_and_a_new_one_passes() {
    let mut denied = DenyList::new();
    denied.deny(&owner(), claims().sticker, Expiry(EXPIRY));
    denied.deny(&owner(), claims().sticker, Expiry(EXPIRY - 10));
    let expected = Expected { sticker: claims().sticker, user: owner() };
    assert_eq!(ring().verify(GOLDEN, UnixSeconds(0), &expected, &denied), Err(Refusal::Revoked));

    let bought_again = ring().issue(&Claims { expires: Expiry(EXPIRY + 1), ..claims() }).unwrap();
    assert!(ring().verify(bought_again.as_str(), UnixSeconds(0), &expected, &denied).is_ok());

    denied.forget_expired(UnixSeconds(u64::from(EXPIRY) - 1));
    assert_eq!(denied.len(), 1);
    denied.forget_expired(UnixSeconds(u64::from(EXPIRY)));
    assert!(denied.is_empty());
}

fn both() -> KeyFile {
    let key = |id, key| KeyRecord { id: KeyId(id), key, state: KeyState::Signing };
    let ed25519 = KeyMaterial::ed25519_from_seed(Secret::new([6; 32])).unwrap();
    KeyFile::new(vec![key(3, KeyMaterial::Hmac(Secret::new([5; 32]))), key(4, ed25519)]).unwrap()
}

#[test]
fn each_version_is_issued_with_the_key_of_its_algorithm() {
    let ring = Keyring::new(&both());
    let expected = Expected { sticker: claims().sticker, user: owner() };
    for (version, key) in [(Version::V1, KeyId(3)), (Version::V2, KeyId(4))] {
        assert_eq!(ring.signing_key(version), Some(key));
        let issued = ring.issue_as(version, &claims()).unwrap();
        assert_eq!(ring.issue_with(key, &claims()).unwrap().as_str(), issued.as_str());
        let untrusted = UntrustedToken::parse(issued.as_str()).unwrap();
        assert_eq!((untrusted.version(), untrusted.key_id()), (version, key));
        assert_eq!(ring.authenticate(&untrusted, UnixSeconds(0)), Ok(claims()));
        assert_eq!(
            ring.verify(issued.as_str(), UnixSeconds(0), &expected, &DenyList::new()),
            Ok(Expiry(EXPIRY))
        );
    }
}

#[test]
fn a_ring_without_seeds_verifies_version_2_and_cannot_issue_it() {
    let issued = Keyring::new(&both()).issue_as(Version::V2, &claims()).unwrap();
    let expected = Expected { sticker: claims().sticker, user: owner() };
    for file in [both().for_verifiers(), both().public_only()] {
        let ring = Keyring::new(&file);
        assert!(ring.verify(issued.as_str(), UnixSeconds(0), &expected, &DenyList::new()).is_ok());
        assert_eq!(ring.issue_as(Version::V2, &claims()).unwrap_err(), IssueError::NoSeed(KeyId(4)));
    }
    assert_eq!(Keyring::new(&both().public_only()).issue(&claims()).unwrap_err(), IssueError::NoSigningKey);
}

#[test]
fn version_2_is_not_known_without_an_ed25519_key() {
    let issued = Keyring::new(&both()).issue_as(Version::V2, &claims()).unwrap();
    assert_eq!(verify(issued.as_str()), Err(Refusal::UnsupportedVersion));
    let untrusted = UntrustedToken::parse(issued.as_str()).unwrap();
    assert_eq!(ring().authenticate(&untrusted, UnixSeconds(0)), Err(Refusal::UnsupportedVersion));
}

#[test]
fn a_ring_issues_only_with_its_own_keys() {
    assert_eq!(ring().issue_with(KeyId(8), &claims()).unwrap_err(), IssueError::UnknownKey(KeyId(8)));
    assert_eq!(ring().issue_as(Version::V2, &claims()).unwrap_err(), IssueError::NoSigningKey);
    assert_eq!(Keyring::new(&KeyFile::default()).issue(&claims()).unwrap_err(), IssueError::NoSigningKey);
}

#[test]
fn debug_prints_show_neither_secrets_nor_tokens() {
    let token = ring().issue(&claims()).unwrap();
    let shown =
        format!("{:?} {:?} {token:?} {:?}", ring(), Secret::new([0xab; 32]), UntrustedToken::parse(GOLDEN));
    assert!(!shown.contains(GOLDEN) && !shown.contains("abab") && !shown.contains("171"), "{shown}");
}
