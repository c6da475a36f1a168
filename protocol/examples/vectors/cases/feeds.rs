//! Pages of the deny feed, as texts.

use serde::Serialize;

use super::build::hex;

#[derive(Serialize)]
pub(super) struct Feed {
    name: &'static str,
    /// The cursor that was asked after.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    page: String,
    result: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    says: Option<Says>,
}

#[derive(Serialize)]
struct Says {
    cursor: u64,
    more: bool,
    entries: usize,
}

const PAGE: &str = r#"{"revocations":[{"cursor":18,"user_hex":"616c696365","sticker_ids":[11,12],"refuse_until":1800086400}],"cursor":18,"more":false}"#;

fn ok(name: &'static str, page: impl Into<String>, cursor: u64, more: bool, entries: usize) -> Feed {
    Feed { name, after: None, page: page.into(), result: "ok", says: Some(Says { cursor, more, entries }) }
}

fn refused(name: &'static str, page: impl Into<String>) -> Feed {
    Feed { name, after: None, page: page.into(), result: "bad_page", says: None }
}

/// The same as an answer to who asked after this cursor.
fn after(after: u64, feed: Feed) -> Feed {
    Feed { after: Some(after), ..feed }
}

fn changed(part: &str, by: &str) -> String {
    assert!(PAGE.contains(part), "{part}");
    PAGE.replacen(part, by, 1)
}

pub(super) fn cases() -> Vec<Feed> {
    let user = |bytes: &[u8]| changed(r#""616c696365""#, &format!("\"{}\"", hex(bytes)));
    let entries = |list: &str| format!(r#"{{"revocations":[{list}],"cursor":20,"more":true}}"#);
    let entry = &PAGE[16..PAGE.len() - 27];
    let last_cursor = |by: &str| PAGE.replace(r#""cursor":18,"more""#, &format!(r#""cursor":{by},"more""#));
    let mut cases = vec![
        ok("the page of the specification", PAGE, 18, false, 1),
        ok("an empty page at the beginning", r#"{"revocations":[],"cursor":0,"more":false}"#, 0, false, 0),
        ok("an empty page whose cursor moved", r#"{"revocations":[],"cursor":7,"more":true}"#, 7, true, 0),
        ok("two entries and more", entries(&format!("{entry},{entry}")), 20, true, 2),
        ok("a cursor past the last entry", last_cursor("100"), 100, false, 1),
        ok("the highest cursor", last_cursor("9007199254740991"), 9_007_199_254_740_991, false, 1),
        ok("every user", changed(r#""616c696365""#, "null"), 18, false, 1),
        ok(
            "unknown fields in the entry and in the page",
            PAGE.replace(r#""cursor":18"#, r#""cursor":18,"reason":{"cursor":"x"}"#),
            18,
            false,
            1,
        ),
        ok("a user of upper-case digits", changed("616c696365", "616C696365"), 18, false, 1),
        ok("a user of 1 byte", user(&[0]), 18, false, 1),
        ok("a user of 128 bytes", user(&[255; 128]), 18, false, 1),
        ok("refused until 0", changed("1800086400", "0"), 18, false, 1),
        ok("refused until the last expiry", changed("1800086400", "4294967295"), 18, false, 1),
        ok("the lowest and the highest sticker", changed("[11,12]", "[1,9007199254740991]"), 18, false, 1),
        ok("one sticker twice", changed("[11,12]", "[11,11]"), 18, false, 1),
        ok(
            "200 stickers",
            changed(
                "[11,12]",
                &format!("[{}]", (1..=200).map(|id| id.to_string()).collect::<Vec<_>>().join(",")),
            ),
            18,
            false,
            1,
        ),
        ok(
            "fields in another order and white space",
            " {\n\"more\" : false ,\r\n\t\"cursor\":3,\"revocations\" : [ ] } \n",
            3,
            false,
            0,
        ),
        ok("escapes in names", changed("more", "m\\u006fre"), 18, false, 1),
    ];
    cases.extend([
        refused("nothing", ""),
        refused("a byte order mark", format!("\u{feff}{PAGE}")),
        refused("cut off", &PAGE[..PAGE.len() - 1]),
        refused("something after the end", format!("{PAGE}{PAGE}")),
        refused("an array", format!("[{PAGE}]")),
        refused("an array of the fields", "[[],18,false]"),
        refused("null", "null"),
        refused("an error of the store", r#"{"error":{"code":"cursor_ahead","message":"","request_id":""}}"#),
        refused("a comma after the last entry", changed("}],", "},],")),
        refused("no revocations", r#"{"cursor":18,"more":false}"#),
        refused("revocations null", r#"{"revocations":null,"cursor":18,"more":false}"#),
        refused("revocations that are an object", r#"{"revocations":{},"cursor":18,"more":false}"#),
        refused("an entry null", entries("null")),
        refused("an entry that is an array of the fields", entries(r#"[18,"616c696365",[11],1800086400]"#)),
        refused("a good entry and one that is a number", entries(&format!("{entry},18"))),
        refused("no cursor", r#"{"revocations":[],"more":false}"#),
        refused("a cursor null", last_cursor("null")),
        refused("a cursor of -1", last_cursor("-1")),
        refused("a cursor of 1.5", last_cursor("1.5")),
        refused("a cursor of 2^53", last_cursor("9007199254740992")),
        refused("a cursor of 2^64 + 18", last_cursor("18446744073709551634")),
        refused("a cursor of -0", last_cursor("-0")),
        refused("a cursor of 1e1", last_cursor("1e1")),
        refused("a cursor of 21 digits", last_cursor("100000000000000000000")),
        refused("a cursor in quotes", last_cursor("\"18\"")),
        refused("no more", r#"{"revocations":[],"cursor":18}"#),
        refused("more null", changed("false", "null")),
        refused("more in quotes", changed("false", "\"false\"")),
        refused("more that is a number", changed("false", "0")),
        refused("an entry without its cursor", changed(r#"{"cursor":18,"user"#, r#"{"user"#)),
        refused("an entry's cursor of -1", changed("18", "-1")),
        refused("an entry's cursor of 2^53", changed("18", "9007199254740992")),
        refused("an entry's cursor in quotes", changed("18", "\"18\"")),
        refused("no user_hex, which is not every user", changed(r#""user_hex":"616c696365","#, "")),
        refused("an empty user", changed("616c696365", "")),
        refused("a user of 129 bytes", user(&[7; 129])),
        refused("a user of an odd number of digits", changed("616c696365", "616c69636")),
        refused("a user with another letter", changed("616c696365", "616c69636g")),
        refused("a user with a space", changed("616c696365", " 616c69636")),
        refused("a user that is a number", changed(r#""616c696365""#, "616")),
        refused("a user of -0, which is not every user", changed(r#""616c696365""#, "-0")),
        refused(
            "a user of 21 digits, which is not every user",
            changed(r#""616c696365""#, "123456789012345678901"),
        ),
        refused("a user of 1e1", changed(r#""616c696365""#, "1e1")),
        refused("a user that is false", changed(r#""616c696365""#, "false")),
        refused("no sticker_ids", changed(r#""sticker_ids":[11,12],"#, "")),
        refused("sticker_ids null, which is not every sticker", changed("[11,12]", "null")),
        refused("sticker_ids that are a number", changed("[11,12]", "11")),
        refused("sticker 0", changed("[11,12]", "[11,0]")),
        refused("sticker -0", changed("[11,12]", "[-0]")),
        refused("sticker 11.0", changed("[11,12]", "[11.0]")),
        refused("a sticker of 21 digits", changed("[11,12]", "[100000000000000000011]")),
        refused("sticker -1", changed("[11,12]", "[-1]")),
        refused("sticker 2^53", changed("[11,12]", "[9007199254740992]")),
        refused("sticker 1.5", changed("[11,12]", "[1.5]")),
        refused("a sticker in quotes", changed("[11,12]", "[\"11\"]")),
        refused("a sticker null", changed("[11,12]", "[11,null]")),
        refused("no refuse_until", changed(r#","refuse_until":1800086400"#, "")),
        refused("refuse_until null, which is not for ever", changed("1800086400", "null")),
        refused("refuse_until -0", changed("1800086400", "-0")),
        refused("refuse_until of 21 digits", changed("1800086400", "180008640018000864001")),
        refused("refuse_until -1", changed("1800086400", "-1")),
        refused("refuse_until 2^32", changed("1800086400", "4294967296")),
        refused("refuse_until 1.5", changed("1800086400", "1.5")),
        refused("refuse_until in quotes", changed("1800086400", "\"1800086400\"")),
        refused("refuse_until as a date", changed("1800086400", "\"2027-01-16T08:00:00Z\"")),
        refused("an unknown field that is nested 65 deep", deep(64)),
        refused("an unknown field that is nested 5,000 deep", deep(5_000)),
    ]);
    cases.push(ok("an unknown field that is nested 64 deep", deep(63), 18, false, 1));
    cases.extend([
        after(17, ok("a page that moves on", PAGE, 18, false, 1)),
        after(18, ok("a page that stays and is the last", PAGE, 18, false, 1)),
        after(17, ok("a page that moves on and has more", changed("false", "true"), 18, true, 1)),
        after(18, refused("a page that stays and has more", changed("false", "true"))),
        after(19, refused("a page that goes back", PAGE)),
        after(20, refused("a page that goes back and has more", changed("false", "true"))),
        after(9_007_199_254_740_991, refused("a page that goes back from the highest cursor", PAGE)),
    ]);
    cases
}

/// The page with an unknown field of this many arrays in each other, one level deeper than the page itself.
fn deep(arrays: usize) -> String {
    let nested = format!("{}{}", "[".repeat(arrays), "]".repeat(arrays));
    changed(r#""more":false"#, &format!(r#""more":false,"later":{nested}"#))
}
