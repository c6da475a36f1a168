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
mod ours;
mod peers;
mod scores;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cost::{measure, median};
use ours::{How, build_once};
use rayon::prelude::*;
use scores::Scores;
use sticker_packer::picture::Picture;
use sticker_packer::{Quality, Score};
use sticker_protocol::{Density, LADDER};

const ROUNDS: usize = 3;
const STILLS: usize = 24;
const ANIMATIONS: usize = 8;
const FRAME_MS: u32 = 50;

fn main() {
    if ours::was_asked() {
        return;
    }
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
}

fn stills(set: &str, folder: &Path) {
    let Some(pictures) = artwork(set) else { return };
    let pictures: Vec<_> = pictures.into_iter().cycle().take(STILLS).collect();
    println!("{set}: {STILLS} stills, {} densities", LADDER.len());
    let pack = Pack {
        project: write_project(folder, &pictures, None),
        folder: folder.to_owned(),
        frames: pictures.iter().map(|path| vec![path.clone()]).collect(),
    };
    let (cwebp, vips) = (folder.join("cwebp"), folder.join("vips"));
    let has_cwebp = peers::is_there("cwebp", "-version");
    let has_vips = peers::is_there("vipsthumbnail", "--vips-version");
    let (mut fast, mut search, mut theirs, mut memory) = (Vec::new(), Vec::new(), Vec::new(), [None; 2]);
    for _ in 0..ROUNDS {
        if has_cwebp {
            theirs.push(measure(|| peers::cwebp(&pictures, &cwebp)));
        }
        fast.push(measure(|| memory[0] = pack.build("fast", How::FAST)));
        if search.is_empty() {
            search.push(measure(|| memory[1] = pack.build("default", How::DEFAULT)));
        }
    }
    let (fast, search) = (median(fast), median(search));
    println!("  --effort fast     {fast}, {}", MiB(memory[0]));
    println!("  --effort default  {search}, {}", MiB(memory[1]));
    if has_cwebp {
        let theirs = median(theirs);
        println!("  cwebp -q 85       {theirs}");
        println!("  fast / cwebp      {}", fast.over(theirs));
        println!("  default / cwebp   {}", search.over(theirs));
    }
    println!("  --effort fast     {}", pack.scores("fast").summary());
    println!("  --effort default  {}", pack.scores("default").summary());
    if has_cwebp {
        println!("  cwebp -q 85       {}", pack.peer(&cwebp).summary());
    }
    if has_vips {
        peers::vips(&pictures, &vips);
        let theirs = pack.peer(&vips);
        println!("  vips --linear     {}", theirs.summary());
        pack.as_good_as(&theirs);
    }
}

fn animation(folder: &Path) {
    let Some(stickers) = artwork("anim-noto") else { return };
    let stickers: Vec<Vec<PathBuf>> =
        stickers.iter().filter(|it| it.is_dir()).take(ANIMATIONS).map(|it| entries(it)).collect();
    println!("anim-noto: {ANIMATIONS} animations, {} frames", stickers.iter().map(Vec::len).sum::<usize>());
    let project = write_project(folder, &[], Some(&stickers));
    let pack = Pack { project, folder: folder.to_owned(), frames: stickers };
    let (mut fast, mut search, mut theirs, mut memory) = (Vec::new(), Vec::new(), Vec::new(), [None; 2]);
    let has_peer =
        peers::is_there("img2webp", "-version") && peers::is_there("vipsthumbnail", "--vips-version");
    let peer_out = folder.join("img2webp");
    for round in 0..ROUNDS {
        fast.push(measure(|| memory[0] = pack.build("fast", How::FAST)));
        if round == 0 {
            search.push(measure(|| memory[1] = pack.build("default", How::DEFAULT)));
            if has_peer {
                theirs.push(measure(|| peers::img2webp(&pack.frames, FRAME_MS, &peer_out)));
            }
        }
    }
    let (fast, search) = (median(fast), median(search));
    println!("  --effort fast     {fast}, {}", MiB(memory[0]));
    println!("  --effort default  {search}, {}", MiB(memory[1]));
    println!("  --effort fast     {}", pack.scores("fast").summary());
    println!("  --effort default  {}", pack.scores("default").summary());
    if has_peer {
        let theirs = median(theirs);
        println!("  vips, img2webp    {theirs}");
        println!("  fast / theirs     {}", fast.over(theirs));
        println!("  default / theirs  {}", search.over(theirs));
        let theirs = pack.peer(&peer_out);
        println!("  vips, img2webp    {}", theirs.summary());
        pack.as_good_as(&theirs);
    }
}

/// A pack, built several times.
struct Pack {
    project: PathBuf,
    folder: PathBuf,
    /// The artwork of each sticker.
    frames: Vec<Vec<PathBuf>>,
}

impl Pack {
    fn build(&self, out: &str, how: How<'_>) -> Option<u64> {
        build_once(&self.project, &self.folder.join(out), how)
    }

    /// Bytes of the sticker files above 160, which are WebP for us and for the peers, and their scores.
    fn scores(&self, out: &str) -> Scores {
        let lock = fs::read_to_string(self.project.join("pack.lock")).expect("pack.lock");
        let lock: toml::Table = lock.parse().expect("pack.lock");
        let ids = lock.get("stickers").and_then(|it| it.as_table()).expect("stickers");
        self.score_all(|at, density| {
            let id = ids.get(&at.to_string()).expect("an id");
            let file =
                fs::read(self.folder.join(format!("{out}/{density}/{id}.sticker"))).expect("a sticker");
            (file.len() as u64, scores::frames_of_sticker(&file, FRAME_MS))
        })
    }

    /// The same of a peer's files.
    fn peer(&self, out: &Path) -> Scores {
        self.score_all(|at, density| {
            let path = peers::made(out, at, density.px(128));
            (fs::metadata(&path).expect("a file").len(), scores::frames_of_webp(&path, FRAME_MS))
        })
    }

    fn score_all(&self, made: impl Fn(usize, Density) -> (u64, Vec<Picture>) + Sync) -> Scores {
        let places = (0..self.frames.len()).flat_map(|at| LADDER.map(|density| (at, density)));
        let places: Vec<_> = places.filter(|(_, density)| density.get() > LAST_PNG).collect();
        let scores = places.into_par_iter().map(|(at, density)| {
            let (bytes, shown) = made(at, density);
            Scores::of(bytes, self.frames.get(at).expect("artwork"), &shown)
        });
        scores.reduce(Scores::default, Scores::and)
    }

    /// Builds to ever higher scores until mean, 10th percentile and worst are those of a peer, and compares the bytes.
    fn as_good_as(&self, theirs: &Scores) {
        let scores = (0..40).filter_map(|step| Score::new(theirs.mean() - 4.0 + f64::from(step) * 0.5));
        for quality in scores.map(Quality::Score) {
            self.build("equal", How { quality, ..How::DEFAULT });
            let ours = self.scores("equal");
            if ours.reach(theirs) {
                println!("  --quality {:<7} {}", quality.to_string(), ours.summary());
                #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
                let ratio = ours.bytes as f64 / theirs.bytes as f64;
                println!("  at equal score    {ratio:.2} x bytes");
                return;
            }
        }
        println!("  their score is beyond every quality");
    }
}

/// The densities up to which our stickers are PNG.
const LAST_PNG: u16 = 160;

/// The most memory that a build had.
struct MiB(Option<u64>);

impl std::fmt::Display for MiB {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(mib) => write!(f, "{mib:>4} MiB"),
            None => f.write_str("memory unknown"),
        }
    }
}

/// The second build of a pack of which one sticker has changed.
fn again(folder: &Path) {
    let pictures = artwork("static-noto").unwrap_or_else(sample);
    let pictures: Vec<_> = pictures.into_iter().cycle().take(STILLS).collect();
    let project = write_project(&folder.join("again"), &pictures, None);
    let (out, cache) = (folder.join("again/out"), folder.join("again/cache"));
    let how = How { cache: Some(&cache), ..How::DEFAULT };
    println!("{STILLS} stills with a cache, of which one changes");
    let first = measure(|| _ = build_once(&project, &out, how));
    let mut later = Vec::new();
    for other in pictures.iter().skip(1).take(ROUNDS) {
        fs::write(project.join("0.png"), turned(&fs::read(other).expect("artwork"))).expect("a picture");
        later.push(measure(|| _ = build_once(&project, &out, how)));
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
