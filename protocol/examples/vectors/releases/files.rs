//! Files that a believed release vouches for, or does not.

use serde::Serialize;
use sticker_protocol::bundle::{self, Bundle};
use sticker_protocol::{Density, PackId, Sha256, StickerId};

use super::envelope::{FIRST, PACK, hex, key, of};
use super::studio::{Release, release, square};

/// The release that every case is about: pack 42 with the stickers 7 and 8 at 160 and 320.
#[derive(Serialize)]
pub(super) struct Of {
    keys: Vec<serde_json::Value>,
    pack: u64,
    envelope_hex: String,
}

#[derive(Serialize)]
pub(super) struct Case {
    name: &'static str,
    path: &'static str,
    file_hex: String,
    result: &'static str,
}

pub(super) fn cases() -> (Of, Vec<Case>) {
    let (mut ours, earlier) =
        (release(PACK, &[7, 8], &[160, 320], 30), release(PACK, &[7, 8], &[160, 320], 20));
    let others = release(43, &[7, 8], &[160, 320], 30);
    // Signed although it contradicts itself: sticker 8's bytes as the poster's, and a master that says it is sticker 9's.
    let wrong =
        square(PackId::new(PACK).unwrap(), StickerId::new(9).unwrap(), Density::new(640).unwrap(), 30);
    let listed =
        ours.manifest.files.iter_mut().find(|file| file.path.as_str() == "master/8.sticker").unwrap();
    (listed.size, listed.sha256) = (wrong.len() as u64, Sha256::of(&wrong));
    let file = |of: &Release, path: &str| of.files[path].clone();
    let sticker = file(&ours, "160/7.sticker");
    let case = |name, path, bytes: &[u8], result| Case { name, path, file_hex: hex(bytes), result };
    let ok = |name, path: &'static str| case(name, path, &ours.files[path], "ok");
    let mut bit = sticker.clone();
    *bit.last_mut().unwrap() ^= 1;
    let cases = vec![
        ok("a sticker file", "160/7.sticker"),
        ok("a bundle", "320/42.zip"),
        ok("a master", "master/7.sticker"),
        ok("a poster", "web/7.poster.webp"),
        case("a path that is not in the release", "240/7.sticker", &sticker, "not_listed"),
        case("a path with another spelling", "./160/7.sticker", &sticker, "not_listed"),
        case("the manifest itself", "release.thrift", &ours.written(), "not_listed"),
        case("nothing", "160/7.sticker", b"", "truncated"),
        case("one byte less", "160/7.sticker", &sticker[..sticker.len() - 1], "truncated"),
        case("a bundle that is cut", "160/42.zip", &file(&ours, "160/42.zip")[..200], "truncated"),
        case("one byte more", "160/7.sticker", &[sticker.as_slice(), &[0]].concat(), "too_long"),
        case("a byte of the magic", "160/7.sticker", &[&[0x88], &sticker[1..]].concat(), "altered"),
        case("a bit in an image", "160/7.sticker", &bit, "other_release"),
        case("a bundle in a sticker's place", "160/7.sticker", &file(&ours, "160/42.zip"), "wrong_kind"),
        case("a sticker in a bundle's place", "160/42.zip", &sticker, "wrong_kind"),
        case(
            "a master in a sticker's place",
            "160/7.sticker",
            &file(&ours, "master/7.sticker"),
            "wrong_kind",
        ),
        case(
            "another pack's sticker with the same id",
            "160/7.sticker",
            &file(&others, "160/7.sticker"),
            "wrong_pack",
        ),
        case("another pack's bundle", "160/42.zip", &file(&others, "160/43.zip"), "wrong_pack"),
        case("the other sticker", "160/7.sticker", &file(&ours, "160/8.sticker"), "wrong_sticker"),
        case(
            "the other sticker of an earlier release",
            "160/7.sticker",
            &file(&earlier, "160/8.sticker"),
            "wrong_sticker",
        ),
        case("the other density", "160/7.sticker", &file(&ours, "320/7.sticker"), "wrong_density"),
        case("the bundle of the other density", "160/42.zip", &file(&ours, "320/42.zip"), "wrong_density"),
        case(
            "the sticker of an earlier release",
            "160/7.sticker",
            &file(&earlier, "160/7.sticker"),
            "other_release",
        ),
        case(
            "the bundle of an earlier release",
            "160/42.zip",
            &file(&earlier, "160/42.zip"),
            "other_release",
        ),
        case(
            "a bundle with one sticker of an earlier release",
            "160/42.zip",
            &with_one_of(&file(&ours, "160/42.zip"), &file(&earlier, "160/42.zip")),
            "other_release",
        ),
        case("signed, and another sticker's", "master/8.sticker", &wrong, "contradicts"),
    ];
    let envelope_hex = hex(&of(&ours.written(), 3).bytes());
    (Of { keys: vec![key(1, &FIRST)], pack: PACK, envelope_hex }, cases)
}

/// The first bundle with the second's first sticker in its place.
fn with_one_of(first: &[u8], second: &[u8]) -> Vec<u8> {
    let (first, second) = (Bundle::read(first).unwrap(), Bundle::read(second).unwrap());
    let mut stickers = first.stickers().clone();
    let (&id, bytes) = second.stickers().first_key_value().unwrap();
    stickers.insert(id, bytes);
    bundle::write(first.pack(), &stickers).unwrap()
}
