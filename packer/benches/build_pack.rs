//! A pack of 24 stills built whole (six densities, masters, pictures for pages, bundles, everything synced to the disk) beside
//! `cwebp -q 85 -resize` of the same pictures to the same six sizes, one process each on all cores. Both in turns in one run;
//! shared machines are noisy, so what counts are the ratios. CPU time comes from `/proc` and is left out elsewhere.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use sticker_packer::{BuildOptions, build};
use sticker_protocol::LADDER;

const ROUNDS: usize = 5;
const STICKERS: usize = 24;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, out) = (folder.path().join("project"), folder.path().join("out"));
    let artwork = write_project(&project);
    build_once(&project, &out);

    let cwebp = Command::new("cwebp").arg("-version").stdout(Stdio::null()).status().is_ok();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(measure(|| build_once(&project, &out)));
        if cwebp {
            theirs.push(measure(|| run_cwebp(&artwork, &folder.path().join("cwebp"))));
        }
    }
    let ours = median(ours);
    println!("build a pack of {STICKERS} stills     {:>7.0?} wall, {:>7.0?} CPU", ours.wall, ours.cpu);
    if cwebp {
        let theirs = median(theirs);
        println!("cwebp -q 85 to the same sizes {:>7.0?} wall, {:>7.0?} CPU", theirs.wall, theirs.cpu);
        println!(
            "build / cwebp                 {:.2} x wall, {:.2} x CPU",
            ratio(ours.wall, theirs.wall),
            ratio(ours.cpu, theirs.cpu)
        );
    } else {
        println!("cwebp is not installed: nothing to compare with");
    }
    println!("peak memory                   {}", peak_memory().unwrap_or_else(|| "unknown".to_owned()));
}

#[expect(clippy::disallowed_methods, reason = "the edge of a program is where randomness comes in")]
fn build_once(project: &Path, out: &Path) {
    let random = SystemRandom::new();
    build(project, out, &BuildOptions { jobs: None, random: &random }, &())
        .expect("a pack that can be built");
}

/// One process for each picture and size, as many at once as there are cores.
fn run_cwebp(artwork: &[PathBuf], out: &Path) {
    fs::create_dir_all(out).expect("a folder");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let list = out.join("list");
    let mut lines = String::new();
    for (at, path) in artwork.iter().enumerate() {
        for px in LADDER.map(|density| density.px(128)) {
            let _ = writeln!(
                lines,
                "{px} 0 {} -o {}",
                path.display(),
                out.join(format!("{at}-{px}.webp")).display()
            );
        }
    }
    fs::write(&list, lines).expect("a list");
    let cwebp = "xargs -P \"$1\" -L 1 cwebp -quiet -q 85 -resize < \"$2\"";
    let status = Command::new("sh").args(["-c", cwebp, "sh", &cores.to_string()]).arg(&list).status();
    assert!(status.is_ok_and(|status| status.success()), "cwebp failed");
}

/// Noto's emoji where the collection of artwork lies beside the repository, the sample packs' stills otherwise.
fn write_project(project: &Path) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let noto =
        here.ancestors().map(|folder| folder.join("shared/data/static-noto")).find(|folder| folder.is_dir());
    let folders = noto.map_or_else(
        || vec![here.join("sample/mochi/stickers"), here.join("sample/bean/stickers")],
        |noto| vec![noto],
    );
    println!("artwork: {}", folders.first().map(|folder| folder.display().to_string()).unwrap_or_default());
    let pictures = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of artwork"));
    let mut pictures: Vec<_> =
        pictures.map(|entry| entry.expect("an entry").path()).filter(|it| it.is_file()).collect();
    pictures.sort();

    fs::create_dir_all(project).expect("a folder");
    let mut toml =
        "slug = \"bench\"\ntitles = { en = \"Bench\" }\nartist = { slug = \"a\", name = \"A\" }\n".to_owned();
    let copies = pictures.iter().cycle().take(STICKERS).enumerate().map(|(at, from)| {
        let to = project.join(format!("{at}.png"));
        fs::copy(from, &to).expect("a copy");
        let _ = writeln!(toml, "[[stickers]]\nname = \"{at}\"\nfile = \"{at}.png\"");
        to
    });
    let copies = copies.collect();
    fs::write(project.join("pack.toml"), toml).expect("a project");
    copies
}

#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn measure(work: impl FnOnce()) -> Cost {
    let (start, cpu) = (Instant::now(), cpu_time());
    work();
    Cost { wall: start.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
}

fn median(mut costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    costs.sort_by_key(|cost| cost.wall);
    let wall = costs.get(middle).map(|cost| cost.wall).unwrap_or_default();
    costs.sort_by_key(|cost| cost.cpu);
    Cost { wall, cpu: costs.get(middle).map(|cost| cost.cpu).unwrap_or_default() }
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64().max(0.001)
}

/// User and system time of this process and of its children that ended, from fields 14 to 17 of proc(5), at 100 Hz.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_memory() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{} MiB", kib / 1024))
}
