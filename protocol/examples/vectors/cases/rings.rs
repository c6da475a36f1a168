//! Key files, as texts.

use serde::Serialize;

use super::build::{SECRET, SEED, hex, public};

#[derive(Serialize)]
pub(super) struct Ring {
    name: &'static str,
    file: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<u16>>,
}

fn ok(name: &'static str, file: impl Into<String>, ids: &[u16]) -> Ring {
    Ring { name, file: file.into(), result: "ok", ids: Some(ids.to_vec()) }
}

fn refused(code: &'static str, name: &'static str, file: impl Into<String>) -> Ring {
    Ring { name, file: file.into(), result: code, ids: None }
}

fn file(keys: &[String]) -> String {
    format!("{{\"keys\":[\n  {}]}}", keys.join(",\n  "))
}

/// An HMAC key whose id is any JSON.
fn hmac(id: &str, state: &str) -> String {
    format!(r#"{{"id":{id},"secret":"{}","state":"{state}"}}"#, hex(&SECRET))
}

fn ed25519(id: &str, state: &str) -> String {
    format!(r#"{{"id":{id},"algorithm":"ed25519","public":"{}","state":"{state}"}}"#, hex(&public(&SEED)))
}

/// A file of one HMAC key with a part replaced.
fn changed(part: &str, by: &str) -> String {
    let key = hmac("3", "signing");
    assert!(key.contains(part), "{part}");
    file(&[key.replace(part, by)])
}

/// A key with an unknown field of this many arrays in each other, three levels deeper than the arrays themselves.
fn deep(arrays: usize) -> String {
    let nested = format!("{}{}", "[".repeat(arrays), "]".repeat(arrays));
    changed(r#""id":3"#, &format!(r#""id":3,"later":{nested}"#))
}

/// The same of one Ed25519 key.
fn changed_ed25519(part: &str, by: &str) -> String {
    let key = ed25519("4", "signing");
    assert!(key.contains(part), "{part}");
    file(&[key.replace(part, by)])
}

pub(super) fn cases() -> Vec<Ring> {
    let (secret, public) = (hex(&SECRET), hex(&public(&SEED)));
    let quoted = format!("\"{secret}\"");
    let one = file(&[hmac("3", "signing")]);
    let with_key = |algorithm: &str| changed(r#""id":3"#, &format!(r#""id":3,"algorithm":{algorithm}"#));
    let mut cases = vec![
        ok("one HMAC key", one.clone(), &[3]),
        ok("one Ed25519 key", file(&[ed25519("4", "signing")]), &[4]),
        ok("both sign", file(&[hmac("3", "signing"), ed25519("4", "signing")]), &[3, 4]),
        ok("no key", r#"{"keys":[]}"#, &[]),
        ok(
            "no key signs",
            file(&[hmac("1", "verify"), hmac("2", "published"), ed25519("4", "verify")]),
            &[1, 2, 4],
        ),
        ok(
            "a rotation of both",
            file(
                &["1", "2", "3"]
                    .map(|id| hmac(id, ["", "verify", "signing", "published"][id.parse::<usize>().unwrap()])),
            ),
            &[1, 2, 3],
        ),
        ok(
            "ids in no order",
            file(&[hmac("9", "verify"), ed25519("4", "signing"), hmac("3", "signing")]),
            &[3, 4, 9],
        ),
        ok(
            "the lowest and the highest id",
            file(&[hmac("0", "signing"), hmac("65535", "verify")]),
            &[0, 65_535],
        ),
        ok("the algorithm by name", with_key(r#""hmac-sha256""#), &[3]),
        ok("hexadecimal digits in upper case", changed(&secret, &secret.to_uppercase()), &[3]),
        ok(
            "hexadecimal digits of both cases in an Ed25519 key",
            changed_ed25519(&public, &format!("{}{}", public[..32].to_uppercase(), &public[32..])),
            &[4],
        ),
        ok(
            "the issuer's own file with the seed",
            changed_ed25519(r#""public""#, &format!(r#""secret":"{}","public""#, hex(&SEED))),
            &[4],
        ),
        ok(
            "unknown fields in the key and in the file",
            format!(
                r#"{{"version":[1,{{"keys":[]}}],{}"#,
                &changed(r#""id":3"#, r#""made_at":"today","id":3,"not_after":null"#)[1..]
            ),
            &[3],
        ),
        ok(
            "an HMAC key with a field public, which is not its own",
            changed(r#""id":3"#, r#""id":3,"public":7"#),
            &[3],
        ),
        ok("an unknown field of a key that is nested 64 deep", deep(61), &[3]),
        ok("a key of an unknown algorithm is left out", with_key(r#""ml-dsa-44""#), &[]),
        ok(
            "a known key beside one of an unknown algorithm",
            file(&[
                hmac("3", "signing"),
                r#"{"id":5,"algorithm":"ml-dsa-44","public":"00","state":"signing"}"#.to_owned(),
            ]),
            &[3],
        ),
        ok(
            "a key of an unknown algorithm with fields of other kinds",
            r#"{"keys":[{"id":"five","algorithm":"new","secret":[],"state":0}]}"#,
            &[],
        ),
        ok("the algorithm in upper case is another", with_key(r#""HMAC-SHA256""#), &[]),
        ok("an empty algorithm is another", with_key(r#""""#), &[]),
        ok("an algorithm null is another", with_key("null"), &[]),
        ok("an algorithm that is a number is another", with_key("1"), &[]),
        ok(
            "white space of every kind around everything",
            format!(" \r\n\t{}\n\n", one.replace(',', " ,\t").replace(':', "\r\n: ")),
            &[3],
        ),
        ok(
            "escapes in names and values",
            changed(r#""state":"signing""#, r#""st\u0061te":"sign\u0069ng""#),
            &[3],
        ),
        ok(
            "names within unknown fields do not count",
            changed(r#""id":3"#, r#""id":3,"was":{"id":3,"state":"signing"}"#),
            &[3],
        ),
    ];
    let bad_json = [
        ("an unknown field of a key that is nested 65 deep", deep(62)),
        ("an unknown field of a key that is nested 5,000 deep", deep(5_000)),
        ("nothing", String::new()),
        ("white space alone", " \n".to_owned()),
        ("a byte order mark", format!("\u{feff}{one}")),
        ("a comment", format!("// keys\n{one}")),
        ("a comma after the last key", one.replace("]}", ",]}")),
        ("a comma after the last field", one.replace("}]", ",}]")),
        ("single quotes", one.replace('"', "'")),
        ("names without quotes", one.replace("\"id\"", "id")),
        ("cut off", one[..one.len() - 2].to_owned()),
        ("something after the end", format!("{one}{one}")),
        ("an array", format!("[{one}]")),
        ("a text", "\"keys\"".to_owned()),
        ("null", "null".to_owned()),
        ("an object without keys", "{}".to_owned()),
        ("Keys in another case", one.replace("keys", "Keys")),
        ("keys null", r#"{"keys":null}"#.to_owned()),
        ("keys that are an object", format!(r#"{{"keys":{{"3":{}}}}}"#, hmac("3", "signing"))),
        ("keys that are a text", r#"{"keys":"none"}"#.to_owned()),
        ("a key null", r#"{"keys":[null]}"#.to_owned()),
        ("a key that is a number", r#"{"keys":[3]}"#.to_owned()),
        (
            "a key that is an array of the fields",
            format!(r#"{{"keys":[[3,"hmac-sha256",{quoted},null,"signing"]]}}"#),
        ),
        ("a file that is an array of the fields", format!("[[{}]]", hmac("3", "signing"))),
        ("a NUL at the end", format!("{one}\0")),
        ("a line feed within a text", one.replace("signing", "sign\ning")),
        ("an id with a zero before it", file(&[hmac("03", "signing")])),
        ("an id with a plus", file(&[hmac("+3", "signing")])),
        ("an id in hexadecimal", file(&[hmac("0x3", "signing")])),
        ("an id that is not a number", file(&[hmac("NaN", "signing")])),
    ];
    cases.extend(bad_json.map(|(name, file)| refused("bad_json", name, file)));
    let bad_id = [
        ("an id of 65,536", "65536"),
        ("an id of -1", "-1"),
        ("an id of 1.5", "1.5"),
        ("an id of 2^32 + 3", "4294967299"),
        ("an id of 2^64 + 3", "18446744073709551619"),
        ("an id in quotes", "\"3\""),
        ("an id null", "null"),
        ("an id true", "true"),
        ("an id that is an array", "[3]"),
        ("an id that is an object", "{\"id\":3}"),
    ];
    cases.extend(bad_id.map(|(name, id)| refused("bad_id", name, file(&[hmac(id, "signing")]))));
    cases.push(refused("bad_id", "no id", changed(r#""id":3,"#, "")));
    cases.push(refused("bad_id", "no id in an Ed25519 key", changed_ed25519(r#""id":4,"#, "")));
    for (name, by) in [
        ("an unknown state", r#","state":"sleeping""#),
        ("an empty state", r#","state":"""#),
        ("a state in upper case", r#","state":"Signing""#),
        ("a state with a space", r#","state":"signing ""#),
        ("a state null", r#","state":null"#),
        ("a state that is a number", r#","state":1"#),
        ("a state that is an object", r#","state":{"signing":null}"#),
        ("no state", ""),
    ] {
        cases.push(refused("bad_state", name, changed(r#","state":"signing""#, by)));
    }
    for (name, by) in [
        ("a secret of 63 digits", format!("\"{}\"", &secret[..63])),
        ("a secret of 65 digits", format!("\"{secret}0\"")),
        ("a secret of 31 bytes, which HMAC would take", format!("\"{}\"", &secret[..62])),
        ("a secret of 33 bytes that ends in zero, which HMAC takes for the same", format!("\"{secret}00\"")),
        ("a secret of 64 bytes, a block of the hash", format!("\"{secret}{secret}\"")),
        ("a secret of 65 bytes, which HMAC would hash", format!("\"{secret}{secret}00\"")),
        ("an empty secret", "\"\"".to_owned()),
        ("a secret with another letter", quoted.replace('f', "g")),
        ("a secret after 0x", format!("\"0x{}\"", &secret[2..])),
        ("a secret with a space", format!("\"{} \"", &secret[..63])),
        ("a secret with a line feed at the end", format!("\"{secret}\\n\"")),
        ("a secret with a sign", format!("\"+{}\"", &secret[1..])),
        ("a secret in full-width digits", format!("\"{}\"", "\u{ff10}".repeat(64))),
        ("a secret in base64", "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"".to_owned()),
        ("a secret null", "null".to_owned()),
        ("a secret that is a number", "1".repeat(64)),
        ("a secret that is an array of bytes", "[0,1,2]".to_owned()),
    ] {
        cases.push(refused("bad_key", name, changed(&quoted, &by)));
    }
    let public_field = format!(r#""public":"{public}""#);
    for (name, by) in [
        ("no public key", r#""private":1"#.to_owned()),
        ("a public key in the wrong field", format!(r#""secret":"{public}""#)),
        ("a public key null", r#""public":null"#.to_owned()),
        ("a public key of 31 bytes", format!(r#""public":"{}""#, &public[2..])),
        ("a public key of 33 bytes", format!(r#""public":"{public}00""#)),
        ("a public key with another letter", format!(r#""public":"{}x""#, &public[1..])),
        ("a seed too short", format!(r#"{public_field},"secret":"00""#)),
        ("a seed null", format!(r#"{public_field},"secret":null"#)),
    ] {
        cases.push(refused("bad_key", name, changed_ed25519(&public_field, &by)));
    }
    cases.extend([
        refused("bad_key", "no secret", changed(&format!(r#""secret":{quoted},"#), "")),
        refused("bad_key", "an HMAC key with a public key alone", changed("secret", "public")),
        refused("duplicate_id", "one id twice", file(&[hmac("3", "signing"), hmac("3", "verify")])),
        refused(
            "duplicate_id",
            "one id twice, the same key",
            file(&[hmac("3", "verify"), hmac("3", "verify")]),
        ),
        refused(
            "duplicate_id",
            "one id for keys of two algorithms",
            file(&[hmac("3", "signing"), ed25519("3", "signing")]),
        ),
        refused(
            "duplicate_id",
            "one id first and last",
            file(&[hmac("3", "signing"), hmac("4", "verify"), hmac("3", "verify")]),
        ),
        refused("two_signing", "two HMAC keys sign", file(&[hmac("3", "signing"), hmac("4", "signing")])),
        refused(
            "two_signing",
            "two Ed25519 keys sign",
            file(&[ed25519("3", "signing"), ed25519("4", "signing")]),
        ),
        refused(
            "two_signing",
            "two of three keys sign",
            file(&[hmac("1", "signing"), ed25519("2", "signing"), hmac("3", "signing")]),
        ),
    ]);
    cases
}
