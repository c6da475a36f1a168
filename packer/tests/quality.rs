//! What a build promises of its pictures: the score, the exact pixels, the exact time, the same bytes again.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use sticker_packer::compose::compose;
use sticker_packer::picture::Picture;
use sticker_packer::resize::Linear;
use sticker_packer::score::Reference;
use sticker_packer::{BuildOptions, BuildReport, Effort, Error, Quality, build};
use sticker_protocol::sticker::StickerFile;

/// A copy of one of the repository's packs, and a place for what is built from it.
struct Studio {
    folder: tempfile::TempDir,
}

impl Studio {
    fn with_pack(name: &str) -> Self {
        let studio = Self { folder: tempfile::tempdir().unwrap() };
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample").join(name);
        copy(&sample, &studio.project());
        studio
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    #[expect(clippy::disallowed_methods, reason = "the edge of a test is where randomness comes in")]
    fn builds(&self, out: &str, change: impl Fn(&mut BuildOptions<'_>)) -> Result<BuildReport, Error> {
        let random = SystemRandom::new();
        let mut options = BuildOptions::new(&random);
        change(&mut options);
        build(&self.project(), &self.folder.path().join(out), &options, &())
    }

    /// Every file of a release by its path.
    fn files(&self, out: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().join(out)];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(
                        path.strip_prefix(self.folder.path().join(out)).unwrap().to_owned(),
                        fs::read(&path).unwrap(),
                    );
                }
            }
        }
        files
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

fn frames(file: &[u8]) -> Vec<Picture> {
    compose(&StickerFile::read(file).unwrap()).unwrap()
}

/// Each sticker at each density beside the master's frame resized to its size.
fn beside_the_masters(files: &BTreeMap<PathBuf, Vec<u8>>, look: impl Fn(&Path, &Picture, &Picture)) {
    let mut looked_at = 0;
    for (path, file) in files.iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "sticker")) {
        if path.starts_with("master") {
            continue;
        }
        let master = frames(&files[&Path::new("master").join(path.file_name().unwrap())]);
        let shown = frames(file);
        assert_eq!(shown.len(), master.len(), "{}", path.display());
        for (master, shown) in master.into_iter().zip(&shown) {
            let linear = Linear::new(master).unwrap();
            let sizes = [128 * 4, 128 * 3, 128 * 2, 192, 128, 96].map(|side| (side, side));
            let resized = linear.pyramid(&sizes).unwrap();
            let expected = resized.iter().find(|it| it.width == shown.width).unwrap();
            look(path, expected, shown);
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "only {looked_at} pictures");
}

#[test]
fn samples_reach_the_score_that_was_asked_for_and_the_other_frames_come_close_to_it() {
    let studio = Studio::with_pack("bean");
    let report = studio.builds("out", |_| {}).unwrap();
    let target = Quality::Standard.target().unwrap();
    let scores = report.stickers.iter().flat_map(|sticker| &sticker.variants).map(|it| it.score.unwrap());
    assert!(scores.into_iter().all(|score| score >= target));
    beside_the_masters(&studio.files("out"), |path, expected, shown| {
        let score = Reference::new(expected).unwrap().score(shown).unwrap();
        // A frame that was not a sample is held to the samples' error, which is not quite the score.
        assert!(score >= target - 3.0, "{}: {score}", path.display());
    });
}

#[test]
fn lossless_is_every_pixel_at_every_density() {
    let studio = Studio::with_pack("bean");
    studio
        .builds("out", |options| (options.quality, options.effort) = (Some(Quality::Lossless), Effort::Fast))
        .unwrap();
    beside_the_masters(&studio.files("out"), |path, expected, shown| {
        let pairs = expected.rgba.as_chunks::<4>().0.iter().zip(shown.rgba.as_chunks::<4>().0);
        let wrong = pairs.filter(|(expected, shown)| expected != shown && (expected[3], shown[3]) != (0, 0));
        let wrong: Vec<_> = wrong.take(3).collect();
        assert_eq!(wrong, [], "{}", path.display());
    });
}

#[test]
fn a_cache_changes_the_time_and_never_the_bytes() {
    let studio = Studio::with_pack("bean");
    let fast = |options: &mut BuildOptions<'_>| options.effort = Effort::Fast;
    studio.builds("without", fast).unwrap();
    let cached = |options: &mut BuildOptions<'_>| {
        options.effort = Effort::Fast;
        options.cache = Some(studio.cache());
    };
    studio.builds("filling", cached).unwrap();
    assert!(fs::read_dir(studio.cache()).unwrap().count() >= 8);
    studio.builds("using", cached).unwrap();
    // A file that was cut short is not used, and one that is missing is made again.
    for (at, entry) in fs::read_dir(studio.cache()).unwrap().enumerate() {
        let path = entry.unwrap().path();
        if at % 2 == 0 {
            let file = fs::read(&path).unwrap();
            fs::write(&path, &file[..file.len() / 2]).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
    }
    studio.builds("damaged", cached).unwrap();
    let expected = studio.files("without");
    for out in ["filling", "using", "damaged"] {
        assert!(studio.files(out) == expected, "{out}");
    }
}

#[test]
fn one_thread_and_four_give_the_same_bytes_in_two_places() {
    let (here, there) = (Studio::with_pack("bean"), Studio::with_pack("bean"));
    here.builds("out", |options| options.jobs = Some(1)).unwrap();
    there.builds("other/place", |options| options.jobs = Some(4)).unwrap();
    assert!(here.files("out") == there.files("other/place"));
}

#[test]
fn a_pack_over_its_budget_is_told_with_numbers_and_not_built() {
    let studio = Studio::with_pack("bean");
    let project = studio.project().join("pack.toml");
    let toml = fs::read_to_string(&project).unwrap();
    fs::write(&project, format!("build = {{ max_sticker_bytes = 900, max_bundle_bytes = 5000 }}\n{toml}"))
        .unwrap();
    let Err(Error::BadInput(findings)) = studio.builds("out", |options| options.effort = Effort::Fast) else {
        panic!("it was built")
    };
    let codes: Vec<_> = findings.iter().map(|it| it.code).collect();
    assert!(codes.contains(&"sticker_over_budget") && codes.contains(&"bundle_over_budget"), "{codes:?}");
    assert!(findings.iter().any(|it| it.message.contains("more than the 900 of the budget")));
    assert!(!studio.folder.path().join("out").exists());
}

#[test]
fn a_clip_of_24_frames_of_83_ms_lasts_1992_ms_in_every_file() {
    let studio = Studio::with_pack("bean");
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 64, 64);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(24, 3).unwrap();
    encoder.set_frame_delay(83, 1000).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for frame in 0..24_u8 {
        writer.write_image_data(&[frame * 10, 90, 200, 255].repeat(64 * 64)).unwrap();
    }
    writer.finish().unwrap();
    fs::write(studio.project().join("clip.png"), file).unwrap();
    let toml = "slug = \"clip\"\ntitles = { en = \"Clip\" }\nartist = { slug = \"a\", name = \"A\" }\n\
                canvas = { width = 16, height = 16 }\n[[stickers]]\nname = \"clip\"\nfile = \"clip.png\"\n";
    fs::write(studio.project().join("pack.toml"), toml).unwrap();
    fs::remove_file(studio.project().join("pack.lock")).ok();
    studio.builds("out", |_| {}).unwrap();
    let mut looked_at = 0;
    for (path, file) in studio.files("out") {
        if path.extension().is_some_and(|it| it == "sticker") {
            let sticker = StickerFile::read(&file).unwrap();
            assert_eq!(
                (sticker.metadata().duration_ms(), sticker.metadata().loop_count),
                (1992, 3),
                "{}",
                path.display()
            );
            looked_at += 1;
        } else if path.to_string_lossy().ends_with(".preview.webp") {
            let animation = sticker_packer::picture::decode_animation(&file).unwrap();
            assert_eq!((animation.duration_ms, animation.frames), (1992, 24));
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 8);
}
