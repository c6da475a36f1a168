//! Packs built whole (six densities, masters, pictures for pages, bundles, everything synced to the disk) beside what designers script
//! otherwise. All in turns in one run; shared machines are noisy, so what counts are the ratios.
//!
//! `cargo bench -p sticker-packer`, or with the names of sections: `-- stills animation again`. Peers that are not installed are left out
//! (Debian: `apt-get install webp libvips-tools`).

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

mod cost;
mod peers;
mod scores;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cost::{measure, median};
use ring::rand::SystemRandom;
use scores::Scores;
use sticker_packer::{BuildOptions, BuildReport, Effort, build};
use sticker_protocol::{Density, LADDER};

const ROUNDS: usize = 3;
const STILLS: usize = 24;
const ANIMATIONS: usize = 8;
const FRAME_MS: u32 = 50;

fn main() {
    let wanted: Vec<_> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let is_wanted = |section: &str| wanted.is_empty() || wanted.iter().any(|it| it == section);
    let folder = tempfile::tempdir().expect("a temporary folder");
    if is_wanted("again") {
        again(folder.path());
    }
    if is_wanted("stills") {
        for set in ["static-noto", "static-openmoji", "static-photo"] {
            stills(set, &folder.path().join(set));
        }
    }
    if is_wanted("animation") {
        animation(&folder.path().join("anim-noto"));
    }
    println!("peak memory of all of it: {}", cost::peak_memory());
}

fn stills(set: &str, folder: &Path) {
    let Some(pictures) = artwork(set) else { return };
    let pictures: Vec<_> = pictures.into_iter().cycle().take(STILLS).collect();
    println!("{set}: {STILLS} stills, {} densities", LADDER.len());
    let project = write_project(folder, &pictures, None);
    let (out, cwebp, vips) = (folder.join("out"), folder.join("cwebp"), folder.join("vips"));
    let (has_cwebp, has_vips) =
        (peers::is_there("cwebp", "-version"), peers::is_there("vipsthumbnail", "--vips-version"));
    let (mut fast, mut search, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        if has_cwebp {
            theirs.push(measure(|| peers::cwebp(&pictures, &cwebp)));
        }
        fast.push(measure(|| drop(build_once(&project, &out, Effort::Fast, None))));
        if search.is_empty() {
            search.push(measure(|| {
                drop(build_once(&project, &folder.join("searched"), Effort::Default, None));
            }));
        }
    }
    let (fast, search) = (median(fast), median(search));
    println!("  --effort fast     {fast}");
    println!("  --effort default  {search}");
    if has_cwebp {
        let theirs = median(theirs);
        println!("  cwebp -q 85       {theirs}");
        println!("  fast / cwebp      {}", fast.over(theirs));
        println!("  default / cwebp   {}", search.over(theirs));
    }
    let stickers: Vec<Vec<&Path>> = pictures.iter().map(|path| vec![path.as_path()]).collect();
    println!("  --effort fast     {}", ours(&out, &stickers, folder));
    println!("  --effort default  {}", ours(&folder.join("searched"), &stickers, folder));
    if has_cwebp {
        println!("  cwebp -q 85       {}", peer(&cwebp, &stickers));
    }
    if has_vips {
        peers::vips(&pictures, &vips);
        println!("  vips --linear     {}", peer(&vips, &stickers));
    }
}

fn animation(folder: &Path) {
    let Some(stickers) = artwork("anim-noto") else { return };
    let stickers: Vec<Vec<PathBuf>> =
        stickers.iter().filter(|it| it.is_dir()).take(ANIMATIONS).map(|it| entries(it)).collect();
    println!("anim-noto: {ANIMATIONS} animations, {} frames", stickers.iter().map(Vec::len).sum::<usize>());
    let project = write_project(folder, &[], Some(&stickers));
    let frames: Vec<Vec<&Path>> =
        stickers.iter().map(|frames| frames.iter().map(PathBuf::as_path).collect()).collect();
    let out = folder.join("out");
    let fast = measure(|| drop(build_once(&project, &out, Effort::Fast, None)));
    println!("  --effort fast     {fast}");
    println!("  --effort fast     {}", ours(&out, &frames, folder));
    let search = measure(|| drop(build_once(&project, &out, Effort::Default, None)));
    println!("  --effort default  {search}");
    println!("  --effort default  {}", ours(&out, &frames, folder));
    if peers::is_there("img2webp", "-version") && peers::is_there("vipsthumbnail", "--vips-version") {
        let peer_out = folder.join("img2webp");
        let theirs = measure(|| peers::img2webp(&stickers, FRAME_MS, &peer_out));
        println!("  vips, img2webp    {theirs}");
        println!("  fast / theirs     {}", fast.over(theirs));
        println!("  default / theirs  {}", search.over(theirs));
        println!("  vips, img2webp    {}", peer(&peer_out, &frames));
    }
}

/// The second build of a pack of which one sticker has changed.
fn again(folder: &Path) {
    let pictures = artwork("static-noto").unwrap_or_else(sample);
    let pictures: Vec<_> = pictures.into_iter().cycle().take(STILLS).collect();
    let project = write_project(&folder.join("again"), &pictures, None);
    let (out, cache) = (folder.join("again/out"), folder.join("again/cache"));
    println!("{STILLS} stills with a cache, of which one changes");
    let first = measure(|| drop(build_once(&project, &out, Effort::Default, Some(&cache))));
    let mut later = Vec::new();
    for other in pictures.iter().skip(1).take(ROUNDS) {
        fs::write(project.join("0.png"), turned(&fs::read(other).expect("artwork"))).expect("a picture");
        later.push(measure(|| drop(build_once(&project, &out, Effort::Default, Some(&cache)))));
    }
    let later = median(later);
    println!("  first build       {first}");
    println!("  second build      {later}");
    println!("  second / first    {}", later.over(first));
}

/// Another picture of as much work: the same with red and blue exchanged.
fn turned(file: &[u8]) -> Vec<u8> {
    let mut picture =
        sticker_packer::picture::decode(file, sticker_protocol::ImageFormat::Png).expect("a PNG");
    picture.rgba.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().expect("a header").write_image_data(&picture.rgba).expect("pixels");
    out
}

#[expect(clippy::disallowed_methods, reason = "the edge of a program is where randomness comes in")]
fn build_once(project: &Path, out: &Path, effort: Effort, cache: Option<&Path>) -> BuildReport {
    let random = SystemRandom::new();
    let options = BuildOptions { effort, cache: cache.map(Path::to_owned), ..BuildOptions::new(&random) };
    build(project, out, &options, &()).expect("a pack that can be built")
}

/// Bytes of the sticker files above 160, which are WebP for us and for the peers, and their scores.
fn ours(out: &Path, artwork: &[Vec<&Path>], folder: &Path) -> String {
    let lock = fs::read_to_string(folder.join("project/pack.lock")).expect("pack.lock");
    let lock: toml::Table = lock.parse().expect("pack.lock");
    let ids = lock.get("stickers").and_then(|it| it.as_table()).expect("stickers");
    let mut scores = Scores::default();
    for (at, frames) in artwork.iter().enumerate() {
        let id = ids.get(&at.to_string()).expect("an id");
        for density in LADDER.into_iter().filter(|&it| is_webp(it)) {
            let file = fs::read(out.join(format!("{density}/{id}.sticker"))).expect("a sticker file");
            scores.add(file.len() as u64, frames, &scores::frames_of_sticker(&file));
        }
    }
    scores.summary()
}

fn peer(out: &Path, artwork: &[Vec<&Path>]) -> String {
    let mut scores = Scores::default();
    for (at, frames) in artwork.iter().enumerate() {
        for density in LADDER.into_iter().filter(|&it| is_webp(it)) {
            let path = peers::made(out, at, density.px(128));
            let bytes = fs::metadata(&path).expect("a file").len();
            scores.add(bytes, frames, &scores::frames_of_webp(&path));
        }
    }
    scores.summary()
}

fn is_webp(density: Density) -> bool {
    density.get() > 160
}

/// A set of the collection where that lies beside the repository.
fn artwork(set: &str) -> Option<Vec<PathBuf>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|folder| folder.join("shared/data").join(set)).find(|it| it.is_dir());
    if found.is_none() {
        println!("{set}: left out, since the collection of artwork does not lie beside the repository");
    }
    found.map(|folder| entries(&folder))
}

/// The stills of the repository's own packs.
fn sample() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["sample/mochi/stickers", "sample/bean/stickers"].map(|it| here.join(it));
    folders.iter().flat_map(|folder| entries(folder)).filter(|it| it.is_file()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of artwork");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Stickers named 0, 1, 2 in `folder/project`.
fn write_project(folder: &Path, stills: &[PathBuf], animations: Option<&[Vec<PathBuf>]>) -> PathBuf {
    let project = folder.join("project");
    fs::create_dir_all(&project).expect("a folder");
    let mut toml =
        "slug = \"bench\"\ntitles = { en = \"Bench\" }\nartist = { slug = \"a\", name = \"A\" }\n".to_owned();
    for (at, from) in stills.iter().enumerate() {
        fs::copy(from, project.join(format!("{at}.png"))).expect("a copy");
        let _ = writeln!(toml, "[[stickers]]\nname = \"{at}\"\nfile = \"{at}.png\"");
    }
    for (at, frames) in animations.unwrap_or_default().iter().enumerate() {
        let folder = project.join(at.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        for (number, from) in frames.iter().enumerate() {
            fs::copy(from, folder.join(format!("{number:03}.png"))).expect("a copy");
        }
        let _ = writeln!(toml, "[[stickers]]\nname = \"{at}\"\nfile = \"{at}\"\nframe_ms = {FRAME_MS}");
    }
    fs::write(project.join("pack.toml"), toml).expect("a project");
    project
}
