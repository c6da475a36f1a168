//! Archives and images that mean harm: a clear code, nothing under the name of its content, and everybody else goes on.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sticker_protocol::ImageFormat;
use sticker_protocol::release::{FileKind, ReleaseFile};
use sticker_protocol::sticker::{self, StickerFile};
use sticker_tests::{Database, Designer, Phone, Store, until};

use crate::release::{Release, is_a_pipe, objects, on_each_place};

/// The findings of a release that is refused: path and code.
fn found(told: &Value) -> Vec<(String, String)> {
    let findings = told["error"]["findings"].as_array().unwrap_or_else(|| panic!("no findings: {told}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.iter().map(|it| (text(&it["path"]), text(&it["code"]))).collect()
}

fn refuses(designer: &Designer, release: &Release, file: (&str, &[&str])) {
    let (code, told) = designer.publishes_telling(&release.path());
    assert_eq!((code, told["error"]["code"].as_str()), (1, Some("release_rejected")), "{told}");
    let found = found(&told);
    let (path, codes) = file;
    let is_it = |(at, code): &(String, String)| at == path && codes.contains(&code.as_str());
    assert!(found.iter().any(is_it), "{path} {codes:?}: {found:?}");
}

/// What an entry of a zip is made of here: the fields that a lie may be in.
#[derive(Clone)]
struct Entry {
    name: String,
    content: Vec<u8>,
    size: u32,
    method: u16,
    /// Where the directory says that it stands, where that is not the truth.
    stands_at: Option<u32>,
}

impl Entry {
    fn new(name: &str, content: &[u8]) -> Self {
        let size = u32::try_from(content.len()).unwrap();
        Self { name: name.to_owned(), content: content.to_vec(), size, method: 0, stands_at: None }
    }
}

/// A zip as a bundle is one, of entries in any order.
fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = entry.stands_at.unwrap_or_else(|| u32::try_from(file.len()).unwrap());
        let shared = [
            &20_u16.to_le_bytes()[..],
            &[0, 0],
            &entry.method.to_le_bytes(),
            &[0, 0, 0x21, 0],
            &crc(&entry.content).to_le_bytes(),
            &entry.size.to_le_bytes(),
            &entry.size.to_le_bytes(),
            &u16::try_from(entry.name.len()).unwrap().to_le_bytes(),
        ]
        .concat();
        file.extend([b"PK\x03\x04", &shared[..], &[0, 0], entry.name.as_bytes(), &entry.content].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\x03",
                &shared[..],
                &[0; 8],
                &(0o100_644_u32 << 16).to_le_bytes(),
                &[0, 0],
                &at.to_le_bytes(),
                entry.name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let (length, at) = (u32::try_from(directory.len()).unwrap(), u32::try_from(file.len()).unwrap());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &length.to_le_bytes(), &at.to_le_bytes(), &[0, 0]];
    [file, directory, end.concat()].concat()
}

/// Annex D of the PNG specification, which is that of zip, a bit at a time.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// The archives, each with what it is.
fn archives(good: &[u8], sticker: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let entry = Entry::new;
    let mut huge = entry("pack", sticker);
    huge.size = u32::MAX;
    let mut deflated = entry("pack", sticker);
    deflated.method = 8;
    let mut overlapping = [entry("pack", sticker), entry("q", sticker)];
    overlapping[1].stands_at = Some(0);
    vec![
        ("slips out of the folder", zip(&[entry("../../1.sticker", sticker), entry("pack", sticker)])),
        ("has an absolute path", zip(&[entry("/etc/passwd", sticker), entry("pack", sticker)])),
        ("has a name twice", zip(&[entry("pack", sticker), entry("pack", sticker)])),
        ("has entries that overlap", zip(&overlapping)),
        ("has an entry of 4 GiB", zip(&[huge])),
        ("is compressed", zip(&[deflated])),
        ("goes on behind its end", [good, b"and more"].concat()),
        ("begins before its beginning", [b"and more", good].concat()),
        ("is cut", good[..good.len() / 2].to_vec()),
        ("is no zip", b"GIF89a".to_vec()),
    ]
}

/// A chunk of RIFF, and a whole WebP of chunks.
fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [name, &length, content, &[0][..content.len() % 2]].concat()
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = [&b"WEBP"[..], &chunks.concat()].concat();
    [&b"RIFF"[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), &content].concat()
}

/// The largest size that a lossy bitstream can say, in a file whose header says 256 x 256.
fn lies_about_its_size() -> Vec<u8> {
    let canvas = chunk(b"VP8X", &[0, 0, 0, 0, 255, 0, 0, 255, 0, 0]);
    // RFC 6386, section 9.1: a shown key frame whose first partition has 4,096 bytes, then width and height.
    let first = 0x10 | (4_096_u32 << 5);
    let frame =
        [&first.to_le_bytes()[..3], b"\x9d\x01\x2a", &[0xff, 0x3f, 0xff, 0x3f], &[0x55; 8_192]].concat();
    webp(&[canvas, chunk(b"VP8 ", &frame)])
}

fn images() -> Vec<(&'static str, Vec<u8>)> {
    let bits = 16_383_u32 | (16_383 << 14);
    let huge = webp(&[chunk(b"VP8L", &[&[0x2f][..], &bits.to_le_bytes(), &[0; 64]].concat())]);
    vec![
        ("claims 256 Mpx", huge),
        ("is cut", webp(&[chunk(b"VP8L", &[0x2f, 255, 192, 63, 0])])),
        ("is another format", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("is nothing", vec![0; 100]),
    ]
}

#[test]
fn archives_and_images_that_mean_harm_are_refused_and_nothing_of_them_is_kept() {
    // Less than the largest lie needs.
    let settings = [("STICKER_STORE__PUBLISHING__CHECK_MEMORY_BYTES", "268435456")];
    on_each_place(&settings, |store, bucket| {
        let designer = store.operator().admits_designer("studio");
        let release = Release::of("hostile");
        let manifest = release.manifest();
        let of_kind = |kind: FileKind| manifest.files_of(kind).next().unwrap().path.to_string();
        let (bundle, cover, preview) =
            (of_kind(FileKind::Bundle), of_kind(FileKind::Cover), of_kind(FileKind::Preview));
        let sticker = release.bytes(&of_kind(FileKind::Sticker));
        let refused = |path: &str, what: &str, content: &[u8], codes: &[&str]| {
            let good = release.bytes(path);
            release.has_altered(path, content);
            refuses(&designer, &release, (path, codes));
            assert_eq!(objects(store, bucket), Vec::<String>::new(), "{path} {what}");
            assert_eq!(Phone::of(store).gets("/health/ready").status, 200, "{path} {what}");
            release.has_altered(path, &good);
        };
        for (what, archive) in archives(&release.bytes(&bundle), &sticker) {
            refused(&bundle, what, &archive, &["bad_bundle"]);
        }
        for path in [&cover, &preview] {
            refused(path, "lies about its size", &lies_about_its_size(), &["too_costly"]);
        }
        for (what, image) in images() {
            refused(&cover, what, &image, &["bad_image"]);
            refused(&preview, what, &image, &["bad_image"]);
        }
        for path in [&cover, &preview] {
            refused(
                path,
                "goes on behind its end",
                &[&release.bytes(path)[..], b"and more"].concat(),
                &["bad_image"],
            );
        }
        // Unaltered it is a release as any other.
        assert_eq!(designer.publishes(&release.path()).code, 0);
    });
}

#[test]
fn bytes_behind_the_end_of_an_image_in_a_sticker_file_are_refused() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let release = Release::of("smuggled");
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let manifest = release.manifest();
        let is_it = |it: &&ReleaseFile| it.kind == FileKind::Sticker && it.format == Some(format);
        let path = manifest.files.iter().find(is_it).unwrap().path.to_string();
        let good = release.bytes(&path);
        let read = StickerFile::read(&good).unwrap();
        let mut images: Vec<Vec<u8>> = read.images().iter().map(|it| it.to_vec()).collect();
        images[0].extend(b"and more");
        if format == ImageFormat::WebP {
            // The file's own length with it, as who smuggles would write it.
            let length = u32::try_from(images[0].len() - 8).unwrap();
            images[0][4..8].copy_from_slice(&length.to_le_bytes());
        }
        release.has_altered(&path, &sticker::write(read.metadata(), &images).unwrap());
        refuses(&designer, &release, (&path, &["bad_image"]));
        release.has_altered(&path, &good);
    }
    assert_eq!(objects(&store, None), Vec::<String>::new());
}

#[test]
fn manifests_and_uploads_that_mean_harm_are_refused_before_anything_is_kept() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let release = Release::of("paths");
    let manifest = release.bytes("release.thrift");
    let replaced = |from: &[u8], to: &[u8]| {
        let at = manifest.windows(from.len()).position(|it| it == from).unwrap();
        [&manifest[..at], to, &manifest[at + from.len()..]].concat()
    };
    for wrong in [
        replaced(b"web/icon.webp", b"../icon.webp1"),
        replaced(b"web/icon.webp", b"/eb/icon.webp"),
        replaced(b"web/icon.webp", b"web/icon.web\0"),
        replaced(b"web/icon.webp", b"web/cover.web"),
        replaced(b"web/icon.webp", b"WEB/icon.webp"),
    ] {
        let refused = designer.sends("POST", "/v1/releases", wrong).expect(422);
        assert_eq!(refused.error_code(), "invalid_manifest");
    }
    let refused = designer.sends("POST", "/v1/releases", vec![0; (1 << 20) + 1]).expect(413);
    assert_eq!(refused.error_code(), "too_large");
    let _ = release.is_begun(&designer);
    for hash in ["..", "%2e%2e%2f%2e%2e", &"0".repeat(64), &"A".repeat(64)] {
        let path = format!("/v1/releases/{}/objects/{hash}", release.id());
        assert_eq!(designer.sends("PUT", &path, b"x".to_vec()).status, 404, "{hash}");
    }
    assert!(!store.data().join("incoming").exists());
    assert_eq!(objects(&store, None), Vec::<String>::new());
}

/// The child that checks a release for this store, by what the system says of its processes.
fn checks_of(store: &Store) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|it| it.unwrap().file_name().to_str()?.parse().ok());
    let is_check = |process: &u32| {
        let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let parent = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let parent = parent.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        arguments.ends_with(b"\0check-release\0") && parent == Some(store.process_id())
    };
    all.filter(is_check).collect()
}

/// A release whose check waits for what is written into a pipe, at this file.
fn waits_for_a_pipe(store: &Store, slug: &str) -> (Release, ReleaseFile, std::path::PathBuf) {
    let release = Release::of(slug);
    let file = release.manifest().files[3].clone();
    let pipe = is_a_pipe(store.data(), file.sha256);
    (release, file, pipe)
}

#[test]
fn a_check_that_is_late_or_killed_is_a_finding_and_others_go_on() {
    let settings = [("STICKER_STORE__PUBLISHING__CHECK_SECONDS", "3")];
    let late = Store::start_with(Database::Sqlite, &settings);
    let designer = late.operator().admits_designer("studio");
    let (release, file, pipe) = waits_for_a_pipe(&late, "late");
    refuses(&designer, &release, (file.path.as_str(), &["too_costly"]));
    until("the late check is gone", || checks_of(&late).is_empty());
    fs::remove_file(pipe).unwrap();
    assert_eq!(designer.publishes(&release.path()).code, 0);

    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let (release, file, pipe) = waits_for_a_pipe(&store, "killed");
    std::thread::scope(|threads| {
        let refused = threads.spawn(|| refuses(&designer, &release, (file.path.as_str(), &["too_costly"])));
        let writes = fs::File::options().write(true).open(&pipe).unwrap();
        let other = Release::of("other");
        assert_eq!(designer.publishes(&other.path()).code, 0, "beside a check that hangs");
        assert_eq!(Phone::of(&store).gets("/packs/other").status, 200);
        for check in checks_of(&store) {
            assert!(Command::new("kill").args(["-KILL", &check.to_string()]).status().unwrap().success());
        }
        refused.join().unwrap();
        drop(writes);
    });
    fs::remove_file(&pipe).unwrap();
    assert_eq!(designer.publishes(&release.path()).code, 0);
}

#[test]
fn a_check_ends_with_the_store_that_asked_for_it() {
    let mut store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let (release, file, pipe) = waits_for_a_pipe(&store, "orphan");
    let mut publishing = designer.begins_to_publish(&release.path());
    let mut writes = fs::File::options().write(true).open(&pipe).unwrap();
    let checks = checks_of(&store);
    assert_eq!(checks.len(), 1);
    // It would try again; the check goes on without anybody who waits for it.
    publishing.kill().unwrap();
    publishing.wait().unwrap();
    assert_eq!(checks_of(&store), checks);
    store.crashes_and_restarts();
    until("the check is gone", || !Path::new(&format!("/proc/{}", checks[0])).exists());
    // Nobody reads it any more.
    assert!(writes.write_all(&release.bytes(file.path.as_str())).is_err());
    fs::remove_file(&pipe).unwrap();
    assert_eq!(designer.publishes(&release.path()).code, 0);
}

#[test]
fn a_store_that_is_to_stop_waits_for_no_check_that_hangs() {
    let store = Store::start(Database::Sqlite);
    let designer = store.operator().admits_designer("studio");
    let (release, _, pipe) = waits_for_a_pipe(&store, "hangs");
    let mut publishing = designer.begins_to_publish(&release.path());
    let writes = fs::File::options().write(true).open(&pipe).unwrap();
    let checks = checks_of(&store);
    assert_eq!((checks.len(), store.stop()), (1, 0));
    assert!(!Path::new(&format!("/proc/{}", checks[0])).exists());
    assert_eq!(publishing.wait().unwrap().code(), Some(3));
    drop(writes);
}

#[test]
fn only_so_many_releases_are_checked_at_once_and_the_rest_is_told_to_come_again() {
    let settings = [
        ("STICKER_STORE__PUBLISHING__CHECKS_AT_ONCE", "1"),
        ("STICKER_STORE__PUBLISHING__CHECKS_WAITING", "0"),
    ];
    let store = Store::start_with(Database::Sqlite, &settings);
    let designer = store.operator().admits_designer("studio");
    let (release, file, pipe) = waits_for_a_pipe(&store, "first");
    let other = Release::of("second");
    let _ = other.is_begun(&designer);
    other.is_sent(&designer);
    let mut publishing = designer.begins_to_publish(&release.path());
    let mut writes = fs::File::options().write(true).open(&pipe).unwrap();
    let refused = designer.sends("POST", &other.publish(), Vec::new()).expect(503);
    assert_eq!((refused.error_code().as_str(), refused.header("retry-after")), ("too_many_checks", "10"));
    writes.write_all(&release.bytes(file.path.as_str())).unwrap();
    drop(writes);
    assert!(publishing.wait().unwrap().success());
    let _ = designer.sends("POST", &other.publish(), Vec::new()).expect(200);
    fs::remove_file(&pipe).unwrap();
}
