//! The cases of signed releases, through this crate; and whether the file is what the generator writes.

#![expect(clippy::unwrap_used, reason = "a test outside of the functions that are marked as tests")]

use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::PackId;
use sticker_protocol::release::signed::{
    FileRefusal, KnownReleases, ReleaseKeys, ReleaseRefusal, TrustedRelease, UntrustedRelease,
};

#[path = "../examples/vectors/releases/all.rs"]
mod releases;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    files_of: FilesOf,
    envelopes: Vec<Case>,
    files: Vec<Listed>,
    key_files: Vec<Keys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesOf {
    keys: Vec<Value>,
    pack: PackId,
    envelope_hex: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    keys: Vec<Value>,
    known: Vec<Value>,
    pack: PackId,
    envelope_hex: String,
    result: String,
    counter: Option<u64>,
    signed_at: Option<u64>,
    manifest: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    path: String,
    file_hex: String,
    result: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: String,
    file: String,
    result: String,
    ids: Option<Vec<u16>>,
}

const TEXT: &str = include_str!("../vectors/releases.json");

fn file() -> File {
    serde_json::from_str(TEXT).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn verified(
    envelope: &[u8],
    keys: &[Value],
    known: &[Value],
    pack: PackId,
) -> Result<TrustedRelease, ReleaseRefusal> {
    let keys = ReleaseKeys::parse(&json!({ "keys": keys }).to_string()).unwrap();
    let known = KnownReleases::parse(&json!({ "packs": known }).to_string()).unwrap();
    UntrustedRelease::read(envelope)?.verify(&keys, &known, pack)
}

#[test]
fn the_file_is_what_the_generator_writes() {
    let made = releases::file();
    let differs = TEXT.lines().zip(made.lines()).position(|(file, made)| file != made);
    assert_eq!(differs, None, "run: cargo run -p sticker-protocol --example vectors");
    assert_eq!(TEXT.len(), made.len());
}

#[test]
fn each_case_has_a_name_of_its_own() {
    let file = file();
    let lists: [Vec<String>; 3] = [
        file.envelopes.into_iter().map(|case| case.name).collect(),
        file.files.into_iter().map(|case| case.name).collect(),
        file.key_files.into_iter().map(|case| case.name).collect(),
    ];
    for mut names in lists {
        names.sort();
        assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    }
}

#[test]
fn each_envelope_gets_its_code_or_is_believed() {
    let cases = file().envelopes;
    for case in &cases {
        let verified = verified(&bytes(&case.envelope_hex), &case.keys, &case.known, case.pack);
        let said = verified.as_ref().map_or_else(|refusal| refusal.code(), |_| "ok");
        assert_eq!(said, case.result, "{}", case.name);
        let release = verified.ok();
        assert_eq!(release.as_ref().map(|release| release.counter().get()), case.counter, "{}", case.name);
        let signed_at = release.as_ref().map(|release| release.statement().signed_at.0);
        assert_eq!(signed_at, case.signed_at, "{}", case.name);
        assert_eq!(release.map(|release| release.id().to_string()), case.manifest, "{}", case.name);
    }
    println!("{} envelopes", cases.len());
}

#[test]
fn each_file_is_what_the_release_lists_or_gets_its_code() {
    let File { files_of, files, .. } = file();
    let release = verified(&bytes(&files_of.envelope_hex), &files_of.keys, &[], files_of.pack).unwrap();
    for case in &files {
        let checked = release.check_path(&case.path, &bytes(&case.file_hex));
        let said = checked.map_or_else(FileRefusal::code, |()| "ok");
        assert_eq!(said, case.result, "{}", case.name);
    }
    println!("{} files", files.len());
}

#[test]
fn each_file_of_keys_gets_its_code_or_its_keys() {
    let cases = file().key_files;
    for case in &cases {
        let (said, ids) = match ReleaseKeys::parse(&case.file) {
            Ok(keys) => {
                assert_eq!(ReleaseKeys::parse(&keys.to_json()).as_ref(), Ok(&keys), "{}", case.name);
                ("ok", Some(keys.iter().map(|(id, _)| id.0).collect::<Vec<_>>()))
            }
            Err(error) => (error.code(), None),
        };
        assert_eq!((said, &ids), (case.result.as_str(), &case.ids), "{}", case.name);
    }
    println!("{} files of keys", cases.len());
}
