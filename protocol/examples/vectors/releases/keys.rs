//! Files of the keys that a client trusts.

use serde::Serialize;
use serde_json::json;

use super::envelope::{FIRST, SECOND, key, public};

#[derive(Serialize)]
pub(super) struct Case {
    name: &'static str,
    file: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<u16>>,
}

pub(super) fn cases() -> Vec<Case> {
    let (first, second) = (key(1, &FIRST).to_string(), key(2, &SECOND).to_string());
    let file = |keys: &[&str]| format!("{{\"keys\":[{}]}}", keys.join(","));
    let one = file(&[&first]);
    let changed = |from: &str, to: &str| {
        assert!(one.contains(from), "{from}");
        one.replace(from, to)
    };
    let ok = |name, file: String, ids: &[u16]| Case { name, file, result: "ok", ids: Some(ids.to_vec()) };
    let refused = |name, file: String, result| Case { name, file, result, ids: None };
    let digits = public(&FIRST);
    let id = r#""id":1"#;
    vec![
        ok("one key", one.clone(), &[1]),
        ok("two keys", file(&[&second, &first]), &[1, 2]),
        ok("no key", file(&[]), &[]),
        ok("one key under two ids", file(&[&first, &key(2, &FIRST).to_string()]), &[1, 2]),
        ok(
            "the lowest and the highest id",
            file(&[&key(0, &FIRST).to_string(), &key(65_535, &SECOND).to_string()]),
            &[0, 65_535],
        ),
        ok("digits in upper case", changed(&digits, &digits.to_uppercase()), &[1]),
        ok("unknown fields", changed(id, r#""id":1,"state":"signing","note":{"keys":[1]}"#), &[1]),
        ok(
            "an unknown algorithm is left out",
            file(&[&first, r#"{"id":"x","algorithm":"ml-dsa-44"}"#]),
            &[1],
        ),
        ok(
            "without an algorithm it is left out",
            file(&[&json!({"id": 1, "public": digits}).to_string()]),
            &[],
        ),
        ok("the algorithm in upper case is another", changed("ed25519", "ED25519"), &[]),
        refused("nothing", String::new(), "bad_json"),
        refused("an array", format!("[{first}]"), "bad_json"),
        refused("a bare key", first.clone(), "bad_json"),
        refused("keys that are no array", r#"{"keys":{}}"#.to_owned(), "bad_json"),
        refused("keys that are null", r#"{"keys":null}"#.to_owned(), "bad_json"),
        refused("a key that is no object", file(&["1"]), "bad_json"),
        refused("a key that is an array", file(&[&format!("[1,\"ed25519\",\"{digits}\"]")]), "bad_json"),
        refused("something after the object", format!("{one}1"), "bad_json"),
        refused(
            "nested 5,000 deep",
            changed(id, &format!("\"id\":1,\"x\":{}{}", "[".repeat(5_000), "]".repeat(5_000))),
            "bad_json",
        ),
        refused("id -1", changed(id, r#""id":-1"#), "bad_id"),
        refused("id 65536", changed(id, r#""id":65536"#), "bad_id"),
        refused("id 1.0", changed(id, r#""id":1.0"#), "bad_id"),
        refused("an id in quotes", changed(id, r#""id":"1""#), "bad_id"),
        refused("no id", changed(r#","id":1"#, ""), "bad_id"),
        refused("an odd number of digits", changed(&digits, &digits[1..]), "bad_key"),
        refused("31 bytes", changed(&digits, &digits[2..]), "bad_key"),
        refused("33 bytes", changed(&digits, &format!("{digits}00")), "bad_key"),
        refused("a letter that is no digit", changed(&digits, &format!("g{}", &digits[1..])), "bad_key"),
        refused("no public key", file(&[r#"{"id":1,"algorithm":"ed25519"}"#]), "bad_key"),
        refused("the public key null", changed(&format!("\"{digits}\""), "null"), "bad_key"),
        refused("one id twice", file(&[&first, &key(1, &SECOND).to_string()]), "duplicate_id"),
        refused("one key twice", file(&[&first, &first]), "duplicate_id"),
    ]
}
