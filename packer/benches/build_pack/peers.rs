//! What designers script otherwise, one process for each picture and size, as many at once as there are cores.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sticker_protocol::LADDER;

/// Whether a tool is installed; says so where it is not.
#[expect(clippy::print_stdout, reason = "a benchmark that prints its figures")]
pub(crate) fn is_there(tool: &str, argument: &str) -> bool {
    let found = Command::new(tool).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("  {tool} is not installed: nothing to compare with");
    }
    found
}

/// `cwebp -q 85 -resize` for every picture and size.
pub(crate) fn cwebp(artwork: &[PathBuf], out: &Path) {
    run(artwork, out, |path, px, to| format!("cwebp -quiet -q 85 -resize {px} 0 {path} -o {to}"));
}

/// `vipsthumbnail --linear` to WebP of quality 85 for every picture and size.
pub(crate) fn vips(artwork: &[PathBuf], out: &Path) {
    run(artwork, out, |path, px, to| {
        format!("VIPS_CONCURRENCY=1 vipsthumbnail --linear -s {px} -o {to}[Q=85] {path}")
    });
}

/// The file that [`vips`] and [`cwebp`] make.
pub(crate) fn made(out: &Path, at: usize, px: u32) -> PathBuf {
    out.join(format!("{at}-{px}.webp"))
}

fn run(artwork: &[PathBuf], out: &Path, command: impl Fn(&str, u32, &str) -> String) {
    let mut script = String::new();
    for (at, path) in artwork.iter().enumerate() {
        for px in LADDER.map(|density| density.px(128)) {
            let to = made(out, at, px);
            let _ =
                writeln!(script, "{}", command(&path.display().to_string(), px, &to.display().to_string()));
        }
    }
    in_parallel(out, &script);
}

/// Frames by `vipsthumbnail --linear` to PNG, then `img2webp -mixed`, for every sticker and size.
pub(crate) fn img2webp(stickers: &[Vec<PathBuf>], frame_ms: u32, out: &Path) {
    let mut script = String::new();
    for (at, frames) in stickers.iter().enumerate() {
        for px in LADDER.map(|density| density.px(128)) {
            let mut pictures = String::new();
            let folder = out.join(format!("{at}-{px}"));
            let _ = write!(script, "mkdir -p {} && ", folder.display());
            for (number, frame) in frames.iter().enumerate() {
                let picture = folder.join(format!("{number:03}.png"));
                let _ = write!(
                    script,
                    "VIPS_CONCURRENCY=1 vipsthumbnail --linear -s {px} -o {} {} && ",
                    picture.display(),
                    frame.display()
                );
                let _ = write!(pictures, " {}", picture.display());
            }
            let _ = writeln!(
                script,
                "img2webp -mixed -q 85 -d {frame_ms}{pictures} -o {} > /dev/null 2>&1",
                made(out, at, px).display()
            );
        }
    }
    in_parallel(out, &script);
}

/// One line of the script at a time on each core.
fn in_parallel(out: &Path, script: &str) {
    fs::create_dir_all(out).expect("a folder");
    let list = out.join("list");
    fs::write(&list, script).expect("a list");
    let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let xargs = "tr '\\n' '\\0' < \"$2\" | xargs -0 -P \"$1\" -n 1 sh -c";
    let status = Command::new("sh").args(["-c", xargs, "sh", &cores]).arg(&list).status();
    assert!(status.is_ok_and(|status| status.success()), "a peer failed");
}
