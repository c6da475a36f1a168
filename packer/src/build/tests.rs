use std::fs;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use sticker_protocol::bundle::Bundle;
use sticker_protocol::release::{FileKind, Manifest};
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, ImageFormat, LADDER};

use super::*;
use crate::encode;
use crate::picture::{Picture, decode};

/// A project in a temporary folder, and a place for what is built from it.
struct Studio {
    folder: tempfile::TempDir,
}

impl Studio {
    /// A still and an animation of seven frames at 12 per second, the third of which is like the first.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let frames = folder.path().join("project/stickers/wave");
        fs::create_dir_all(&frames).unwrap();
        draw(&folder.path().join("project/stickers/hello.png"), 512, 0);
        for frame in 0..7 {
            draw(&frames.join(format!("{frame:03}.png")), 512, if frame == 2 { 0 } else { frame });
        }
        let studio = Self { folder };
        studio.says("");
        studio
    }

    fn says(&self, more: &str) {
        let toml = r#"
            slug = "studio"
            titles = { en = "Studio" }
            artist = { slug = "me", name = "Me" }
            [[stickers]]
            name = "hello"
            file = "stickers/hello.png"
            emoji = ["👋"]
            alt = { en = "says hello" }
            [[stickers]]
            name = "wave"
            file = "stickers/wave"
            emoji = ["👋"]
            alt = { en = "waves" }
            fps = 12
        "#;
        fs::write(self.project().join("pack.toml"), format!("{toml}{more}")).unwrap();
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn builds(&self) -> Result<BuildReport, Error> {
        self.builds_with(None)
    }

    #[expect(clippy::disallowed_methods, reason = "a test's source of ids")]
    fn builds_with(&self, jobs: Option<usize>) -> Result<BuildReport, Error> {
        build(
            &self.project(),
            &self.out(),
            &BuildOptions { jobs, ..BuildOptions::new(&SystemRandom::new()) },
            &(),
        )
    }

    fn codes(&self) -> Vec<&'static str> {
        match self.builds() {
            Err(Error::BadInput(findings)) => findings.iter().map(|finding| finding.code).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn release(&self) -> Manifest {
        Manifest::read(&fs::read(self.out().join("release.thrift")).unwrap()).unwrap()
    }
}

fn draw(path: &Path, side: u32, step: u32) {
    let middle = f64::from(side) / 2.0;
    let pixel = |x: u32, y: u32| {
        let inside = (f64::from(x) - middle).hypot(f64::from(y) - middle) < middle - 20.0 - f64::from(step);
        if inside {
            [200, u8::try_from(step * 30).unwrap(), u8::try_from(x * 255 / side).unwrap(), 255]
        } else {
            [0; 4]
        }
    };
    let rgba = (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect();
    let file = encode::png(&Picture { width: side, height: side, rgba }, Effort::Fast).unwrap().file;
    fs::write(path, file).unwrap();
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                all.push((entry.strip_prefix(folder).unwrap().to_owned(), fs::read(&entry).unwrap()));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_release_holds_every_file_that_its_manifest_lists_with_size_and_hash() {
    let studio = Studio::new();
    let report = studio.builds().unwrap();
    let release = studio.release();
    assert_eq!(report.findings, []);
    assert_eq!(release.densities, LADDER);
    for file in &release.files {
        let content = fs::read(studio.out().join(file.path.as_str())).unwrap();
        assert_eq!((content.len() as u64, Sha256::of(&content)), (file.size, file.sha256), "{}", file.path);
    }
    assert_eq!(contents(&studio.out()).len(), release.files.len() + 1);
}

#[test]
fn low_densities_are_png_and_the_others_webp_at_their_size_and_every_picture_decodes() {
    let studio = Studio::new();
    studio.builds().unwrap();
    for file in studio.release().files_of(FileKind::Sticker) {
        let content = fs::read(studio.out().join(file.path.as_str())).unwrap();
        let sticker = StickerFile::read(&content).unwrap();
        let metadata = sticker.metadata();
        let expected =
            if metadata.density <= Density::new(160).unwrap() { ImageFormat::Png } else { ImageFormat::WebP };
        assert_eq!(metadata.format, expected);
        for image in sticker.images() {
            let picture = decode(image, metadata.format).unwrap();
            assert_eq!((picture.width, picture.height), (metadata.density.px(128), metadata.density.px(128)));
        }
    }
}

#[test]
fn an_animation_lasts_as_long_as_its_artwork_and_stores_equal_frames_once() {
    let studio = Studio::new();
    studio.builds().unwrap();
    let wave = studio.release().stickers[1].id;
    for path in
        [format!("120/{wave}.sticker"), format!("640/{wave}.sticker"), format!("master/{wave}.sticker")]
    {
        let content = fs::read(studio.out().join(path)).unwrap();
        let sticker = StickerFile::read(&content).unwrap();
        let metadata = sticker.metadata();
        assert_eq!((metadata.frames.len(), metadata.duration_ms()), (7, 583));
        assert_eq!((sticker.images().len(), metadata.frames[2].image), (6, 0));
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let studio = Studio::new();
    studio.builds_with(Some(1)).unwrap();
    let alone = contents(&studio.out());
    studio.builds_with(Some(4)).unwrap();
    assert!(contents(&studio.out()) == alone);
}

#[test]
fn ids_are_minted_once_and_kept_when_stickers_come_and_go() {
    let studio = Studio::new();
    studio.builds().unwrap();
    let before = studio.release();
    studio.says("[[stickers]]\nname = \"again\"\nfile = \"stickers/hello.png\"\n");
    studio.builds().unwrap();
    let after = studio.release();
    assert_eq!(after.pack, before.pack);
    assert_eq!(after.stickers[..2], before.stickers);
    assert_ne!(after.stickers[2].id, before.stickers[0].id);
}

#[test]
fn small_artwork_is_never_enlarged() {
    let studio = Studio::new();
    draw(&studio.project().join("stickers/hello.png"), 256, 0);
    let report = studio.builds().unwrap();
    assert_eq!(studio.release().densities, LADDER[..4]);
    assert_eq!(report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["density_left_out"]);

    draw(&studio.project().join("stickers/hello.png"), 50, 0);
    studio.builds().unwrap();
    assert_eq!(studio.release().densities, LADDER[..1]);
}

#[test]
fn every_finding_is_reported_and_the_earlier_build_stays() {
    let studio = Studio::new();
    studio.builds().unwrap();
    let before = contents(&studio.out());
    fs::write(studio.project().join("stickers/hello.png"), b"GIF89a").unwrap();
    fs::remove_file(studio.project().join("stickers/wave/003.png")).unwrap();
    draw(&studio.project().join("stickers/wave/006.png"), 100, 0);
    assert_eq!(studio.codes(), ["picture_damaged", "frame_missing"]);
    draw(&studio.project().join("stickers/wave/003.png"), 512, 0);
    assert_eq!(studio.codes(), ["picture_damaged", "frame_size_differs"]);
    assert!(contents(&studio.out()) == before);
    assert_eq!(fs::read_dir(studio.folder.path()).unwrap().count(), 2, "nothing else is left behind");
}

#[test]
fn a_picture_cut_in_the_middle_is_a_finding() {
    let studio = Studio::new();
    let path = studio.project().join("stickers/hello.png");
    let whole = fs::read(&path).unwrap();
    for length in [0, 7, 20, 40, whole.len() / 2, whole.len() - 13] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(studio.codes().len(), 1, "{length} of {} bytes", whole.len());
    }
}

#[test]
fn a_folder_with_other_things_in_it_is_never_replaced() {
    let studio = Studio::new();
    fs::create_dir(studio.out()).unwrap();
    fs::write(studio.out().join("thesis.txt"), "years of work").unwrap();
    assert!(matches!(studio.builds(), Err(Error::OutputInTheWay(_))));
    assert_eq!(fs::read_to_string(studio.out().join("thesis.txt")).unwrap(), "years of work");
}

#[test]
fn a_bundle_holds_the_sticker_files_byte_for_byte() {
    let studio = Studio::new();
    studio.builds().unwrap();
    let release = studio.release();
    let zip = fs::read(studio.out().join(format!("320/{}.zip", release.pack))).unwrap();
    for (id, file) in Bundle::read(&zip).unwrap().stickers() {
        assert_eq!(fs::read(studio.out().join(format!("320/{id}.sticker"))).unwrap(), *file);
    }
}

#[test]
fn a_density_at_which_the_frames_have_more_pixels_than_a_sticker_file_holds_is_left_out() {
    let studio = Studio::new();
    let text = fs::read_to_string(studio.project().join("pack.toml")).unwrap();
    let large = format!("canvas = {{ width = 512, height = 512 }}\n{text}");
    fs::write(studio.project().join("pack.toml"), large).unwrap();
    // Half as high as the canvas, so that thirty of them are within the limit and thirty canvases are not.
    let wide = Picture { width: 2048, height: 1024, rgba: vec![9; 2048 * 1024 * 4] };
    let file = encode::png(&wide, Effort::Fast).unwrap().file;
    fs::write(studio.project().join("stickers/hello.png"), &file).unwrap();
    for frame in 0..30 {
        fs::write(studio.project().join(format!("stickers/wave/{frame:03}.png")), &file).unwrap();
    }
    let mut findings = Vec::new();
    let surveyed = check::survey(&studio.project(), &mut findings).unwrap().unwrap();
    assert_eq!(surveyed.densities, LADDER[..4]);
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["density_left_out"]);
}

#[test]
fn an_earlier_build_with_somebodys_own_file_in_it_is_not_replaced() {
    let studio = Studio::new();
    studio.builds().unwrap();
    fs::write(studio.out().join("notes.txt"), "mine").unwrap();
    assert!(matches!(studio.builds(), Err(Error::OutputInTheWay(_))));
    assert!(studio.out().join("notes.txt").exists());
}

#[test]
fn pictures_that_hardly_compress_are_told_about_as_too_large() {
    let studio = Studio::new();
    let mut state = 1_u32;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    fs::remove_dir_all(studio.project().join("stickers/wave")).unwrap();
    fs::create_dir_all(studio.project().join("stickers/wave")).unwrap();
    let text = fs::read_to_string(studio.project().join("pack.toml")).unwrap();
    let small = format!("canvas = {{ width = 16, height = 16 }}\n{text}");
    fs::write(studio.project().join("pack.toml"), small).unwrap();
    for frame in 0..17 {
        let rgba = (0..512 * 512 * 4).map(|_| noise()).collect();
        let picture = Picture { width: 512, height: 512, rgba };
        let file = encode::png(&picture, Effort::Fast).unwrap().file;
        fs::write(studio.project().join(format!("stickers/wave/{frame}.png")), file).unwrap();
    }
    assert_eq!(studio.codes(), ["sticker_too_large"]);
}

#[test]
fn the_icon_and_the_cover_are_of_the_first_frame_that_shows_something() {
    let studio = Studio::new();
    let text = fs::read_to_string(studio.project().join("pack.toml")).unwrap();
    fs::write(studio.project().join("pack.toml"), text.replace("stickers/hello.png", "stickers/fades"))
        .unwrap();
    let fades = studio.project().join("stickers/fades");
    fs::create_dir(&fades).unwrap();
    let nothing = Picture { width: 512, height: 512, rgba: vec![0; 512 * 512 * 4] };
    fs::write(fades.join("0.png"), encode::png(&nothing, Effort::Fast).unwrap().file).unwrap();
    draw(&fades.join("1.png"), 512, 0);
    studio.builds().unwrap();
    for name in ["web/icon.webp", "web/cover.webp"] {
        let file = fs::read(studio.out().join(name)).unwrap();
        assert!(decode(&file, ImageFormat::WebP).unwrap().shows_something(), "{name}");
    }
}

/// Two frames that look the same and a third that does not, each shown for so many seconds.
fn clip(path: &Path, seconds: [u16; 3]) {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 64, 64);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(3, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for (colour, seconds) in [90, 90, 200].into_iter().zip(seconds) {
        writer.set_frame_delay(seconds, 1).unwrap();
        writer.write_image_data(&[colour; 64 * 64 * 4]).unwrap();
    }
    writer.finish().unwrap();
    fs::write(path, file).unwrap();
}

#[test]
fn every_sticker_with_a_frame_that_lasts_too_long_is_told_before_anything_is_rendered() {
    let studio = Studio::new();
    clip(&studio.project().join("stickers/hello.png"), [1, 601, 1]);
    clip(&studio.project().join("stickers/again.png"), [1, 1, 601]);
    studio.says("[[stickers]]\nname = \"again\"\nfile = \"stickers/again.png\"\n");
    let found = check::check(&studio.project(), &check::CheckOptions::default()).unwrap();
    let too_long = found.iter().filter(|it| it.code == "frame_too_long");
    let frames: Vec<_> = too_long.map(|it| it.place.unwrap().frame).collect();
    assert_eq!(frames, [Some(1), Some(2)]);
    assert_eq!(studio.codes().iter().filter(|code| **code == "frame_too_long").count(), 2);
}

#[test]
fn frames_that_look_the_same_are_one_only_as_long_as_a_frame_can_last() {
    let studio = Studio::new();
    clip(&studio.project().join("stickers/hello.png"), [400, 400, 1]);
    studio.builds().unwrap();
    let release = studio.release();
    assert_eq!((release.stickers[0].frame_count, release.stickers[0].duration_ms), (3, 801_000));
    clip(&studio.project().join("stickers/hello.png"), [300, 300, 1]);
    studio.builds().unwrap();
    let release = studio.release();
    assert_eq!((release.stickers[0].frame_count, release.stickers[0].duration_ms), (2, 601_000));
}

#[test]
#[cfg(unix)]
fn a_link_stays_and_the_folder_behind_it_is_replaced() {
    let studio = Studio::new();
    let behind = studio.folder.path().join("disk/releases");
    fs::create_dir_all(&behind).unwrap();
    std::os::unix::fs::symlink("disk/releases", studio.out()).unwrap();
    for _ in 0..2 {
        studio.builds().unwrap();
        assert!(fs::symlink_metadata(studio.out()).unwrap().is_symlink());
        assert!(behind.join(MANIFEST_FILE).is_file());
        assert_eq!(
            fs::read_dir(studio.folder.path().join("disk")).unwrap().count(),
            1,
            "nothing is left beside"
        );
    }
}
