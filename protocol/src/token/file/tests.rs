//! What a key file may be, and what each fault says.

use crate::token::{
    Algorithm, KeyFile, KeyFileError, KeyId, KeyMaterial, KeyRecord, KeyState, PublicKey, Secret,
};

const SECRET: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

fn hmac(id: u16, state: &str) -> String {
    format!(r#"{{"id":{id},"secret":"{SECRET}","state":"{state}"}}"#)
}

fn file(keys: &[String]) -> String {
    format!("{{\"keys\":[\n{}\n]}}", keys.join(",\n"))
}

fn refused(text: &str) -> KeyFileError {
    KeyFile::parse(text).unwrap_err()
}

fn ed25519(id: u16, seed: [u8; 32], state: KeyState) -> KeyRecord {
    KeyRecord { id: KeyId(id), key: KeyMaterial::ed25519_from_seed(Secret::new(seed)).unwrap(), state }
}

fn mixed() -> KeyFile {
    let secret = KeyMaterial::Hmac(Secret::new([9; 32]));
    let first = KeyRecord { id: KeyId(7), key: secret, state: KeyState::Signing };
    KeyFile::new(vec![first, ed25519(8, [10; 32], KeyState::Signing)]).unwrap()
}

#[test]
fn each_fault_has_its_code_and_the_line_where_it_stands() {
    let with = |text: &str| file(&[hmac(1, "verify"), text.to_owned()]);
    let no_secret = r#"{"id":2,"state":"verify"}"#.to_owned();
    let wrapped = format!("{{\"id\":2,\n\n\"secret\":\"{}\",\"state\":\"verify\"}}", &SECRET[2..]);
    let no_public = r#"{"id":2,"algorithm":"ed25519","state":"verify"}"#.to_owned();
    let cases = [
        ("bad_json", 3, file(&[hmac(1, "signing"), "{".to_owned()])[..90].to_owned()),
        ("bad_json", 3, with("[2]")),
        ("bad_json", 3, with(r#"{"id":2,"id":3}"#)),
        ("bad_json", 1, "{}".to_owned()),
        ("bad_json", 1, String::new()),
        ("bad_id", 3, with(&hmac(2, "verify").replace(":2,", ":65536,"))),
        ("bad_id", 3, with(&hmac(2, "verify").replace("id", "ID"))),
        ("bad_state", 3, with(&hmac(2, "sleeping"))),
        ("bad_key", 3, with(&no_secret)),
        ("bad_key", 5, with(&wrapped)),
        ("bad_key", 3, with(&no_public)),
        ("duplicate_id", 3, with(&hmac(1, "verify"))),
        ("two_signing", 4, file(&[hmac(1, "signing"), hmac(2, "verify"), hmac(3, "signing")])),
    ];
    for (code, line, text) in cases {
        let error = refused(&text);
        let told = if code == "bad_json" { error.line().is_some() } else { error.line() == Some(line) };
        assert!(error.code() == code && told, "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains("5e5e"), "{error:?}");
    }
}

#[test]
fn a_fault_between_two_keys_names_both_lines() {
    let twice = refused(&file(&[hmac(1, "signing"), hmac(1, "verify")]));
    assert_eq!(twice.to_string(), "line 3: the key id 1 stands twice in the file, first on line 2");
    let both = refused(&file(&[hmac(1, "signing"), hmac(2, "signing")]));
    assert_eq!(
        both.to_string(),
        "line 3: key 2 is marked as signing, and so is key 1 on line 2; one hmac-sha256 key signs"
    );
}

#[test]
fn keys_made_otherwise_are_checked_alike_and_have_no_lines() {
    let key = |id, state| ed25519(id, [1; 32], state);
    let of = |keys| KeyFile::new(keys).unwrap_err();
    let twice = of(vec![key(1, KeyState::Signing), key(1, KeyState::Verify)]);
    assert_eq!((twice.code(), twice.line()), ("duplicate_id", None));
    assert_eq!(twice.to_string(), "the key id 1 is there twice");
    let both = of(vec![key(1, KeyState::Signing), key(2, KeyState::Signing)]);
    assert_eq!(both.to_string(), "key 2 is marked as signing, and so is key 1; one ed25519 key signs");
}

#[test]
fn a_seed_that_is_not_the_public_keys_is_refused() {
    let pair = KeyMaterial::Ed25519 { public: PublicKey::new([2; 32]), seed: Some(Secret::new([1; 32])) };
    let error = KeyFile::new(vec![KeyRecord { id: KeyId(1), key: pair, state: KeyState::Verify }]);
    assert_eq!(error.unwrap_err().code(), "bad_key");
}

#[test]
fn one_key_of_each_algorithm_may_sign() {
    let algorithms: Vec<_> = mixed().keys().iter().map(|key| key.key.algorithm()).collect();
    assert_eq!(algorithms, [Algorithm::HmacSha256, Algorithm::Ed25519]);
}

#[test]
fn keys_of_an_unknown_algorithm_are_left_out_and_unknown_fields_ignored() {
    let unknown = r#"{"id":"x","algorithm":"slh-dsa","secret":5}"#.to_owned();
    let known = hmac(4, "signing").replace('{', r#"{"made_at":[1,{}],"#);
    let file =
        KeyFile::parse(&file(&[unknown, known]).replace("\"keys\"", "\"version\":9,\"keys\"")).unwrap();
    assert_eq!(file.keys().iter().map(|key| key.id).collect::<Vec<_>>(), [KeyId(4)]);
}

#[test]
fn a_key_file_reads_back_as_it_was_written() {
    for file in [mixed(), mixed().for_verifiers(), mixed().public_only(), KeyFile::default()] {
        assert_eq!(KeyFile::parse(&file.to_json()).unwrap().to_json(), file.to_json());
    }
}

#[test]
fn verifiers_never_get_a_seed_and_strangers_never_a_secret() {
    let (secret, seed) = ("09".repeat(32), "0a".repeat(32));
    let shows = |file: &KeyFile| [file.to_json().contains(&secret), file.to_json().contains(&seed)];
    assert_eq!(shows(&mixed()), [true, true]);
    assert_eq!(shows(&mixed().for_verifiers()), [true, false]);
    assert_eq!(shows(&mixed().public_only()), [false, false]);
    assert_eq!(mixed().for_verifiers().keys().len(), 2);
    assert_eq!(mixed().public_only().keys().len(), 1);
}

#[test]
fn the_public_key_of_a_seed_is_the_one_of_rfc_8032() {
    // Section 7.1, test 1.
    let seed = crate::hex::decode_array("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let key = KeyMaterial::ed25519_from_seed(Secret::new(seed.unwrap())).unwrap();
    let KeyMaterial::Ed25519 { public, seed: Some(_) } = key else { panic!("{key:?}") };
    assert_eq!(public.to_hex(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

#[test]
fn what_is_nested_too_deep_is_refused_with_its_line() {
    let error = KeyFile::parse(&format!("{{\"keys\":\n{}", "[".repeat(100))).unwrap_err();
    assert_eq!((error.code(), error.line()), ("bad_json", Some(2)));
}
