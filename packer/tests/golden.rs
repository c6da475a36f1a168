//! Real packs give what they gave: the same frames, times and shapes, and bytes that differ by no more than another processor's rounding
//! does. After a change that is meant, `STICKER_TEST_WRITE_GOLDEN=1 cargo test -p sticker-packer --test golden` writes the tables anew.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/around.rs"]
mod around;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sticker_protocol::sticker::StickerFile;

/// Of 100: libwebp and the resizer take other instructions on another processor, which round otherwise in places.
const BYTES_MAY_DIFFER: u64 = 3;

#[test]
fn the_repositorys_own_packs_are_built_as_before() {
    for pack in ["mochi", "bean"] {
        let folder = here().join("sample").join(pack);
        is_as_before(pack, &folder, "default");
    }
}

#[test]
fn real_artwork_is_built_as_before() {
    for pack in ["static-noto", "static-openmoji", "static-photo", "anim-noto", "anim-mixed", "svg-pack"] {
        let Some(artwork) = around::collection(pack) else { continue };
        let folder = tempfile::tempdir().unwrap();
        copy(&artwork, &folder.path().join("stickers"));
        packer(&["init", folder.path().to_str().unwrap(), "--quiet"]);
        is_as_before(pack, folder.path(), "fast");
    }
}

#[expect(clippy::disallowed_methods, reason = "asked for by whoever starts the test")]
fn is_to_be_written() -> bool {
    std::env::var_os("STICKER_TEST_WRITE_GOLDEN").is_some()
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds a copy of the project and compares the stickers with the table in `tests/golden`.
fn is_as_before(pack: &str, project: &Path, effort: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (copied, out) = (folder.path().join("project"), folder.path().join("out"));
    copy(project, &copied);
    let (project, release) = (copied.to_str().unwrap(), out.to_str().unwrap());
    packer(&["build", project, "--out", release, "--effort", effort, "--no-cache", "--quiet"]);
    let built = table(&copied, &out);
    let golden = here().join("tests/golden").join(format!("{pack}.tsv"));
    if is_to_be_written() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, built).unwrap();
        return;
    }
    let before = fs::read_to_string(&golden).unwrap();
    assert_eq!(before.lines().count(), built.lines().count(), "{pack}: another number of stickers or sizes");
    let wrong: Vec<_> =
        before.lines().zip(built.lines()).filter(|(before, now)| !is_alike(before, now)).collect();
    assert!(wrong.is_empty(), "{pack}: before and now {wrong:#?}");
}

/// The same words, and about the same bytes in the last.
fn is_alike(before: &str, now: &str) -> bool {
    if before == now {
        return true;
    }
    let (Some((before, was)), Some((now, is))) = (before.rsplit_once('\t'), now.rsplit_once('\t')) else {
        return false;
    };
    let about = |was: u64, is: u64| was.abs_diff(is) * 100 <= was * BYTES_MAY_DIFFER;
    before == now && matches!((was.parse(), is.parse()), (Ok(was), Ok(is)) if about(was, is))
}

/// A line for each sticker at each density.
fn table(project: &Path, release: &Path) -> String {
    let lock: toml::Table = fs::read_to_string(project.join("pack.lock")).unwrap().parse().unwrap();
    let ids = lock.get("stickers").unwrap().as_table().unwrap();
    let mut names: Vec<_> = ids.iter().collect();
    names.sort_by_key(|(name, _)| name.as_str());
    let mut text = "sticker\tdensity\tpx\tformat\timages\tframes\tms\tbytes\n".to_owned();
    for (name, id) in names {
        for density in [120, 160, 240, 320, 480, 640] {
            let Ok(file) = fs::read(release.join(format!("{density}/{id}.sticker"))) else { continue };
            let sticker = StickerFile::read(&file).unwrap();
            let it = sticker.metadata();
            let ms: u64 = it.frames.iter().map(|frame| u64::from(frame.duration_ms)).sum();
            let (images, frames) = (sticker.images().len(), it.frames.len());
            let size = format!("{}x{}\t{:?}", it.width, it.height, it.format);
            let _ = writeln!(text, "{name}\t{density}\t{size}\t{images}\t{frames}\t{ms}\t{}", file.len());
        }
    }
    text
}

fn packer(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_sticker-packer")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to: PathBuf = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
