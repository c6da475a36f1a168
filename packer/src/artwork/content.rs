//! What a file is by its first bytes, whatever its name.

use super::refused::Refused;

/// A kind of artwork that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Still or animated.
    Png,
    Gif,
    /// Still or animated.
    WebP,
    Svg,
}

impl Kind {
    /// By the content; what it is instead, and what to export, where it is none of them.
    pub(super) fn of(file: &[u8]) -> Result<Self, Refused> {
        match file {
            [0x89, b'P', b'N', b'G', ..] => Ok(Self::Png),
            [b'G', b'I', b'F', b'8', ..] => Ok(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Self::WebP),
            _ if is_markup(file) => Ok(Self::Svg),
            _ => Err(refusal(file)),
        }
    }

    /// The endings that files of these kinds usually have.
    pub(crate) const ENDINGS: [&'static str; 5] = ["png", "apng", "gif", "webp", "svg"];
}

/// XML may begin with a mark of its encoding and with white space.
fn is_markup(file: &[u8]) -> bool {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    text.trim_ascii_start().starts_with(b"<")
}

fn refusal(file: &[u8]) -> Refused {
    let (what, hint) = match file {
        [] => ("an empty file", "export the picture again"),
        [0xff, 0xd8, 0xff, ..] => ("a JPEG file", "a JPEG has no transparency: export PNG or WebP"),
        [b'8', b'B', b'P', b'S', ..] => ("a Photoshop file", "export PNG from it"),
        [b'%', b'P', b'D', b'F', ..] => ("a PDF file", "export SVG or PNG from it"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => ("an AVIF file", ANY),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..]
        | [_, _, _, _, b'f', b't', b'y', b'p', b'm', b'i' | b's', b'f', ..] => ("a HEIC file", ANY),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("an MP4 video", FRAMES),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => ("a WebM video", FRAMES),
        [0x1f, 0x8b, ..] => ("a gzip file, perhaps a Telegram animation (.tgs)", LOTTIE),
        [b'P', b'K', 3, 4, ..] => ("a zip file, perhaps dotLottie", LOTTIE),
        _ if file.trim_ascii_start().starts_with(b"{") => {
            return Refused::new(
                "lottie_unsupported",
                "it is a JSON file, perhaps a Lottie animation",
                LOTTIE,
            );
        }
        _ => ("no picture that the packer knows", ANY),
    };
    Refused::new("not_artwork", format!("it is {what}"), hint)
}

const ANY: &str = "export it as PNG, APNG, GIF, WebP or SVG, or as a folder of numbered PNG frames";
const FRAMES: &str = "export its frames as a folder of numbered PNGs, which keep their transparency";
const LOTTIE: &str = "Lottie is not drawn: no renderer that may be used here draws text, images, time remapping and dashes as players do. \
                      Export the frames as a folder of numbered PNGs (000.png, 001.png, ...)";
