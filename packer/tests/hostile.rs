//! Damaged, huge and misnamed pictures, from `PngSuite`, from decoders' bug trackers and made for this: each is built or told
//! about, and none brings the packer down. The collection is looked for as `shared/data` beside this repository.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests share stops them where it cannot go on, and says what it could not look at"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sticker_packer::Error;
use sticker_packer::finding::{Finding, Level};

/// The collection, or a line that says that this test looked at nothing.
fn collection() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found =
        here.ancestors().map(|folder| folder.join("shared/data/hostile")).find(|folder| folder.is_dir());
    if found.is_none() {
        // Written past the test runner, which shows the output of failed tests alone.
        let _ = std::io::stderr()
            .write_all(b"left out: hostile pictures: shared/data does not lie beside the repository\n");
    }
    found
}

/// A project of one sticker.
fn project_of(artwork: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let name = if artwork.is_dir() { "frames" } else { "one.png" };
    if artwork.is_dir() {
        fs::create_dir(folder.path().join(name)).unwrap();
        for frame in fs::read_dir(artwork).unwrap().map(|entry| entry.unwrap().path()) {
            fs::copy(&frame, folder.path().join(name).join(frame.file_name().unwrap())).unwrap();
        }
    } else {
        fs::copy(artwork, folder.path().join(name)).unwrap();
    }
    let toml = format!(
        "slug = \"a\"\ntitles = {{ en = \"A\" }}\nartist = {{ slug = \"a\", name = \"A\" }}\n\
         [[stickers]]\nname = \"one\"\nfile = \"{name}\"\nemoji = [\"👋\"]\nalt = {{ en = \"one\" }}\n"
    );
    fs::write(folder.path().join("pack.toml"), toml).unwrap();
    folder
}

fn errors(artwork: &Path) -> Vec<Finding> {
    let mut findings = match sticker_packer::check(project_of(artwork).path()) {
        Ok(findings) | Err(Error::BadInput(findings)) => findings,
        Err(error) => panic!("{}: {error}", artwork.display()),
    };
    findings.retain(|finding| finding.level == Level::Error);
    findings
}

#[test]
fn each_hostile_picture_is_built_or_told_about_as_the_collection_says() {
    let Some(folder) = collection() else { return };
    let manifest = fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        let [path, verdict, why] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        let mut artwork = folder.join(path);
        if verdict == "reject-dir" {
            artwork.pop();
        }
        if !artwork.exists() {
            continue;
        }
        looked_at += 1;
        let found = errors(&artwork);
        // The packer takes PNG alone, so whatever the collection accepts of other formats it refuses by name.
        let is_png = fs::read(&artwork).is_ok_and(|file| file.starts_with(b"\x89PNG"));
        let fits = match verdict {
            "reject" | "reject-dir" => !found.is_empty(),
            "accept" if is_png => found.is_empty() || found.iter().all(|it| it.code == "apng_unsupported"),
            "accept" => found.iter().all(|it| it.code == "not_a_png"),
            _ => true,
        };
        if !fits {
            wrong.push(format!("{path} ({verdict}, {why}): {found:?}"));
        }
    }
    assert!(looked_at > 100, "only {looked_at} pictures are there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let Some(folder) = collection() else { return };
    for bomb in ["gen/bomb_20000.png", "gen/huge_dims.png"] {
        let codes: Vec<_> = errors(&folder.join(bomb)).iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["png_too_large"], "{bomb}");
    }
}

#[test]
fn a_file_of_another_kind_is_called_what_it_is() {
    let Some(folder) = collection() else { return };
    for (file, kind) in [
        ("gen/cmyk_renamed.png", "a JPEG file"),
        ("gen/ok.gif", "a GIF file"),
        ("gen/xxe.svg", "an SVG"),
        ("gen/empty.png", "an empty file"),
    ] {
        let found = errors(&folder.join(file));
        assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["not_a_png"], "{file}");
        assert!(found[0].message.contains(kind), "{file}: {}", found[0].message);
    }
}

#[test]
fn a_colour_profile_is_a_warning() {
    let Some(folder) = collection() else { return };
    let project = project_of(&folder.join("gen/icc_swapped_rg.png"));
    let codes: Vec<_> =
        sticker_packer::check(project.path()).unwrap().iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"icc_profile_ignored"), "{codes:?}");
}
