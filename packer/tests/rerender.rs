//! Every sticker file and bundle of a release comes out of its masters again, byte for byte, whatever the artwork, effort and quality.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/around.rs"]
mod around;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ring::rand::SystemRandom;
use sticker_packer::init::Maker;
use sticker_packer::rerender::{self, RerenderError};
use sticker_packer::{BuildOptions, Effort, Quality, build};
use sticker_protocol::release::{Coding, FileKind, MANIFEST_FILE, Manifest, ReleaseFile};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{ImageFormat, Sha256, StickerId};

/// A release in a folder.
struct Release {
    folder: tempfile::TempDir,
    manifest: Manifest,
}

impl Release {
    #[expect(clippy::disallowed_methods, reason = "a test's source of ids")]
    fn of(project: &Path, effort: Effort, quality: Quality) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let random = SystemRandom::new();
        let options = BuildOptions { effort, quality: Some(quality), ..BuildOptions::new(&random) };
        build(project, &out, &options, &()).unwrap();
        let manifest = Manifest::read(&fs::read(out.join(MANIFEST_FILE)).unwrap()).unwrap();
        Self { folder, manifest }
    }

    fn bytes(&self, file: &ReleaseFile) -> Vec<u8> {
        fs::read(self.folder.path().join("out").join(file.path.as_str())).unwrap()
    }

    fn master(&self, sticker: Option<StickerId>) -> Vec<u8> {
        self.bytes(self.manifest.files_of(FileKind::Master).find(|it| it.sticker == sticker).unwrap())
    }

    fn again(&self, file: &ReleaseFile) -> Result<Vec<u8>, RerenderError> {
        rerender::sticker_file(&self.master(file.sticker), &self.manifest, file)
    }

    /// Makes every sticker file again, and says of how many images each coding was.
    fn all_again(&self) -> BTreeMap<&'static str, usize> {
        let mut seen = BTreeMap::new();
        for file in self.manifest.files_of(FileKind::Sticker) {
            let made = self.again(file).map_err(|error| format!("{}: {error:?}", file.path)).unwrap();
            assert!(made == self.bytes(file), "{}", file.path);
            for image in &file.recipe.as_ref().unwrap().images {
                let coding = match image.coding {
                    Coding::Png => "png",
                    Coding::Lossy { .. } => "lossy",
                    Coding::Lossless { near: 100 } => "lossless",
                    Coding::Lossless { .. } => "near lossless",
                };
                *seen.entry(coding).or_default() += 1;
                *seen.entry(if image.sparse { "sparse" } else { "whole" }).or_default() += 1;
            }
        }
        seen
    }
}

/// A project whose canvas is small, so that the slowest coders are quick.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let stickers = folder.path().join("stickers");
    fs::create_dir_all(stickers.join("blinks")).unwrap();
    fs::create_dir_all(stickers.join("turns")).unwrap();
    png(&stickers.join("disc.png"), (192, 192), |x, y| disc(x, y, 96, 80));
    png(&stickers.join("wide.png"), (300, 192), |x, y| disc(x, y, 120, 60));
    png(
        &stickers.join("flat.png"),
        (192, 192),
        |x, y| if x / 64 == y / 64 { [200, 30, 60, 255] } else { [0; 4] },
    );
    png(&stickers.join("grain.png"), (192, 192), grain);
    // A body that stays, a face that moves, and a frame that is shown twice.
    for (at, eye) in [0, 1, 1, 2, 0].into_iter().enumerate() {
        png(&stickers.join(format!("blinks/{at}.png")), (192, 192), |x, y| {
            let face = (60..132).contains(&x) && (60..132).contains(&y);
            let pupil = face && (x + y + eye * 8) % 24 < 12;
            if pupil { [20, 20, 40, 255] } else { disc(x, y, 96, 90) }
        });
    }
    for at in 0..6 {
        png(&stickers.join(format!("turns/{at}.png")), (192, 192), |x, y| disc(x, y, 70 + at * 10, 50));
    }
    let mut toml =
        "slug = \"again\"\ntitles = { en = \"Again\" }\nartist = { slug = \"me\", name = \"Me\" }\n\
                    canvas = { width = 48, height = 48 }\n"
            .to_owned();
    for name in ["disc.png", "wide.png", "flat.png", "grain.png", "blinks", "turns"] {
        let word = name.trim_end_matches(".png");
        let more = if name == word { "fps = 12\nloop = 3\n" } else { "" };
        let _ = write!(
            toml,
            "[[stickers]]\nname = \"{word}\"\nfile = \"stickers/{name}\"\nemoji = [\"👋\"]\nalt = {{ en = \"{word}\" }}\n{more}"
        );
    }
    fs::write(folder.path().join("pack.toml"), toml).unwrap();
    folder
}

#[test]
fn every_sticker_file_comes_out_of_its_master_again_at_each_effort_and_quality() {
    let project = project();
    let mut seen = BTreeSet::new();
    for (effort, quality) in [
        (Effort::Fast, Quality::Standard),
        (Effort::Fast, "83.7".parse().unwrap()),
        (Effort::Fast, Quality::Lossless),
        (Effort::Default, Quality::Draft),
        (Effort::Default, Quality::Standard),
        (Effort::Default, Quality::High),
        (Effort::Default, Quality::Lossless),
        (Effort::Max, Quality::Standard),
    ] {
        seen.extend(Release::of(project.path(), effort, quality).all_again().into_keys());
    }
    // Otherwise some ways were not tried.
    assert_eq!(Vec::from_iter(seen), ["lossless", "lossy", "near lossless", "png", "sparse", "whole"]);
}

#[test]
fn every_bundle_comes_out_of_its_sticker_files_again() {
    let release = Release::of(project().path(), Effort::Fast, Quality::Standard);
    for file in release.manifest.files_of(FileKind::Bundle) {
        let stickers = release.manifest.files_of(FileKind::Sticker).filter(|it| it.density == file.density);
        let stickers = stickers.map(|it| (it.sticker.unwrap(), release.again(it).unwrap())).collect();
        let made = rerender::bundle(&stickers, &release.manifest, file).unwrap();
        assert!(made == release.bytes(file), "{}", file.path);
    }
}

#[test]
fn real_artwork_comes_out_of_its_masters_again() {
    for pack in ["static-noto", "static-photo", "anim-mixed"] {
        let Some(artwork) = around::collection(pack) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let stickers = folder.path().join("stickers");
        fs::create_dir(&stickers).unwrap();
        for path in fs::read_dir(artwork).unwrap().map(|entry| entry.unwrap().path()).take(2) {
            fs::copy(&path, stickers.join(path.file_name().unwrap())).unwrap();
        }
        draft(folder.path());
        Release::of(folder.path(), Effort::Fast, Quality::Standard).all_again();
    }
}

#[test]
fn what_is_not_the_listed_file_never_comes_out() {
    let release = Release::of(project().path(), Effort::Fast, Quality::Standard);
    let webp = release.manifest.files_of(FileKind::Sticker).find(|it| it.format == Some(ImageFormat::WebP));
    let webp = webp.unwrap();
    let master = release.master(webp.sticker);
    let made = |change: &dyn Fn(&mut ReleaseFile), master: &[u8]| {
        let mut file = webp.clone();
        change(&mut file);
        rerender::sticker_file(master, &release.manifest, &file).unwrap_err()
    };
    assert!(matches!(made(&|it| it.sha256 = Sha256::of(b"other"), &master), RerenderError::Differs));
    assert!(matches!(made(&|it| it.recipe = None, &master), RerenderError::NoRecipe));
    let more_images = |it: &mut ReleaseFile| {
        let images = &mut it.recipe.as_mut().unwrap().images;
        images.extend(images.clone());
    };
    assert!(matches!(made(&more_images, &master), RerenderError::Differs));
    let sparse = |it: &mut ReleaseFile| it.recipe.as_mut().unwrap().images[0].sparse = true;
    assert!(matches!(made(&sparse, &master), RerenderError::Differs));
    let coarser = |it: &mut ReleaseFile| {
        it.recipe.as_mut().unwrap().images[0].coding = Coding::Lossy { quality: 1, alpha: 1 };
    };
    assert!(matches!(made(&coarser, &master), RerenderError::Differs));
    assert!(matches!(made(&|_| {}, &master[..master.len() / 2]), RerenderError::Master(_)));
    let others = release.manifest.files_of(FileKind::Master).find(|it| it.sticker != webp.sticker).unwrap();
    assert!(matches!(made(&|_| {}, &release.bytes(others)), RerenderError::NotItsMaster));
    let mut broken = master.clone();
    let opened = StickerFile::read(&master).unwrap();
    let first = master.len() - opened.images().iter().map(|image| image.len()).sum::<usize>();
    // Behind its headers, which are looked at when the master is read.
    broken[first + 40..first + opened.images()[0].len()].fill(0);
    assert!(matches!(made(&|_| {}, &broken), RerenderError::Picture(_) | RerenderError::Differs));
}

#[test]
fn what_was_drawn_from_shapes_has_no_recipe() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("stickers")).unwrap();
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30" fill="#c33"/></svg>"##;
    fs::write(folder.path().join("stickers/dot.svg"), svg).unwrap();
    draft(folder.path());
    let release = Release::of(folder.path(), Effort::Fast, Quality::Standard);
    for file in release.manifest.files_of(FileKind::Sticker) {
        assert!(matches!(release.again(file), Err(RerenderError::NoRecipe)), "{}", file.path);
    }
}

/// Has the packer write a `pack.toml` for the artwork in a folder.
fn draft(folder: &Path) {
    let maker = Maker { artist: Some("Me".to_owned()), locale: None };
    sticker_packer::init::init(folder, &maker).unwrap();
}

fn disc(x: u32, y: u32, middle: u32, radius: u32) -> [u8; 4] {
    let from = f64::from(x.abs_diff(middle)).hypot(f64::from(y.abs_diff(96)));
    let alpha = ((f64::from(radius) - from + 0.5).clamp(0.0, 1.0) * 255.0).round();
    let byte = |value: u32| u8::try_from(value.min(255)).unwrap();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
    [byte(120 + x / 2), byte(y), byte(200), alpha as u8]
}

/// As a photo has it.
fn grain(x: u32, y: u32) -> [u8; 4] {
    let mut state = (x * 7919 + y * 104_729) | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    let noise = state.to_le_bytes()[0] / 8;
    let byte = |value: u32| u8::try_from(value.min(223)).unwrap().saturating_add(noise);
    [byte(x), byte(y), byte(x.midpoint(y)), 255]
}

fn png(path: &Path, (width, height): (u32, u32), pixel: impl Fn(u32, u32) -> [u8; 4]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgba);
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}
