//! What somebody waits for who asks first for a variant that is not stored, in process and beside other libraries: a still of 1024 px made 320 px
//! wide, each library with the filter that is usual for it, in interleaved rounds; the medians count, and ratios. Scores are SSIMULACRA2 against
//! the master resized by Lanczos3 in linear light.
//!
//!     python3 -m venv /tmp/peers && /tmp/peers/bin/pip install pillow skia-python 'pyvips[binary]' Wand   # Wand: Debian's libmagickwand-6.q16-6
//!     STICKER_BENCH_PYTHON=/tmp/peers/bin/python cargo bench -p sticker-store --bench on_demand

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use sticker_packer::picture::{Picture, decode};
use sticker_packer::rerender;
use sticker_packer::resize::Linear;
use sticker_packer::score::Reference;
use sticker_packer::{BuildOptions, Effort, build};
use sticker_protocol::ImageFormat;
use sticker_protocol::release::{FileKind, MANIFEST_FILE, Manifest};
use sticker_store::random::Random;
use sticker_tests::shared_data;

const WIDTH: u32 = 320;
const ROUNDS: usize = 5;
const PEERS: [&str; 4] = ["skia", "vips", "imagemagick", "pillow"];

fn main() {
    let Some(artwork) = shared_data("static-noto") else { return };
    let python = std::env::var("STICKER_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = listed(&artwork);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/on_demand/peers.py");
    let peer = |arguments: &[&str], files: &[PathBuf]| {
        let mut command = Command::new(&python);
        command.arg(&script).args(arguments).args(files).stderr(Stdio::null());
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let place = |name: &str| {
        let place = folder.path().join(name);
        fs::create_dir_all(&place).expect("a folder");
        place
    };
    let masters = place("masters");
    if peer(&["masters", &masters.display().to_string()], &pictures).is_none() {
        println!("left out: everything: STICKER_BENCH_PYTHON names no Python with Pillow");
        return;
    }
    let (mut masters, large) = (listed(&masters), masters.join("large.webp"));
    masters.retain(|path| *path != large);
    let read: Vec<Vec<u8>> = masters.iter().map(|path| fs::read(path).expect("a master")).collect();

    let mut ours = Vec::new();
    let mut theirs: Vec<(&str, Vec<f64>)> = PEERS.map(|name| (name, Vec::new())).into();
    for _ in 0..ROUNDS {
        ours.extend(read.iter().map(|master| milliseconds(|| made(master))));
        for (name, took) in &mut theirs {
            let out = place(name).display().to_string();
            let said = peer(&[name, &WIDTH.to_string(), &out], &masters);
            let said = said.and_then(|said| serde_json::from_str::<Vec<f64>>(&said).ok());
            took.extend(said.unwrap_or_default());
        }
    }
    let of_ours: Vec<Vec<u8>> = read.iter().map(|master| made(master)).collect();
    let ours = median(ours);
    println!("a still, 1024 px to {WIDTH} px, medians of {ROUNDS} rounds of {} pictures", masters.len());
    println!("{:<12} {ours:>7.1} ms           {}", "sticker", quality(&read, &of_ours));
    for (name, took) in theirs {
        if took.is_empty() {
            println!("{name:<12} left out: it is not installed");
            continue;
        }
        let made: Vec<Vec<u8>> = masters
            .iter()
            .map(|path| fs::read(place(name).join(path.file_name().expect("a name"))).expect("a result"))
            .collect();
        let theirs = median(took);
        println!("{name:<12} {theirs:>7.1} ms   {:>4.2} x  {}", ours / theirs, quality(&read, &made));
    }
    let large = fs::read(large).expect("a master");
    let took = median((0..ROUNDS).map(|_| milliseconds(|| made(&large))).collect());
    println!("a master of 3 Mpx to {WIDTH} px {took:.1} ms");
    variants(&pictures, folder.path());
}

/// What a phone waits for: a whole sticker file made again of its master and compared with the manifest.
fn variants(pictures: &[PathBuf], folder: &Path) {
    let (project, out, random) = (folder.join("project"), folder.join("out"), Random::system());
    fs::create_dir_all(&project).expect("a folder");
    let mut toml =
        "slug = \"bench\"\ntitles = { en = \"Bench\" }\nartist = { slug = \"a\", name = \"A\" }\n".to_owned();
    for (at, picture) in pictures.iter().enumerate() {
        fs::copy(picture, project.join(format!("{at}.png"))).expect("a copy");
        let _ = writeln!(toml, "[[stickers]]\nname = \"{at}\"\nfile = \"{at}.png\"");
    }
    fs::write(project.join("pack.toml"), toml).expect("a project");
    for (name, effort) in [("fast", Effort::Fast), ("default", Effort::Default)] {
        let options = BuildOptions { effort, ..BuildOptions::new(random.secure()) };
        let out = out.join(name);
        build(&project, &out, &options, &()).expect("a release");
        let manifest = fs::read(out.join(MANIFEST_FILE)).expect("a manifest");
        let release = Manifest::read(&manifest).expect("a manifest");
        for density in &release.densities {
            let files = release.files_of(FileKind::Sticker).filter(|file| file.density == Some(*density));
            let took = files.map(|file| {
                let master = release.files_of(FileKind::Master).find(|master| master.sticker == file.sticker);
                let master = fs::read(out.join(master.expect("a master").path.as_str())).expect("a master");
                milliseconds(|| rerender::sticker_file(&master, &release, file).expect("the same bytes"))
            });
            let mut took: Vec<f64> = took.collect();
            took.sort_by(f64::total_cmp);
            let worst = took.last().copied().unwrap_or_default();
            println!(
                "a sticker file, effort {name:<7} at {density}: {:>6.1} ms, worst {worst:.1}",
                median(took)
            );
        }
    }
}

fn made(master: &[u8]) -> Vec<u8> {
    rerender::at_width(master, WIDTH).expect("a still")
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    drop(work());
    began.elapsed().as_secs_f64() * 1_000.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Bytes, and the mean, 10th percentile and worst score.
fn quality(masters: &[Vec<u8>], made: &[Vec<u8>]) -> String {
    let mut scores: Vec<f64> = masters.iter().zip(made).map(|(master, made)| score(master, made)).collect();
    scores.sort_by(f64::total_cmp);
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let bytes: usize = made.iter().map(Vec::len).sum();
    format!("{bytes:>7} bytes, score {mean:.1} / {:.1} / {:.1}", scores[scores.len() / 10], scores[0])
}

fn score(master: &[u8], made: &[u8]) -> f64 {
    let webp = |bytes: &[u8]| -> Picture { decode(bytes, ImageFormat::WebP).expect("a WebP") };
    let shown = webp(made);
    let linear = Linear::new(webp(master)).expect("pixels");
    let reference = linear.fit(shown.width, shown.height).expect("a size");
    Reference::new(&reference).and_then(|reference| reference.score(&shown)).expect("pictures of one size")
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort_unstable();
    paths
}
