//! Envelopes with what a client trusts and knows.

use serde::Serialize;
use serde_json::{Value, json};

use super::envelope::{Envelope, FIRST, PACK, SECOND, SIGNED_AT, hex, key, of, sha256, third};
use super::studio::release;

#[derive(Clone, Serialize)]
pub(super) struct Case {
    name: String,
    keys: Vec<Value>,
    known: Vec<Value>,
    pack: u64,
    envelope_hex: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
}

/// A client that trusts key 1, knows nothing and wants pack 42; and believes what it gets.
fn believed(name: &str, envelope: &Envelope) -> Case {
    Case {
        name: name.to_owned(),
        keys: vec![key(1, &FIRST)],
        known: Vec::new(),
        pack: PACK,
        envelope_hex: hex(&envelope.bytes()),
        result: "ok",
        counter: Some(envelope.counter),
        signed_at: Some(envelope.signed_at),
        manifest: Some(hex(&sha256(&envelope.manifest))),
    }
}

fn refused(name: &str, bytes: &[u8], result: &'static str) -> Case {
    let envelope_hex = hex(bytes);
    Case { envelope_hex, result, counter: None, signed_at: None, manifest: None, ..believed(name, &third()) }
}

impl Case {
    fn trusts(mut self, keys: &[Value]) -> Self {
        self.keys = keys.to_vec();
        self
    }

    fn knows(mut self, counter: u64, manifest: &[u8], key: u16) -> Self {
        let manifest = hex(&sha256(manifest));
        self.known.push(json!({"pack": PACK, "counter": counter, "manifest": manifest, "key": key}));
        self
    }
}

pub(super) fn cases() -> Vec<Case> {
    let third = third();
    let (sound, manifest) = (third.bytes(), third.manifest.clone());
    let before = release(PACK, &[7], &[160], 20).written();
    let with = |change: fn(&mut Envelope)| third.clone().with(change);
    let second_key = with(|it| it.key = 2).signed_by(&SECOND, DOMAIN);
    let mut cases = vec![
        believed("the golden case", &third),
        believed("the first release", &of(&manifest, 1)),
        believed("the highest counter", &of(&manifest, (1 << 53) - 1)),
        believed("the highest key id", &with(|it| it.key = 65_535)).trusts(&[key(65_535, &FIRST)]),
        believed("two keys are trusted", &third).trusts(&[key(1, &FIRST), key(2, &SECOND)]),
        believed("the release that is known", &third).knows(3, &manifest, 1),
        believed(
            "the release that is known, signed again",
            &with(|it| (it.counter, it.signed_at) = (4, SIGNED_AT + 9)),
        )
        .knows(3, &manifest, 1),
        believed("a newer release than the one that is known", &third).knows(2, &before, 1),
        believed("releases between were never seen", &of(&manifest, 900)).knows(2, &before, 1),
        believed("an older release published again", &of(&before, 4)).knows(3, &manifest, 1),
        believed("what is known of other packs does not count", &with(|_| ())),
        believed("what a key vouched for that is trusted no longer does not count", &third).knows(
            (1 << 53) - 1,
            &before,
            2,
        ),
        believed("the same number from a key that is trusted no longer does not count", &third)
            .knows(3, &before, 2),
        believed("signed in the first second", &with(|it| it.signed_at = 0)),
    ];
    let other = json!({"pack": 43, "counter": 99, "manifest": hex(&sha256(&before)), "key": 1});
    cases[10].known.push(other);

    let malformed = [
        ("nothing", Vec::new()),
        ("the magic alone", sound[..8].to_vec()),
        ("cut in the version", sound[..9].to_vec()),
        ("cut after the head", sound[..72].to_vec()),
        ("cut in the manifest", sound[..100].to_vec()),
        ("cut before the signature", sound[..sound.len() - 64].to_vec()),
        ("the last byte is missing", sound[..sound.len() - 1].to_vec()),
        ("one byte more", [sound.as_slice(), &[0]].concat()),
        ("the envelope twice", sound.repeat(2)),
        ("a sticker file's magic", with(|it| it.magic[4] = b'R').bytes()),
        ("line ends were changed", with(|it| it.magic[5] = b'\n').bytes()),
        (
            "a length that is one too small",
            with(|it| it.length = Some(u32::try_from(it.manifest.len() - 1).unwrap())).bytes(),
        ),
        (
            "a length that is one too large",
            with(|it| it.length = Some(u32::try_from(it.manifest.len() + 1).unwrap())).bytes(),
        ),
        ("a length of 4 GiB", with(|it| it.length = Some(u32::MAX)).bytes()),
        ("no manifest", with(|it| it.manifest.clear()).bytes()),
        ("pack 0", with(|it| it.pack = 0).bytes()),
        ("pack 2^53", with(|it| it.pack = 1 << 53).bytes()),
        ("counter 0", with(|it| it.counter = 0).bytes()),
        ("counter 2^53", with(|it| it.counter = 1 << 53).bytes()),
        ("the bare manifest", manifest.clone()),
    ];
    cases.extend(malformed.map(|(name, bytes)| refused(name, &bytes, "malformed")));
    let newer = with(|it| it.version = 2).bytes();
    let of_manifest = {
        // The manifest's version is its first field: a varint of one byte after the field's header.
        let mut manifest = manifest.clone();
        assert_eq!(manifest[..2], [0x15, 0x02]);
        manifest[1] = 0x04;
        of(&manifest, 3).bytes()
    };
    let mut flipped = sound.clone();
    *flipped.last_mut().unwrap() ^= 0x80;
    let signature = sound.len() - 64;
    let swapped =
        [&third.unsigned()[..], &of(&before, 3).bytes()[of(&before, 3).unsigned().len()..]].concat();
    cases.extend([
        refused("version 2", &newer, "unsupported_version"),
        refused("version 0", &with(|it| it.version = 0).bytes(), "unsupported_version"),
        refused("version 2, cut", &newer[..20], "unsupported_version"),
        refused("version 2 of the manifest", &of_manifest, "unsupported_version"),
        refused("no key is trusted", &sound, "unknown_key").trusts(&[]),
        refused("a key that is not trusted", &second_key, "unknown_key"),
        refused("a key that is trusted no longer", &sound, "unknown_key").trusts(&[key(2, &SECOND)]),
        refused("a key under another's id", &third.signed_by(&SECOND, DOMAIN), "bad_signature"),
        refused(
            "a trusted key under another trusted key's id",
            &third.signed_by(&SECOND, DOMAIN),
            "bad_signature",
        )
        .trusts(&[key(1, &FIRST), key(2, &SECOND)]),
        refused("another release's signature", &swapped, "bad_signature"),
        refused("no domain", &third.signed_by(&FIRST, b""), "bad_signature"),
        refused("a token's domain", &third.signed_by(&FIRST, b"sticker-token-v2"), "bad_signature"),
        refused("a signature of zeros", &[&sound[..signature], &[0; 64]].concat(), "bad_signature"),
        refused("a bit of the signature", &flipped, "bad_signature"),
        refused("another S of the signature", &malleated(&sound), "bad_signature"),
    ]);
    for (name, at) in [
        ("the key id", 11),
        ("the pack", 19),
        ("the counter", 27),
        ("the signing time", 35),
        ("the hash", 36),
        ("the manifest", 80),
    ] {
        let mut bytes = sound.clone();
        bytes[at] ^= 2;
        let result = if at == 11 { "unknown_key" } else { "bad_signature" };
        cases.push(refused(&format!("a bit of {name}"), &bytes, result));
    }
    cases.extend([
        refused("signed with another hash", &with(|it| it.sha256 = Some([7; 32])).bytes(), "bad_manifest"),
        refused("signed, and no manifest", &of(b"nothing", 3).bytes(), "bad_manifest"),
        refused(
            "signed with a byte after the manifest",
            &with(|it| it.manifest.push(0)).bytes(),
            "bad_manifest",
        ),
        refused(
            "signed under another pack than the manifest's",
            &with(|it| it.manifest = release(43, &[7], &[160], 30).written()).bytes(),
            "bad_manifest",
        ),
        refused(
            "another pack's release",
            &with(|it| (it.pack, it.manifest) = (43, release(43, &[8], &[160], 30).written())).bytes(),
            "wrong_pack",
        ),
        refused("an older release", &sound, "rollback").knows(4, &before, 1),
        refused("an older number of the same manifest", &sound, "rollback").knows(4, &manifest, 1),
        refused("an older release with another trusted key", &second_key, "rollback")
            .trusts(&[key(1, &FIRST), key(2, &SECOND)])
            .knows(4, &before, 1),
        refused("another manifest under a known number", &sound, "altered").knows(3, &before, 1),
        refused("the signature is looked at before the pack and the number", &flipped, "bad_signature")
            .knows(4, &before, 1),
    ]);
    cases
}

const DOMAIN: &[u8] = b"sticker-release-v1";

/// The same signature with S plus the order of the group: who only multiplies takes it too.
fn malleated(envelope: &[u8]) -> Vec<u8> {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap()).collect();
    let mut bytes = envelope.to_vec();
    let s = bytes.len() - 32;
    let mut carry = 0;
    for (byte, add) in bytes[s..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    bytes
}
