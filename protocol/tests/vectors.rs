//! The cases that every verifier must agree on, through this crate; and whether the file is what the generator writes.

#![expect(clippy::unwrap_used, reason = "a test outside of the functions that are marked as tests")]

use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::token::{DenyList, Expected, KeyFile, Keyring, LiveVerifier, RevocationPage, UserId};
use sticker_protocol::{StickerId, UnixSeconds};

#[path = "../examples/vectors/cases/all.rs"]
mod cases;

#[derive(Deserialize)]
struct File {
    tokens: Vec<Token>,
    rings: Vec<Ring>,
    feeds: Vec<Feed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    keys: Vec<Value>,
    revocations: Vec<Value>,
    text: String,
    now: u64,
    sticker: u64,
    user_hex: String,
    result: String,
    expires: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    name: String,
    file: String,
    result: String,
    ids: Option<Vec<u16>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feed {
    name: String,
    #[serde(default)]
    after: u64,
    page: String,
    result: String,
    cursor: Option<u64>,
    more: Option<bool>,
    entries: Option<usize>,
}

const TEXT: &str = include_str!("../vectors/tokens.json");

fn file() -> File {
    serde_json::from_str(TEXT).unwrap()
}

#[test]
fn the_file_is_what_the_generator_writes() {
    let made = cases::file();
    let differs = TEXT.lines().zip(made.lines()).find(|(file, made)| file != made);
    assert_eq!(differs, None, "run: cargo run -p sticker-protocol --example vectors");
    assert_eq!(TEXT.len(), made.len());
}

#[test]
fn each_case_has_a_name_of_its_own() {
    let file = file();
    let lists: [Vec<String>; 3] = [
        file.tokens.into_iter().map(|case| case.name).collect(),
        file.rings.into_iter().map(|case| case.name).collect(),
        file.feeds.into_iter().map(|case| case.name).collect(),
    ];
    for mut names in lists {
        names.sort();
        assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    }
}

#[test]
fn each_token_gets_its_code_from_the_ring_and_from_a_running_verifier() {
    let (mut accepted, cases) = (0, file().tokens);
    let mut wrong = Vec::new();
    for case in &cases {
        let keys = KeyFile::parse(&json!({"keys": case.keys}).to_string()).unwrap();
        let page = json!({"revocations": case.revocations, "cursor": 9, "more": false}).to_string();
        let page = RevocationPage::parse(page.as_bytes()).unwrap();
        let user = UserId::from_hex(&case.user_hex).unwrap();
        let expected = Expected { sticker: StickerId::new(case.sticker).unwrap(), user };
        let now = UnixSeconds(case.now);
        let mut denied = DenyList::new();
        page.revocations.iter().for_each(|revocation| denied.apply(revocation));

        let result = Keyring::new(&keys).verify(&case.text, now, &expected, &denied);
        // This one forgets what has expired.
        let live = LiveVerifier::new();
        live.take_keyring(&keys, now);
        live.take_revocations(&page, now).unwrap();
        assert_eq!(live.verify(&case.text, now, &expected), result, "{}", case.name);

        let (code, expires) = result.map_or_else(|refusal| (refusal.code(), None), |at| ("ok", Some(at.0)));
        if (code, expires) != (case.result.as_str(), case.expires) {
            wrong.push(format!(
                "{}: {code} {expires:?} instead of {} {:?}",
                case.name, case.result, case.expires
            ));
        }
        accepted += usize::from(code == "ok");
    }
    println!("{} tokens, {accepted} of them accepted", cases.len());
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_key_file_gets_its_code_or_its_keys() {
    let cases = file().rings;
    for case in &cases {
        let (code, ids) = match KeyFile::parse(&case.file) {
            Ok(file) => {
                let mut ids: Vec<_> = file.keys().iter().map(|key| key.id.0).collect();
                ids.sort_unstable();
                ("ok", Some(ids))
            }
            Err(error) => (error.code(), None),
        };
        assert_eq!((code, &ids), (case.result.as_str(), &case.ids), "{}", case.name);
    }
    println!("{} key files", cases.len());
}

#[test]
fn each_page_of_the_feed_is_taken_or_refused_as_a_whole() {
    let cases = file().feeds;
    for case in &cases {
        let live = LiveVerifier::new();
        let (now, nothing) = (UnixSeconds(0), Vec::new());
        let before = RevocationPage { revocations: nothing, cursor: case.after, more: false };
        live.take_revocations(&before, now).unwrap();
        let taken = RevocationPage::parse(case.page.as_bytes())
            .and_then(|page| live.take_revocations(&page, now).map(|()| page));
        let entries = live.freshness(now).entries;
        assert!(taken.is_ok() || (live.cursor(), entries) == (case.after, 0), "{}", case.name);
        let says = match taken {
            Ok(page) => ("ok", Some((page.cursor, page.more, page.revocations.len()))),
            Err(error) => (error.code(), None),
        };
        let expected = case
            .cursor
            .zip(case.more)
            .zip(case.entries)
            .map(|((cursor, more), entries)| (cursor, more, entries));
        assert_eq!(says, (case.result.as_str(), expected), "{}", case.name);
    }
    println!("{} pages of the feed", cases.len());
}
