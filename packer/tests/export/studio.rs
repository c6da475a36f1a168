//! A designer who exports, and tools that look at what came out.

use std::fmt::Write as _;
use std::io::Cursor;
use std::process::Command;

use crate::around::installed;
use crate::desk::{Desk, Said};

/// A desk with the project `pack`.
pub(crate) struct Studio {
    pub(crate) desk: Desk,
}

/// A sticker of the project.
pub(crate) struct Drawn {
    name: String,
    is_animated: bool,
}

/// A picture of 512 x 512 px.
pub(crate) fn still(name: &str) -> Drawn {
    Drawn { name: name.to_owned(), is_animated: false }
}

/// An APNG of three frames of 70, 110 and 45 ms.
pub(crate) fn animation(name: &str) -> Drawn {
    Drawn { name: name.to_owned(), is_animated: true }
}

impl Studio {
    pub(crate) fn new(stickers: &[Drawn]) -> Self {
        let studio = Self { desk: Desk::new() };
        let mut toml = String::from(
            "slug = \"mochi\"\ntitles = { en = \"Mochi\", ko = \"모찌\" }\nartist = { slug = \"kim\", name = \"Kim Lee\" }\n",
        );
        for (seed, sticker) in (0..).zip(stickers) {
            let name = &sticker.name;
            let file = format!("pack/{name}.png");
            if sticker.is_animated {
                studio.desk.animates(&file, 512, &[(seed, 70), (seed + 90, 110), (seed + 170, 45)]);
            } else {
                studio.desk.draws(&file, 512, seed * 8);
            }
            write!(
                toml,
                "[[stickers]]\nname = \"{name}\"\nfile = \"{name}.png\"\nemoji = [\"🙂\", \"👋\", \"🎉\", \"🔥\"]\n\
                 alt = {{ en = \"{name} in English\", ko = \"{name} 한국어\" }}\n"
            )
            .unwrap();
        }
        studio.desk.writes("pack/pack.toml", toml);
        studio
    }

    pub(crate) fn with_three_of_each() -> Self {
        let names =
            [still("s0"), animation("a0"), still("s1"), animation("a1"), still("s2"), animation("a2")];
        Self::new(&names)
    }

    /// Into `out`, as JSON.
    pub(crate) fn exports(&self, to: &str) -> Said {
        self.desk.runs(["export", "pack", "--to", to, "--out", "out", "--json"])
    }

    /// In pack.toml.
    pub(crate) fn changes(&self, from: &str, to: &str) {
        let toml = String::from_utf8(self.desk.reads("pack/pack.toml")).unwrap();
        assert!(toml.contains(from), "{from} in {toml}");
        self.desk.writes("pack/pack.toml", toml.replace(from, to));
    }

    /// As the WebP project's own tools read it.
    pub(crate) fn webp_tools_agree(&self, file: &[u8], durations_ms: &[u32]) {
        if installed(&["webpinfo"], "-version").is_none() {
            return;
        }
        self.desk.writes("looked-at.webp", file);
        let checked = Command::new("webpinfo").arg(self.desk.place("looked-at.webp")).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && said.contains("No error detected"), "{said}");
        let durations = said.lines().filter_map(|line| line.trim().strip_prefix("Duration: "));
        assert_eq!(
            durations.map(|ms| ms.parse::<u32>().unwrap()).collect::<Vec<_>>(),
            durations_ms,
            "{said}"
        );
    }
}

/// Width, height and the durations of the frames of a WebP file, none of a still, as `image-webp` reads them.
pub(crate) fn frames_of(file: &[u8]) -> (u32, u32, Vec<u32>) {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    if !decoder.is_animated() {
        decoder.read_image(&mut pixels).unwrap();
        return (width, height, Vec::new());
    }
    let durations = (0..decoder.num_frames()).map(|_| decoder.read_frame(&mut pixels).unwrap()).collect();
    (width, height, durations)
}
