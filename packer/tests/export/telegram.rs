//! For Telegram: WebP stills, and `WebM` videos by the machine's ffmpeg.

use std::process::Command;

use serde_json::{Value, json};

use crate::around::installed;
use crate::desk::Said;
use crate::studio::{Studio, animation, frames_of, still};

/// Whether videos can be made and looked at here.
fn has_ffmpeg() -> bool {
    ["ffmpeg", "ffprobe"].iter().all(|&tool| installed(&[tool], "-version").is_some())
}

/// What ffprobe says of a video: its streams, its whole length, and when each of its frames is shown, in ms.
struct Video {
    streams: Value,
    duration_ms: u64,
    starts_ms: Vec<u64>,
}

impl Video {
    fn probe(studio: &Studio, file: &str) -> Self {
        let mut ffprobe = Command::new("ffprobe");
        ffprobe.args(["-v", "error", "-of", "json", "-show_streams", "-show_format", "-show_packets"]);
        let said: Value =
            serde_json::from_slice(&ffprobe.arg(studio.desk.place(file)).output().unwrap().stdout).unwrap();
        let ms = |seconds: &Value| {
            let whole = seconds.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
            assert_eq!(whole % 1000, 0, "{seconds}");
            whole / 1000
        };
        let starts = said["packets"].as_array().unwrap().iter().map(|packet| ms(&packet["pts_time"]));
        Self {
            starts_ms: starts.collect(),
            duration_ms: ms(&said["format"]["duration"]),
            streams: said["streams"].clone(),
        }
    }

    /// Codec, width, height and whether it says that it has alpha, of the only stream there is.
    fn is_vp9_of(&self, width: u32, height: u32) {
        let [stream] = self.streams.as_array().unwrap().as_slice() else { panic!("{:#}", self.streams) };
        assert_eq!((&stream["codec_name"], &stream["tags"]["alpha_mode"]), (&json!("vp9"), &json!("1")));
        assert_eq!((&stream["width"], &stream["height"]), (&json!(width), &json!(height)));
        let (frames, seconds) = stream["r_frame_rate"].as_str().unwrap().split_once('/').unwrap();
        assert!(frames.parse::<u32>().unwrap() <= 30 * seconds.parse::<u32>().unwrap(), "{stream:#}");
    }
}

/// The pixels of every frame as libvpx decodes them.
fn pixels(studio: &Studio, file: &str) -> Vec<u8> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-c:v", "libvpx-vp9", "-i"]).arg(studio.desk.place(file));
    ffmpeg
        .args(["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .output()
        .unwrap()
        .stdout
}

fn without_ffmpeg(studio: &Studio) -> Said {
    let empty = studio.desk.place("pack");
    let mut packer = studio.desk.packer(["export", "pack", "--to", "telegram", "--out", "out", "--json"]);
    Said(packer.env("PATH", empty).output().unwrap())
}

#[test]
fn an_animation_becomes_a_video_with_alpha_that_shows_every_frame_when_it_should() {
    if !has_ffmpeg() {
        return;
    }
    let studio = Studio::new(&[animation("wave"), animation("long-end"), still("hi")]);
    studio.desk.animates("pack/long-end.png", 512, &[(0, 70), (90, 58), (170, 258)]);
    let report = studio.exports("telegram").and_exits(0).json();
    assert_eq!(studio.desk.files_in("out"), ["export.json", "pack.json", "stickers"]);
    assert_eq!(studio.desk.files_in("out/stickers"), ["hi.webp", "long-end.webm", "wave.webm"]);
    let sticker = |file: &str, format: &str| json!({ "sticker": format!("stickers/{file}"), "format": format, "emoji_list": ["🙂", "👋", "🎉", "🔥"] });
    let stickers =
        [sticker("wave.webm", "video"), sticker("long-end.webm", "video"), sticker("hi.webp", "static")];
    assert_eq!(studio.desk.json("out/pack.json"), json!({ "title": "Mochi", "stickers": stickers }));
    for sticker in report["stickers"].as_array().unwrap() {
        assert_eq!(sticker["max_bytes"], if sticker["frames"] == 1 { 524_288 } else { 262_144 });
        assert!(sticker["bytes"].as_u64() <= sticker["max_bytes"].as_u64(), "{sticker:#}");
        assert!(sticker["score"].as_f64().unwrap() >= 80.0, "{sticker:#}");
    }

    let wave = Video::probe(&studio, "out/stickers/wave.webm");
    wave.is_vp9_of(512, 512);
    assert_eq!((wave.starts_ms.as_slice(), wave.duration_ms), ([0, 70, 180].as_slice(), 225));
    // The last frame comes a second time, so that players without a look at the length show it long enough.
    let long = Video::probe(&studio, "out/stickers/long-end.webm");
    assert_eq!((long.starts_ms.as_slice(), long.duration_ms), ([0, 70, 128, 328].as_slice(), 386));

    let pixels = pixels(&studio, "out/stickers/wave.webm");
    let frame = 512 * 512 * 4;
    assert_eq!(pixels.len(), 3 * frame);
    for (frame, red) in pixels.chunks(frame).zip([0, 90, 170]) {
        let middle = &frame[(256 * 512 + 256) * 4..][..4];
        assert_eq!((frame[3], middle[3]), (0, 255));
        assert!(middle[0].abs_diff(red) < 12, "{middle:?} is not {red} red");
    }
}

#[test]
fn one_side_has_512_px_and_nothing_is_put_around_it() {
    if !has_ffmpeg() {
        return;
    }
    let studio = Studio::new(&[still("high"), still("wide")]);
    studio.desk.stretches("pack/high.png", 300, 600, |_, _| [200, 40, 90]);
    for frame in 0..2_u8 {
        studio.desk.stretches(&format!("pack/wide/{frame}.png"), 700, 411, |_, _| [200, frame * 200, 90]);
    }
    studio.changes("wide.png\"", "wide\"\nframe_ms = 100");
    studio.exports("telegram").and_exits(0);
    assert_eq!(frames_of(&studio.desk.reads("out/stickers/high.webp")), (256, 512, vec![]));
    Video::probe(&studio, "out/stickers/wide.webm").is_vp9_of(512, 301);
}

#[test]
fn sixty_frames_a_second_become_thirty_in_the_same_time_and_it_is_told() {
    if !has_ffmpeg() {
        return;
    }
    let studio = Studio::new(&[still("fast")]);
    for frame in 0..6_u8 {
        studio.desk.draws(&format!("pack/fast/{frame}.png"), 256, frame * 40);
    }
    studio.changes("fast.png\"", "fast\"\nfps = 60");
    let report = studio.exports("telegram").and_exits(0).json();
    let told = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "telegram_frame_rate");
    assert_eq!(
        told.unwrap()["message"],
        "it shows a frame for 16 ms, and Telegram takes 30 frames a second: 3 of 6 frames are left out"
    );
    assert_eq!(
        (&report["stickers"][0]["frames"], &report["stickers"][0]["duration_ms"]),
        (&json!(3), &json!(100))
    );
    let video = Video::probe(&studio, "out/stickers/fast.webm");
    assert_eq!((video.starts_ms.as_slice(), video.duration_ms), ([0, 33, 67].as_slice(), 100));
}

#[test]
fn a_machine_without_ffmpeg_exports_stills_and_says_what_animations_need() {
    let studio = Studio::new(&[still("hi")]);
    without_ffmpeg(&studio).and_exits(0);
    let studio = Studio::new(&[still("hi"), animation("wave"), animation("bye")]);
    let said = without_ffmpeg(&studio).and_exits(1).json();
    let [needed] = said["findings"].as_array().unwrap().as_slice() else { panic!("{said:#}") };
    assert_eq!((&needed["level"], &needed["code"]), (&json!("error"), &json!("telegram_needs_ffmpeg")));
    assert_eq!(needed["message"], "2 animations become videos, and there is no `ffmpeg` with libvpx-vp9");
    assert!(needed["hint"].as_str().unwrap().contains("install ffmpeg"), "{needed:#}");
    assert_eq!(studio.desk.files_in("."), ["pack"]);
}

#[test]
fn a_video_that_does_not_fit_or_is_too_long_is_refused_with_its_numbers() {
    if !has_ffmpeg() {
        return;
    }
    let studio = Studio::new(&[animation("noise"), animation("long")]);
    for frame in 0..6 {
        studio.desk.scribbles(&format!("pack/noise/{frame}.png"), 512, frame);
    }
    studio.changes("noise.png\"", "noise\"\nfps = 10");
    studio.changes("long.png\"", "long.png\"\nframe_ms = 1001");
    let said = studio.exports("telegram").and_exits(1).json();
    let errors = said["findings"].as_array().unwrap().iter().filter(|it| it["level"] == "error");
    let errors: Vec<_> =
        errors.map(|it| (it["code"].as_str().unwrap(), it["message"].as_str().unwrap())).collect();
    assert_eq!(errors[0], ("telegram_too_long", "it lasts 3003 ms, and Telegram takes 3000"));
    let (code, message) = errors[1];
    assert_eq!((code, errors.len()), ("telegram_over_limit", 2));
    assert!(message.contains("bytes") && message.contains("a score of"), "{message}");
    assert_eq!(studio.desk.files_in("."), ["pack"]);
}

#[test]
fn the_same_machine_makes_the_same_videos_however_many_threads_it_has() {
    if !has_ffmpeg() {
        return;
    }
    let studio = Studio::new(&[animation("wave")]);
    for (jobs, out) in [("1", "one"), ("4", "four")] {
        studio.desk.runs(["export", "pack", "--to", "telegram", "--out", out, "--jobs", jobs]).and_exits(0);
    }
    assert!(studio.desk.reads("one/stickers/wave.webm") == studio.desk.reads("four/stickers/wave.webm"));
}
