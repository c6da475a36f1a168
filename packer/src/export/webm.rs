//! Animations as `WebM` with VP9 and alpha, by the machine's ffmpeg.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rayon::prelude::*;

use super::fill::filled;
use super::fit::first_that_fits;
use super::frames::Frames;
use crate::error::Error;
use crate::picture::Picture;

/// An ffmpeg that codes and decodes VP9 with alpha.
#[derive(Debug)]
pub(super) struct Ffmpeg {
    /// Where it writes, one video at a time: a `WebM` needs its length at its start, which no pipe goes back to.
    scratch: PathBuf,
}

impl Ffmpeg {
    /// `None` where the machine has none, or one without libvpx-vp9.
    pub(super) fn find(scratch: PathBuf) -> Option<Self> {
        let knows = |list: &str| {
            let said =
                Command::new(PROGRAM).args(["-hide_banner", list]).stdin(Stdio::null()).output().ok()?;
            String::from_utf8_lossy(&said.stdout).contains(CODEC).then_some(())
        };
        knows("-encoders").and_then(|()| knows("-decoders"))?;
        Some(Self { scratch })
    }

    /// At the highest quality that fits into `max_bytes`, and the frames as they come out of it. It plays for ever.
    pub(super) fn code(&self, frames: &Frames, max_bytes: u64) -> Result<(Vec<u8>, Vec<Picture>), Error> {
        let schedule = Schedule::of(&frames.durations_ms);
        let mut pixels: Vec<_> = frames.pictures.par_iter().map(filled).collect();
        if schedule.repeats_last {
            pixels.extend(pixels.last().cloned());
        }
        let file = first_that_fits(LEVELS.len(), max_bytes, |level| {
            let Some(quality) = LEVELS.get(level) else { return Ok(Vec::new()) };
            self.encode(frames.size(), &pixels, &schedule, *quality)
        })?;
        fs::write(&self.scratch, &file).map_err(Error::io("write", &self.scratch))?;
        let mut shown = self.decode(frames.size())?;
        shown.truncate(frames.pictures.len());
        fs::remove_file(&self.scratch).map_err(Error::io("remove", &self.scratch))?;
        Ok((file, shown))
    }

    /// As ffmpeg wants a path that may hold a colon: anything before one is a protocol to it.
    fn address(&self) -> OsString {
        let mut address = OsString::from("file:");
        address.push(&self.scratch);
        address
    }

    fn encode(
        &self,
        (width, height): (u32, u32),
        pixels: &[Vec<u8>],
        schedule: &Schedule,
        quality: u8,
    ) -> Result<Vec<u8>, Error> {
        let (size, quality) = (format!("{width}x{height}"), quality.to_string());
        let mut ffmpeg = Command::new(PROGRAM);
        ffmpeg
            .args(["-hide_banner", "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgba"])
            .args(["-video_size", &size, "-framerate", &schedule.rate, "-i", "pipe:0"])
            .args(["-vf", &schedule.filter, "-sws_flags", EXACT])
            .args(["-fps_mode", "passthrough", "-enc_time_base", "1/1000"])
            .args(["-c:v", CODEC, "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"])
            .args(["-crf", &quality, "-b:v", "0", "-deadline", "good", "-cpu-used", "1"])
            // With several threads libvpx makes other bytes.
            .args(["-threads", "1"])
            // Nothing of the machine or the hour.
            .args(["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"])
            .args(["-an", "-f", "webm", "-y"])
            .arg(self.address());
        run(&mut ffmpeg, pixels)?;
        fs::read(&self.scratch).map_err(Error::io("read", &self.scratch))
    }

    fn decode(&self, (width, height): (u32, u32)) -> Result<Vec<Picture>, Error> {
        let mut ffmpeg = Command::new(PROGRAM);
        // ffmpeg's own decoder does not know of alpha.
        ffmpeg.args(["-hide_banner", "-loglevel", "error", "-c:v", CODEC, "-i"]).arg(self.address());
        ffmpeg.args(["-fps_mode", "passthrough", "-sws_flags", EXACT]);
        ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"]);
        let pixels = run(&mut ffmpeg, &[])?.stdout;
        let pictures = pixels.chunks_exact(width as usize * height as usize * 4);
        Ok(pictures.map(|rgba| Picture { width, height, rgba: rgba.to_vec() }).collect())
    }
}

/// Runs it with the pixels on its standard input.
fn run(ffmpeg: &mut Command, pixels: &[Vec<u8>]) -> Result<Output, Error> {
    let path = Path::new(PROGRAM);
    let mut child = ffmpeg
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io("run", path))?;
    let input = child.stdin.take();
    // What it says must be read while it is fed, or both wait for ever.
    let said = std::thread::scope(|scope| {
        scope.spawn(move || {
            let Some(mut input) = input else { return };
            // Where it has ended, what it said tells why.
            let _ = pixels.iter().try_for_each(|frame| input.write_all(frame));
        });
        child.wait_with_output()
    });
    let said = said.map_err(Error::io("run", path))?;
    if !said.status.success() {
        let words = String::from_utf8_lossy(&said.stderr);
        let last = words.lines().last().unwrap_or_default().to_owned();
        return Err(Error::io("run", path)(io::Error::other(format!("{}: {last}", said.status))));
    }
    Ok(said)
}

/// When each frame is shown, in the words of ffmpeg.
struct Schedule {
    /// Sets the time of each frame in ms.
    filter: String,
    /// Frames a second, as a fraction: those of the shortest frame. The last one is taken to last that long.
    rate: String,
    /// Whether the last frame comes a second time, so that it is shown until the end.
    repeats_last: bool,
}

impl Schedule {
    fn of(durations_ms: &[u32]) -> Self {
        let shortest = durations_ms.iter().copied().min().unwrap_or(SLOT_MS).max(SLOT_MS);
        let last = durations_ms.last().copied().unwrap_or(shortest);
        let repeats_last = last >= shortest + SLOT_MS;
        let mut filter = String::from("settb=1/1000,setpts=0");
        let mut steps = durations_ms.to_vec();
        let end = if repeats_last {
            steps.pop();
            steps.extend([last - shortest, shortest]);
            shortest
        } else {
            last
        };
        steps.pop();
        for (number, step) in (1_u32..).zip(steps) {
            let _ = write!(filter, "+{step}*gte(N\\,{number})");
        }
        // 33 ms and a third are 33 ms in a file that counts in ms.
        let rate = if end == SLOT_MS { "30".to_owned() } else { format!("1000/{end}") };
        Self { filter, rate, repeats_last }
    }
}

const PROGRAM: &str = "ffmpeg";
/// How ffmpeg turns RGB into YUV and back; the usual way is quicker and costs up to five points.
const EXACT: &str = "accurate_rnd+full_chroma_int+full_chroma_inp";
const CODEC: &str = "libvpx-vp9";
/// libvpx's constant quality, best first; above 56 nobody wants to look at it.
const LEVELS: [u8; 23] =
    [8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 52, 56];
/// Of a frame at 30 a second, in whole ms.
const SLOT_MS: u32 = 33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_begins_when_it_should_and_the_last_one_lasts_as_long_as_it_should() {
        let even = Schedule::of(&[50, 50, 50]);
        assert_eq!(even.filter, "settb=1/1000,setpts=0+50*gte(N\\,1)+50*gte(N\\,2)");
        assert_eq!((even.rate.as_str(), even.repeats_last), ("1000/50", false));
        let thirty = Schedule::of(&[33, 34, 33]);
        assert_eq!((thirty.rate.as_str(), thirty.repeats_last), ("30", false));
        // The last one is shown 200 ms and then 58 ms more.
        let uneven = Schedule::of(&[70, 58, 258]);
        assert_eq!(uneven.filter, "settb=1/1000,setpts=0+70*gte(N\\,1)+58*gte(N\\,2)+200*gte(N\\,3)");
        assert_eq!((uneven.rate.as_str(), uneven.repeats_last), ("1000/58", true));
    }
}
