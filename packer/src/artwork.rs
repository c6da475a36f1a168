//! The designer's pictures: a PNG, or a folder of numbered PNG frames.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sticker_protocol::limits::{MAX_DECODED_PIXELS, MAX_FRAMES, MAX_IMAGE_PIXELS};
use sticker_protocol::{ImageFormat, ImageHeader, ImageHeaderError};

use crate::finding::Finding;
use crate::picture::{self, Picture};

/// Where the pictures of a sticker are and how long each is shown; sizes are known, pixels are not decoded.
#[derive(Clone, Debug)]
pub(crate) struct Artwork {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames: Vec<PathBuf>,
}

/// Finds the pictures and reads their headers. `None` where a finding is an error.
pub(crate) fn survey(path: &Path, findings: &mut Vec<Finding>) -> Option<Artwork> {
    let frames = if path.is_dir() { numbered_frames(path, findings)? } else { vec![path.to_owned()] };
    let mut sizes = Vec::with_capacity(frames.len());
    for frame in &frames {
        sizes.push(header(frame, findings));
    }
    let sizes: Vec<_> = sizes.into_iter().collect::<Option<_>>()?;
    let first = sizes.first()?;
    if let Some((frame, size)) =
        frames.iter().zip(&sizes).find(|(_, size)| (size.width, size.height) != (first.width, first.height))
    {
        let message = format!(
            "it has {} x {} px, the first frame {} x {}",
            size.width, size.height, first.width, first.height
        );
        findings.push(Finding::error(
            "frame_size_differs",
            frame,
            message,
            "export every frame at the size of the canvas",
        ));
        return None;
    }
    let pixels: u64 = sizes.iter().map(ImageHeader::pixels).sum();
    if pixels > MAX_DECODED_PIXELS {
        let message = format!("its {} frames have {pixels} px together", frames.len());
        let hint = format!("a sticker has at most {MAX_DECODED_PIXELS} px: use fewer or smaller frames");
        findings.push(Finding::error("too_many_pixels", path, message, hint));
        return None;
    }
    Some(Artwork { width: first.width, height: first.height, frames })
}

/// Decodes one picture that was surveyed.
pub(crate) fn decode(path: &Path, findings: &mut Vec<Finding>) -> Option<Picture> {
    let file = read(path, findings)?;
    match picture::decode_png(&file) {
        Ok(png) => {
            if png.animated {
                let hint = "export the frames as a folder of numbered PNGs (000.png, 001.png, ...) and name the folder in pack.toml";
                findings.push(Finding::error("apng_unsupported", path, "it is an animated PNG", hint));
                return None;
            }
            if png.has_colour_profile {
                let hint = "convert the picture to sRGB when you export it, or its colours will shift";
                findings.push(Finding::warning(
                    "icc_profile_ignored",
                    path,
                    "it has an ICC colour profile, which is not applied",
                    hint,
                ));
            }
            Some(png.picture)
        }
        Err(error) => {
            let mut message = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                message = format!("{message}: {error}");
                cause = error.source();
            }
            findings.push(Finding::error(
                "png_corrupt",
                path,
                message,
                "export the picture again; a viewer may hide the damage",
            ));
            None
        }
    }
}

fn header(path: &Path, findings: &mut Vec<Finding>) -> Option<ImageHeader> {
    let file = read(path, findings)?;
    let mut wrong =
        |code, message: String, hint: &str| findings.push(Finding::error(code, path, message, hint));
    match ImageHeader::read(&file) {
        Ok(header) if header.format != ImageFormat::Png => {
            wrong("not_a_png", format!("it is a {} file, whatever its name says", header.format), ONLY_PNG);
        }
        Ok(header) if header.pixels() > MAX_IMAGE_PIXELS => {
            let message = format!("it has {} x {} px", header.width, header.height);
            wrong(
                "png_too_large",
                message,
                &format!("a picture has at most {MAX_IMAGE_PIXELS} px; 512 x 512 fills every density"),
            );
        }
        Ok(header) => return Some(header),
        Err(ImageHeaderError::UnknownFormat) => {
            wrong("not_a_png", format!("it is {}", kind_of(&file)), ONLY_PNG);
        }
        Err(error) => wrong("png_corrupt", error.to_string(), "export the picture again"),
    }
    None
}

const ONLY_PNG: &str = "export it as PNG, or as a folder of numbered PNG frames";

/// What the first bytes say, for people whose file has another name than kind.
fn kind_of(file: &[u8]) -> &'static str {
    match file {
        [] => "an empty file",
        [b'G', b'I', b'F', b'8', ..] => "a GIF file",
        [0xff, 0xd8, 0xff, ..] => "a JPEG file",
        [b'R', b'I', b'F', b'F', ..] => "a damaged WebP file or another RIFF file",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop file",
        [b'<', ..] => "an SVG or another text file",
        [b'{', ..] => "a JSON file, perhaps Lottie",
        _ => "no picture that the packer knows",
    }
}

fn read(path: &Path, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    // Opening a pipe would wait for somebody to write into it.
    if path.exists() && !path.is_file() {
        let hint = "name a PNG file; for an animation a folder of numbered PNGs, as the sticker's `file`";
        findings.push(Finding::error(
            "not_a_file",
            path,
            "it is a folder or another thing than a file",
            hint,
        ));
        return None;
    }
    let mut file = Vec::new();
    match File::open(path).and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut file)) {
        Ok(length) if length as u64 > MAX_FILE => {
            let message = format!("it has more than {MAX_FILE} bytes");
            findings.push(Finding::error(
                "file_too_large",
                path,
                message,
                "a picture of a sticker has a few hundred kilobytes",
            ));
            None
        }
        Ok(_) => Some(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.push(Finding::error(
                "file_missing",
                path,
                "there is no such file",
                "check the name in pack.toml, letter case included",
            ));
            None
        }
        Err(error) => {
            findings.push(Finding::error(
                "file_unreadable",
                path,
                error.to_string(),
                "check the file's permissions",
            ));
            None
        }
    }
}

/// Bytes of one picture file: more than 4 Mpx need in any PNG.
const MAX_FILE: u64 = 48 << 20;

/// The PNGs of a folder by the number that ends their name; 0, 1, 2 or 1, 2, 3, with any number of zeros before.
fn numbered_frames(folder: &Path, findings: &mut Vec<Finding>) -> Option<Vec<PathBuf>> {
    let mut frames: Vec<(u64, PathBuf)> = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            findings.push(Finding::error(
                "file_unreadable",
                folder,
                error.to_string(),
                "check the folder's permissions",
            ));
            return None;
        }
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_png_name(path)) {
        match number_of(&path) {
            Some(number) => frames.push((number, path)),
            None => findings.push(Finding::warning(
                "frame_unnumbered",
                &path,
                "its name does not end with a number, so it is left out",
                "name frames 000.png, 001.png, ...",
            )),
        }
    }
    frames.sort();
    let mut good = true;
    for pair in frames.windows(2) {
        let [(before, first), (number, path)] = pair else { continue };
        if before == number {
            let message = format!("it has the same number as {}", first.display());
            findings.push(Finding::error("frame_twice", path, message, "keep one of them"));
            good = false;
        } else if before + 1 != *number {
            let message = match (before + 1, number - 1) {
                (first, last) if first == last => format!("frame {first} is missing before it"),
                (first, last) => format!("frames {first} to {last} are missing before it"),
            };
            findings.push(Finding::error(
                "frame_missing",
                path,
                message,
                "export them again, or renumber the frames",
            ));
            good = false;
        }
    }
    if frames.is_empty() || frames.len() > MAX_FRAMES {
        let message = format!("the folder holds {} numbered PNG files", frames.len());
        findings.push(Finding::error(
            "frame_count",
            folder,
            message,
            format!("an animation has 1 to {MAX_FRAMES} frames"),
        ));
        good = false;
    }
    good.then(|| frames.into_iter().map(|(_, path)| path).collect())
}

pub(crate) fn is_png_name(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
}

/// The number that ends the file's name before its ending.
pub(crate) fn number_of(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let digits = stem.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    stem.get(digits..)?.parse().ok()
}
