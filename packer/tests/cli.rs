//! The command line as a designer meets it: what it prints, what it leaves on the disk, how it exits.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/around.rs"]
mod around;

#[path = "desk/desk.rs"]
mod desk;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A designer's desk: a folder of their own, and the packer started in it.
struct Designer {
    desk: tempfile::TempDir,
}

impl Designer {
    /// With the folder `pack`, which holds a still and an animation of three frames.
    fn with_artwork() -> Self {
        let designer = Self { desk: tempfile::tempdir().unwrap() };
        designer.draws("pack/1f600.png", 512, [250, 200, 30]);
        for frame in 0..3_u8 {
            designer.draws(&format!("pack/wave/{frame}.png"), 512, [frame * 90, 120, 200]);
        }
        designer
    }

    fn place(&self, path: &str) -> PathBuf {
        self.desk.path().join(path)
    }

    /// A disc on nothing.
    fn draws(&self, path: &str, side: u32, [red, green, blue]: [u8; 3]) {
        let middle = f64::from(side) / 2.0;
        let inside = |x: u32, y: u32| (f64::from(x) - middle).hypot(f64::from(y) - middle) < middle * 0.9;
        let pixel = |x, y| if inside(x, y) { [red, green, blue, 255] } else { [0; 4] };
        let rgba: Vec<u8> = (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect();
        let path = self.place(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), side, side);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&rgba).unwrap();
    }

    fn runs<const N: usize>(&self, arguments: [&str; N]) -> Said {
        let command = Command::new(env!("CARGO_BIN_EXE_sticker-packer"))
            .args(arguments)
            .current_dir(self.desk.path())
            .env_remove("STICKER_STORE_SECRET")
            .output();
        Said(command.unwrap())
    }

    fn files_in(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.place(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The first file of a folder with this ending, as an argument.
    fn first_in(&self, folder: &str, ending: &str) -> String {
        let names = self.files_in(folder);
        let name = names.iter().find(|name| Path::new(name).extension() == Some(OsStr::new(ending))).unwrap();
        format!("{folder}/{name}")
    }
}

/// What the packer said, and how it ended.
struct Said(Output);

impl Said {
    #[track_caller]
    fn and_exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}{}", self.out(), self.err());
        self
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// The one JSON document on the standard output; nothing but it.
    fn json(&self) -> Value {
        assert_eq!(self.err(), "", "beside a JSON document");
        serde_json::from_str(&self.out()).unwrap()
    }
}

#[test]
fn a_folder_of_pictures_becomes_a_release_that_can_be_looked_into() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    designer.runs(["check", "pack"]).and_exits(0);
    designer.runs(["build", "pack", "--out", "out"]).and_exits(0);
    assert_eq!(
        designer.files_in("out"),
        ["120", "160", "240", "320", "480", "640", "master", "release.thrift", "web"]
    );

    let release = designer.runs(["inspect", "out/release.thrift", "--json"]).and_exits(0).json();
    assert_eq!((&release["kind"], &release["slug"]), (&"release".into(), &"pack".into()));
    let bundle = designer.first_in("out/640", "zip");
    let bundle_shown = designer.runs(["inspect", &bundle, "--json"]).and_exits(0).json();
    assert_eq!(bundle_shown["stickers"].as_array().unwrap().len(), 2);

    designer.runs(["extract", &bundle, "--out", "bundle"]).and_exits(0);
    let mut stickers = designer.files_in("bundle");
    assert_eq!(stickers.pop().as_deref(), Some("pack.json"));
    assert_eq!(stickers.len(), 2);
    for sticker in stickers {
        let file = format!("bundle/{sticker}");
        let shown = designer.runs(["inspect", &file, "--json"]).and_exits(0).json();
        let frames = shown["frames"].as_array().unwrap().len();
        let into = format!("images-{frames}");
        designer.runs(["extract", &file, "--out", &into]).and_exits(0);
    }
    assert_eq!(designer.files_in("images-1"), ["000.webp", "sticker.json"]);
    assert_eq!(designer.files_in("images-3"), ["000.webp", "001.webp", "002.webp", "sticker.json"]);
}

#[test]
fn every_finding_is_told_at_once_with_its_place_and_what_to_do() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    fs::rename(designer.place("pack/wave/1.png"), designer.place("pack/wave/7.png")).unwrap();
    fs::write(designer.place("pack/1f600.png"), "GIF89a").unwrap();
    let said = designer.runs(["check", "pack", "--quiet"]).and_exits(1);
    assert_eq!(said.out(), "");
    insta::assert_snapshot!(said.err(), @r"
    error[picture_damaged]: Unexpected End of File
      --> pack/1f600.png
      = why: a part of the picture would be missing or wrong
      = hint: export the picture again; a viewer may hide the damage

    error[frame_missing]: frame 1 is missing before it
      --> pack/wave/2.png
      = why: the animation would jump where frames are missing
      = hint: export them again, or renumber the frames

    error[frame_missing]: frames 3 to 6 are missing before it
      --> pack/wave/7.png
      = why: the animation would jump where frames are missing
      = hint: export them again, or renumber the frames
    ");
    // A build says the same and leaves nothing.
    let built = designer.runs(["build", "pack", "--out", "out", "--quiet"]).and_exits(1);
    assert_eq!(built.err(), said.err());
    assert_eq!(designer.files_in("."), ["pack"]);
}

#[test]
fn a_misspelled_field_is_told_with_its_line() {
    let designer = Designer::with_artwork();
    fs::write(designer.place("pack/pack.toml"), "slug = \"pack\"\ntitel = { en = \"Pack\" }\n").unwrap();
    insta::assert_snapshot!(designer.runs(["check", "pack"]).and_exits(1).err(), @r"
    error[project_invalid]: unknown field `titel`, expected one of `slug`, `titles`, `descriptions`, `artist`, `copyright`, `price_tier`, `tags`, `canvas`, `cover`, `build`, `stickers`
      --> pack/pack.toml:2:1
      = why: what a misspelled field was meant to say would be left out in silence
      = hint: packer/README.md lists every field of pack.toml with its form
    ");
}

#[test]
fn json_is_one_document_whatever_happens() {
    let designer = Designer::with_artwork();
    let failed = designer.runs(["check", "nowhere", "--json"]).and_exits(3).json();
    assert_eq!(failed["error"]["code"], "io");
    let missing = designer.runs(["check", "pack", "--json"]).and_exits(1).json();
    assert_eq!(missing["findings"][0]["code"], "project_missing");
    designer.runs(["init", "pack", "--json"]).and_exits(0).json();
    let built = designer.runs(["build", "pack", "--out", "out", "--json"]).and_exits(0).json();
    assert_eq!(built["bundles"].as_array().unwrap().len(), 6);
    let unread = designer.runs(["inspect", "pack/1f600.png", "--json"]).and_exits(1).json();
    assert_eq!(unread["error"]["code"], "not_readable");
}

#[test]
fn wrong_usage_exits_2_before_anything_is_read() {
    let designer = Designer::with_artwork();
    designer.runs([]).and_exits(2);
    designer.runs(["build", "pack"]).and_exits(2);
    designer.runs(["build", "pack", "--out", "out", "--jobs", "0"]).and_exits(2);
    designer.runs(["publish", "out"]).and_exits(2);
    designer.runs(["--help"]).and_exits(0);
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    let written = fs::read(designer.place("pack/pack.toml")).unwrap();
    designer.runs(["init", "pack"]).and_exits(1);
    assert_eq!(fs::read(designer.place("pack/pack.toml")).unwrap(), written);

    designer.runs(["build", "pack", "--out", "pack"]).and_exits(1);
    designer.runs(["build", "pack", "--out", "out"]).and_exits(0);
    let sticker = designer.first_in("out/120", "sticker");
    designer.runs(["extract", &sticker, "--out", "pack"]).and_exits(1);
    assert_eq!(designer.files_in("pack"), ["1f600.png", "pack.lock", "pack.toml", "wave"]);
}

#[test]
fn a_damaged_file_is_refused_and_extracts_to_nothing() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    designer.runs(["build", "pack", "--out", "out"]).and_exits(0);
    for (folder, ending) in [("out/320", "sticker"), ("out/320", "zip"), ("out", "thrift")] {
        let file = designer.first_in(folder, ending);
        let content = fs::read(designer.place(&file)).unwrap();
        for length in [0, 7, 20, content.len() / 2, content.len() - 1] {
            fs::write(designer.place("cut"), &content[..length]).unwrap();
            designer.runs(["inspect", "cut"]).and_exits(1);
            designer.runs(["extract", "cut", "--out", "images"]).and_exits(1);
            assert!(!designer.place("images").exists(), "{file} cut to {length} bytes");
        }
    }
}

#[test]
fn the_pictures_are_read_by_the_webp_projects_own_tools() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    designer.runs(["build", "pack", "--out", "out"]).and_exits(0);
    if ["dwebp", "webpinfo"].iter().any(|&tool| around::installed(&[tool], "-version").is_none()) {
        return;
    }
    for name in designer.files_in("out/web") {
        let checked = Command::new("webpinfo").arg(designer.place("out/web").join(&name)).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && said.contains("No error detected"), "{name}: {said}");
        if name.ends_with(".preview.webp") {
            let durations = said.lines().filter_map(|line| line.trim().strip_prefix("Duration: "));
            assert_eq!(durations.map(|ms| ms.parse::<u32>().unwrap()).sum::<u32>(), 150, "{said}");
        }
    }
    for density in [240, 320, 480, 640] {
        let sticker = designer.first_in(&format!("out/{density}"), "sticker");
        let into = format!("images-{density}");
        designer.runs(["extract", &sticker, "--out", &into]).and_exits(0);
        let image = designer.place(&into).join("000.webp");
        let decoded = Command::new("dwebp").arg(&image).args(["-pam", "-o", "-"]).output().unwrap();
        let side = density * 128 / 160;
        let head = format!("P7\nWIDTH {side}\nHEIGHT {side}\nDEPTH 4\n");
        assert!(decoded.stdout.starts_with(head.as_bytes()), "{density}");
    }
}

#[test]
fn what_is_no_file_of_the_packers_is_told_with_its_path() {
    let designer = Designer::with_artwork();
    insta::assert_snapshot!(designer.runs(["inspect", "pack/1f600.png"]).and_exits(1).err(), @r"
    error[not_readable]: the manifest cannot be read: it is not valid Thrift compact protocol: bad data
      --> pack/1f600.png
      hint: give a whole .sticker, .zip or release.thrift that `sticker-packer build` made; a damaged one is built again
    ");
    insta::assert_snapshot!(designer.runs(["inspect", "nowhere"]).and_exits(3).err(), @r"
    error[io]: cannot read nowhere: No such file or directory (os error 2)
      hint: check the path, its permissions and the space on the disk
    ");
}

#[test]
fn a_folder_without_pictures_is_told_what_to_put_there() {
    let designer = Designer::with_artwork();
    fs::create_dir(designer.place("empty")).unwrap();
    insta::assert_snapshot!(designer.runs(["init", "empty"]).and_exits(1).err(), @r"
    error[no_artwork]: empty holds no picture and no folder of numbered frames
      hint: put PNG, GIF, WebP or SVG files, or folders of numbered PNG frames, into it or into its folder `stickers`
    ");
    let said = designer.runs(["check", "empty"]).and_exits(1);
    assert_eq!(designer.files_in("empty"), [""; 0]);
    assert!(said.err().starts_with("error[project_missing]"), "{}", said.err());
}

/// The samples that everybody sees first.
fn sample(name: &str) -> String {
    format!("{}/sample/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_samples_are_fine_whatever_the_number_of_threads() {
    let designer = Designer::with_artwork();
    for pack in [sample("mochi"), sample("bean")] {
        for jobs in ["1", "3"] {
            let said = designer.runs(["check", &pack, "--jobs", jobs]).and_exits(0);
            assert_eq!((said.out(), said.err()), (format!("{pack} is fine\n"), String::new()));
        }
    }
}

#[test]
fn a_finding_has_all_its_fields_in_json_and_notes_and_warnings_exit_0() {
    let designer = Designer::with_artwork();
    designer.draws("pack/wave/1.png", 512, [0, 120, 200]);
    designer.runs(["init", "pack"]).and_exits(0);
    let found = designer.runs(["check", "pack", "--json"]).and_exits(0).json();
    let findings = found["findings"].as_array().unwrap();
    let same = findings.iter().find(|it| it["code"] == "identical_frames").unwrap();
    assert_eq!(
        *same,
        serde_json::json!({
            "level": "note",
            "code": "identical_frames",
            "path": "pack/wave",
            "place": { "frame": 1 },
            "message": "a frame is the same as the one before it",
            "why": "a frame that changes nothing costs work; one frame shown for longer looks the same",
            "hint": "nothing has to be done: the build shows one of them for longer; draw fewer if that was not meant",
        })
    );
    for jobs in ["1", "4"] {
        assert_eq!(designer.runs(["check", "pack", "--json", "--jobs", jobs]).and_exits(0).json(), found);
    }
    let text = designer.runs(["check", "pack"]).and_exits(0);
    assert!(text.err().contains("\n  --> pack/wave (frame 1)\n  = why: a frame that"), "{}", text.err());
    assert!(text.out().ends_with("warnings, 1 note\n"), "{}", text.out());
    assert_eq!(designer.runs(["check", "pack", "--quiet"]).and_exits(0).err(), "");
}

#[test]
fn limits_of_a_messenger_are_told_with_their_source_where_it_is_asked_for() {
    let designer = Designer::with_artwork();
    designer.runs(["init", "pack"]).and_exits(0);
    designer.runs(["check", "pack", "--for", "icq"]).and_exits(2);
    let found = designer.runs(["check", "pack", "--json", "--for", "line", "--for", "whatsapp"]).and_exits(1);
    let found = found.json();
    let findings = found["findings"].as_array().unwrap();
    let lines = findings.iter().filter_map(|it| {
        let code = it["code"].as_str()?;
        let platform = ["line_", "whatsapp_"].iter().any(|platform| code.starts_with(platform));
        platform
            .then(|| format!("{} {code}: {}", it["level"].as_str().unwrap(), it["message"].as_str().unwrap()))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    error line_mixed: LINE takes packs of stills or of animations; here are 1 and 1
    error line_sticker_count: LINE takes 8, 16, 24, 32 or 40 still stickers in a pack; here are 1
    error line_sticker_count: LINE takes 8, 16 or 24 animated stickers in a pack; here are 1
    error line_too_short: it lasts 150 ms, and LINE wants at least 1000
    error line_frame_count: it has 3 frames, and LINE takes 5 to 20
    warning whatsapp_mixed: WhatsApp takes packs of stills or of animations; here are 1 and 1
    error whatsapp_sticker_count: WhatsApp takes 3 to 30 still stickers in a pack; here are 1
    error whatsapp_sticker_count: WhatsApp takes 3 to 30 animated stickers in a pack; here are 1
    error whatsapp_emoji_count: it answers to 0 emoji, and WhatsApp wants at least 1
    ");
    let of_line = findings.iter().find(|it| it["code"] == "line_frame_count").unwrap();
    assert!(of_line["hint"].as_str().unwrap().contains("https://creator.line.me/"), "{of_line:#}");
    assert!(of_line["why"].as_str().unwrap().contains("refuses"), "{of_line:#}");
}

#[test]
fn the_lowest_score_of_a_pack_with_animations_is_said_to_be_of_the_images_that_were_scored() {
    let desk = desk::Desk::new();
    desk.scribbles("stills/noise.png", 256, 1);
    desk.scribbles("moves/noise.png", 256, 1);
    desk.sprinkles("moves/sand.png", 256, &[(1, 100), (2, 100)]);
    for (pack, is_of_some) in [("stills", false), ("moves", true)] {
        desk.runs(["init", pack]).and_exits(0);
        let said = desk.runs(["build", pack, "--out", "out", "--quality", "30"]).and_exits(0).out();
        let lines: Vec<_> = said.lines().filter(|line| line.contains("lowest score")).collect();
        assert!(!lines.is_empty(), "{said}");
        for line in lines {
            assert_eq!(line.ends_with(" of the images that were scored"), is_of_some, "{said}");
        }
    }
}
