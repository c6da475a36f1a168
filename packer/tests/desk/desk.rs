//! A designer's desk: a folder of their own, and the packer started in it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn place(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn writes(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.place(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A disc on nothing, whose colour changes from left to right.
    pub(crate) fn draws(&self, path: &str, side: u32, seed: u8) {
        self.paints(path, side, |x, y| [seed, channel(x * 255 / side), channel(y * 255 / side)]);
    }

    /// A disc of noise on nothing, which no coder makes small.
    pub(crate) fn scribbles(&self, path: &str, side: u32, seed: u32) {
        self.paints(path, side, |x, y| {
            let mixed = (x * 7919 + y * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761);
            [channel(mixed >> 8 & 255), channel(mixed >> 16 & 255), channel(mixed >> 24)]
        });
    }

    /// An APNG of discs as [`Self::draws`] draws them, each with its seed and how many ms it is shown.
    pub(crate) fn animates(&self, path: &str, side: u32, frames: &[(u8, u16)]) {
        self.films(path, side, frames, |seed, x, y| [seed, channel(x * 255 / side), channel(y * 255 / side)]);
    }

    /// As [`Self::animates`], with a grain that no coder without loss makes small.
    pub(crate) fn sprinkles(&self, path: &str, side: u32, frames: &[(u8, u16)]) {
        self.films(path, side, frames, |seed, x, y| grain(side, seed, x, y));
    }

    /// As [`Self::sprinkles`], but only a square changes: it is at the left where the seed is even, else at the right.
    pub(crate) fn walks(&self, path: &str, side: u32, frames: &[(u8, u16)]) {
        self.films(path, side, frames, |seed, x, y| {
            let (left, top, square) = (side / 8 + u32::from(seed % 2) * side * 4 / 8, side * 3 / 8, side / 4);
            let is_inside = (left..left + square).contains(&x) && (top..top + square).contains(&y);
            grain(side, if is_inside { seed } else { 0 }, x, y)
        });
    }

    fn films(&self, path: &str, side: u32, frames: &[(u8, u16)], colour: impl Fn(u8, u32, u32) -> [u8; 3]) {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_animated(frames.len().try_into().unwrap(), 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        for &(seed, ms) in frames {
            writer.set_frame_delay(ms, 1000).unwrap();
            writer.write_image_data(&disc(side, side, |x, y| colour(seed, x, y))).unwrap();
        }
        writer.finish().unwrap();
        self.writes(path, file);
    }

    fn paints(&self, path: &str, side: u32, colour: impl Fn(u32, u32) -> [u8; 3]) {
        self.stretches(path, side, side, colour);
    }

    /// A disc, or an ellipse where the sides differ.
    pub(crate) fn stretches(
        &self,
        path: &str,
        width: u32,
        height: u32,
        colour: impl Fn(u32, u32) -> [u8; 3],
    ) {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&disc(width, height, colour)).unwrap();
        self.writes(path, file);
    }

    pub(crate) fn packer<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sticker-packer"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            // Nothing of this machine's user, and nothing remembered from another test.
            .env("HOME", self.folder.path().join(".home"))
            .env("XDG_CACHE_HOME", self.folder.path().join(".home/cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .env_remove("STICKER_STORE_SECRET");
        command
    }

    pub(crate) fn runs<const N: usize>(&self, arguments: [&str; N]) -> Said {
        Said(self.packer(arguments).output().unwrap())
    }

    pub(crate) fn starts<const N: usize>(&self, arguments: [&str; N]) -> Running {
        let mut command = self.packer(arguments);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Sorted, hidden ones too, but for the user's home.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<String> {
        let names = fs::read_dir(self.place(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".home").collect();
        names.sort();
        names
    }

    pub(crate) fn hidden_in(&self, folder: &str) -> Vec<String> {
        self.files_in(folder).into_iter().filter(|name| name.starts_with('.')).collect()
    }

    pub(crate) fn reads(&self, path: &str) -> Vec<u8> {
        fs::read(self.place(path)).unwrap()
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.reads(path)).unwrap()
    }
}

/// On nothing, touching no edge; four bytes a pixel.
fn disc(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let away = |at: u32, side: u32| (f64::from(at) + 0.5) / f64::from(side) * 2.0 - 1.0;
    let inside = |x: u32, y: u32| away(x, width).hypot(away(y, height)) < 0.9;
    let pixel = |x, y| match colour(x, y) {
        [red, green, blue] if inside(x, y) => [red, green, blue, 255],
        _ => [0; 4],
    };
    (0..height).flat_map(|y| (0..width).flat_map(|x| pixel(x, y)).collect::<Vec<_>>()).collect()
}

fn grain(side: u32, seed: u8, x: u32, y: u32) -> [u8; 3] {
    let mixed = x.wrapping_mul(374_761_393) ^ y.wrapping_mul(668_265_263) ^ u32::from(seed);
    let mixed = (mixed ^ mixed >> 13).wrapping_mul(1_274_126_177) >> 16;
    [
        seed | channel(mixed & 3),
        channel(90 + x * 90 / side + (mixed >> 4 & 3)),
        channel(60 + (mixed >> 8 & 3)),
    ]
}

fn channel(value: u32) -> u8 {
    u8::try_from(value).unwrap()
}

/// What the packer said, and how it ended.
pub(crate) struct Said(pub(crate) Output);

impl Said {
    #[track_caller]
    pub(crate) fn and_exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}{}", self.out(), self.err());
        self
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// The one JSON document on the standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out()).unwrap()
    }
}

/// A packer at work; ended with the test.
pub(crate) struct Running(Child);

impl Running {
    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its standard output, once.
    pub(crate) fn out(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn ends(mut self) -> ExitStatus {
        waits_until("the packer ends", || self.is_over());
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Looks again and again, for at most a minute.
#[track_caller]
pub(crate) fn waits_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
