//! The page that a designer sends to the team: it is whole, it is safe to open, and it shows what ships.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/around.rs"]
mod around;
#[path = "preview/browser.rs"]
mod browser;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use browser::Browser;
use serde_json::{Value, json};
use sticker_packer::compose::compose;
use sticker_protocol::sticker::{self, Blend, Dispose, Frame, Metadata, Rgb, StickerFile};
use sticker_protocol::{Density, ImageFormat, PackId, StickerId};

/// A designer whose titles and texts are as hostile as they come, with one still and one animation, built into `out`.
struct Designer {
    desk: tempfile::TempDir,
}

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{script}";

impl Designer {
    fn with_a_release() -> Self {
        let designer = Self { desk: tempfile::tempdir().unwrap() };
        designer.draws("pack/stickers/wink.png", [250, 200, 30]);
        for frame in 0..3_u8 {
            designer.draws(&format!("pack/stickers/wave/{frame}.png"), [frame * 90, 120, 200]);
        }
        let project = format!(
            r#"
            slug = "hostile"
            titles = {{ en = "{HOSTILE}", ko = "안녕" }}
            descriptions = {{ en = "{HOSTILE}" }}
            artist = {{ slug = "artist", name = "{HOSTILE}" }}
            copyright = "{HOSTILE}"
            [[stickers]]
            name = "{HOSTILE}"
            file = "stickers/wink.png"
            emoji = ["😉"]
            alt = {{ en = "{HOSTILE}" }}
            [[stickers]]
            name = "wave"
            file = "stickers/wave"
            emoji = ["👋"]
            alt = {{ en = "It waves", ko = "손을 흔들어요" }}
            loop = 2
            "#
        );
        fs::write(designer.place("pack/pack.toml"), project).unwrap();
        designer.runs(&["build", "pack", "--out", "out", "--effort", "fast", "--no-cache"]).and_exits(0);
        designer
    }

    fn place(&self, path: &str) -> PathBuf {
        self.desk.path().join(path)
    }

    /// A disc on nothing.
    fn draws(&self, path: &str, [red, green, blue]: [u8; 3]) {
        const SIDE: u32 = 512;
        let inside = |x: u32, y: u32| (f64::from(x) - 256.0).hypot(f64::from(y) - 256.0) < 230.0;
        let pixel = |x, y| if inside(x, y) { [red, green, blue, 255] } else { [0; 4] };
        let rgba: Vec<u8> = (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| pixel(x, y))).collect();
        let path = self.place(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), SIDE, SIDE);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&rgba).unwrap();
    }

    fn runs(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sticker-packer"));
        Said(command.args(arguments).current_dir(self.desk.path()).output().unwrap())
    }

    fn page(&self) -> String {
        self.runs(&["preview", "out", "--no-scores"]).and_exits(0);
        fs::read_to_string(self.place("out-preview.html")).unwrap()
    }

    fn is_left_without_a_page(&self) {
        let names = fs::read_dir(self.desk.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("preview")).collect();
        assert!(left.is_empty(), "{left:?}");
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

    fn json(&self) -> Value {
        serde_json::from_str(&self.out()).unwrap()
    }
}

/// What stands between these two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, after) = page.split_once(start).unwrap();
    after.split_once(end).unwrap().0
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"))
        .unwrap()
}

#[test]
fn the_page_asks_nothing_of_the_network() {
    let page = Designer::with_a_release().page();
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("url("));
    assert!(!page.contains("@import") && !page.contains("<link") && !page.contains("fetch("));
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn what_a_designer_wrote_is_text_and_stays_as_it_was() {
    let page = Designer::with_a_release().page();
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"));
    assert!(page.contains("<title>&lt;/script&gt;&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
    assert!(!page.contains("innerHTML") && !page.contains("insertAdjacentHTML"));
    assert_eq!(data(&page)["titles"]["en"], HOSTILE);
    assert_eq!(data(&page)["stickers"][0]["alt_texts"]["en"], HOSTILE);
}

#[test]
fn every_sticker_is_there_at_every_density_with_the_bytes_that_ship() {
    let designer = Designer::with_a_release();
    let page = designer.page();
    let data = data(&page);
    let mut seen = 0;
    for sticker in data["stickers"].as_array().unwrap() {
        for variant in sticker["variants"].as_array().unwrap() {
            let place = format!("out/{}/{}.sticker", variant["density"], sticker["id"]);
            let file = fs::read(designer.place(&place)).unwrap();
            let block = format!("id=\"images-{}-{}\">", sticker["id"], variant["density"]);
            let shown = base64_simd::STANDARD.decode_to_vec(between(&page, &block, "</script>")).unwrap();
            assert!(file.ends_with(&shown), "{place}");
            let lengths = variant["lengths"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap());
            assert_eq!(lengths.sum::<u64>(), shown.len() as u64, "{place}");
            assert_eq!(variant["bytes"], file.len(), "{place}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2 * 6);
    assert_eq!(data["stickers"][1]["variants"][0]["loop_count"], 2);
    let bundle = data["bundles"].as_array().unwrap().iter().find(|it| it["density"] == 320).unwrap();
    let zips = fs::read_dir(designer.place("out/320")).unwrap().map(|entry| entry.unwrap().path());
    let zip = zips.into_iter().find(|path| path.extension().is_some_and(|it| it == "zip")).unwrap();
    assert_eq!(bundle["bytes"], fs::metadata(zip).unwrap().len());
}

#[test]
fn each_variant_is_scored_against_its_artwork_unless_that_is_not_wanted() {
    let designer = Designer::with_a_release();
    let scored = designer.runs(&["preview", "out", "--json"]).and_exits(0).json();
    let variants = scored["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 2 * 6);
    for variant in variants {
        let score = variant["score"].as_f64().unwrap();
        let lossless = variant["density"].as_u64().unwrap() <= 160;
        assert!(if lossless { score > 99.9 } else { score > 60.0 }, "{variant}");
    }
    let unscored = designer.runs(&["preview", "out", "--json", "--no-scores"]).and_exits(0).json();
    assert!(unscored["variants"].as_array().unwrap().iter().all(|it| it["score"].is_null()));
}

#[test]
fn what_was_drawn_at_each_density_is_not_scored_against_a_shrunken_picture() {
    let designer = Designer::with_a_release();
    let lines: Vec<_> =
        (0..40).map(|at| format!("<path d='M{0} 8V248' stroke='#{1:03x}'/>", at * 6 + 8, at * 97)).collect();
    let lines = lines.concat();
    let drawing = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='512' height='512' viewBox='0 0 256 256'>{lines}</svg>"
    );
    fs::write(designer.place("pack/stickers/lines.svg"), drawing).unwrap();
    let project = fs::read_to_string(designer.place("pack/pack.toml")).unwrap();
    let project = project.replace("stickers/wink.png", "stickers/lines.svg").replacen(
        &format!("name = \"{HOSTILE}\"\n            file"),
        "name = \"lines\"\n            file",
        1,
    );
    fs::write(designer.place("pack/pack.toml"), project).unwrap();
    designer.runs(&["build", "pack", "--out", "out", "--effort", "fast", "--no-cache"]).and_exits(0);
    let report = designer.runs(&["preview", "out", "--json"]).and_exits(0).json();
    let variants = report["variants"].as_array().unwrap();
    let (drawn, resized): (Vec<_>, Vec<_>) = variants.iter().partition(|it| it["name"] == "lines");
    assert_eq!((drawn.len(), resized.len()), (6, 6));
    assert!(drawn.iter().all(|it| it["score"].is_null()), "{drawn:#?}");
    assert!(resized.iter().all(|it| it["score"].is_number() && it["name"] == "wave"), "{resized:#?}");
    let page = fs::read_to_string(designer.place("out-preview.html")).unwrap();
    assert_eq!(data(&page)["some_were_drawn"], true);
    let said = designer.runs(&["preview", "out"]).and_exits(0).out();
    assert!(said.contains(": sticker wave at density "), "{said}");
}

#[test]
fn a_release_that_was_damaged_is_refused_and_leaves_no_page() {
    let designer = Designer::with_a_release();
    let poster = fs::read_dir(designer.place("out/web")).unwrap().next().unwrap().unwrap().path();
    let mut content = fs::read(&poster).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(&poster, content).unwrap();
    let said = designer.runs(&["preview", "out"]).and_exits(1).err();
    assert!(said.starts_with("error[file_changed]: web/") && said.contains("hint: build it again"), "{said}");
    designer.is_left_without_a_page();

    fs::write(designer.place("out/release.thrift"), "no manifest").unwrap();
    let said = designer.runs(&["preview", "out"]).and_exits(1).err();
    assert!(said.starts_with("error[not_a_release]"), "{said}");
    designer.is_left_without_a_page();
}

#[test]
fn what_cannot_be_read_or_written_is_told_apart() {
    let designer = Designer::with_a_release();
    designer.runs(&["preview", "nowhere"]).and_exits(3);
    designer.runs(&["preview", "pack"]).and_exits(3);
    designer.runs(&["preview", "out", "--no-scores", "--to", "nowhere/page.html"]).and_exits(3);
    let said = designer.runs(&["preview", "out", "--to", "out/web/page.html"]).and_exits(1).err();
    assert!(said.starts_with("error[inside_the_release]"), "{said}");
    designer.is_left_without_a_page();
}

#[test]
fn a_browser_draws_every_sticker_and_has_nothing_to_complain_of() {
    let designer = Designer::with_a_release();
    let Some(browser) = Browser::installed(&designer.place("profile")) else { return };
    designer.page();
    browser.opens(&designer.place("out-preview.html"));
    let drawn = "document.querySelectorAll('.stage.ground.drawn').length";
    let is_whole = browser.sees(&format!("{drawn} === 2"));
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(is_whole, "{} of 2 were drawn", browser.evaluates(drawn));
    assert_eq!(browser.evaluates("document.querySelectorAll('img[src=x]').length"), 0);
}

/// A sticker file of 4 x 2 px whose frames meet in every way that the format knows.
fn every_kind_of_frame() -> Vec<u8> {
    let image = |width: u32, height: u32, colour: [u8; 4]| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgba);
        let pixels = colour.repeat((width * height) as usize);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        file
    };
    let images = [
        image(4, 2, [200, 40, 10, 255]),
        image(2, 1, [10, 60, 250, 128]),
        image(2, 2, [0, 0, 0, 0]),
        image(1, 2, [30, 220, 90, 200]),
    ];
    let mut frames = Vec::new();
    for (image, x, y) in [(0, 0, 0), (1, 1, 1), (2, 2, 0), (3, 3, 0), (1, 0, 0)] {
        for blend in [Blend::Over, Blend::Replace] {
            for dispose in [Dispose::None, Dispose::Background] {
                frames.push(Frame { image, x, y, duration_ms: 20, blend, dispose });
            }
        }
    }
    let metadata = Metadata {
        sticker: StickerId::new(7).unwrap(),
        pack: PackId::new(8).unwrap(),
        density: Density::new(160).unwrap(),
        width: 4,
        height: 2,
        format: ImageFormat::Png,
        loop_count: 0,
        frames,
        poster_frame: 0,
        emoji: Vec::new(),
        alt_texts: BTreeMap::new(),
        placeholder_colour: Rgb([0; 3]),
    };
    sticker::write(&metadata, &images).unwrap()
}

#[test]
fn the_page_draws_frames_as_the_packer_does() {
    let desk = tempfile::tempdir().unwrap();
    let Some(browser) = Browser::installed(&desk.path().join("profile")) else { return };
    let file = every_kind_of_frame();
    let opened = StickerFile::read(&file).unwrap();
    let it = opened.metadata();
    let frames: Vec<_> = it
        .frames
        .iter()
        .map(|frame| {
            let (over, clear) = (frame.blend == Blend::Over, frame.dispose == Dispose::Background);
            json!({ "image": frame.image, "x": frame.x, "y": frame.y, "ms": frame.duration_ms, "over": over, "clear": clear })
        })
        .collect();
    let lengths: Vec<_> = opened.images().iter().map(|image| image.len()).collect();
    let variant = json!({
        "width": it.width, "height": it.height, "media_type": "image/png", "loop_count": 0, "poster": 0,
        "lengths": lengths, "frames": frames,
    });
    let page = format!(
        "<!doctype html><body><script>{}
        const player = new Player({variant}, () => new Uint8Array({:?}), () => {{}});
        player.load().then(() => {{
          const drawn = player.variant.frames.map((_, at) => {{
            player.showFrame(at);
            return [...player.context.getImageData(0, 0, 4, 2).data];
          }});
          window.drawn = drawn;
        }});</script>",
        include_str!("../src/preview/player.js"),
        opened.images().concat(),
    );
    let place = desk.path().join("player.html");
    fs::write(&place, page).unwrap();
    browser.opens(&place);
    assert!(browser.sees("window.drawn !== undefined"), "{:#?}", browser.complaints());
    let drawn: Vec<Vec<u8>> = serde_json::from_value(browser.evaluates("window.drawn")).unwrap();
    for (at, (drawn, composed)) in drawn.iter().zip(compose(&opened).unwrap()).enumerate() {
        // A canvas keeps colours multiplied by their alpha, in 8 bits.
        let near = drawn.iter().zip(&composed.rgba).all(|(one, other)| one.abs_diff(*other) <= 2);
        assert!(near, "frame {at}: {drawn:?} is not {:?}", composed.rgba);
    }
    assert_eq!(drawn.len(), it.frames.len());
}
