//! The designer's pictures: PNG, APNG, GIF, WebP and SVG files, and folders of numbered frames. A file is what its bytes say, whatever
//! its name; sizes are checked before anything is decoded.

mod colour;
mod content;
mod frames;
mod gif;
mod orientation;
mod png;
mod refused;
mod stage;
mod svg;
mod timing;
mod webp;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub(crate) use content::Kind;
pub(crate) use frames::{has_ending, is_frame_name, number_of};
pub(crate) use svg::Vector;

use crate::finding::Finding;
use crate::picture::Picture;
use crate::read::{self, Unread};
use refused::{Refused, check_size};
use timing::Delay;

/// The pictures of a sticker before they are decoded: where they are, how large, and how long each is shown.
#[derive(Clone, Debug)]
pub(crate) struct Artwork {
    /// The file or folder that the project names.
    pub(crate) path: PathBuf,
    /// Width of every frame in px.
    pub(crate) width: u32,
    /// Height of every frame in px.
    pub(crate) height: u32,
    /// How long each frame lasts in ms, as far as the artwork says; one for each frame, one alone for a still.
    pub(crate) durations_ms: Vec<Option<u32>>,
    /// How often it plays (0 = for ever), where the artwork says.
    pub(crate) loop_count: Option<u32>,
    /// The files to read, in the order of the frames where each holds one.
    pub(crate) files: Vec<PathBuf>,
}

/// Artwork as something that can be shown at any size.
#[derive(Debug)]
pub(crate) enum Drawing {
    /// Whole-canvas pictures, all of one size, in order.
    Pictures(Vec<Picture>),
    /// A still that is drawn at each size.
    Vector(Box<Vector>),
}

/// What a file says before its pictures are decoded.
#[derive(Debug)]
struct Header {
    width: u32,
    height: u32,
    durations_ms: Vec<Option<u32>>,
    loop_count: Option<u32>,
    /// The delay of the first frame that is too short to be shown, and was given more.
    too_short: Option<Delay>,
}

impl Header {
    fn still(width: u32, height: u32) -> Self {
        Self { width, height, durations_ms: vec![None], loop_count: None, too_short: None }
    }
}

/// The pictures of a file, and what is doubtful about them.
#[derive(Debug)]
struct Decoded {
    pictures: Vec<Picture>,
    warnings: Vec<Refused>,
}

impl Artwork {
    /// Number of frames, at least one.
    pub(crate) fn frames(&self) -> usize {
        self.durations_ms.len()
    }

    /// Decodes every frame. `None` where a finding is an error.
    pub(crate) fn decode(&self, findings: &mut Vec<Finding>) -> Option<Drawing> {
        let decoded = self.files.par_iter().map(|path| {
            let mut findings = Vec::new();
            let drawing = decode(path, &mut findings);
            (drawing, findings)
        });
        // Every file is looked at, so that all findings come at once.
        let (drawings, found): (Vec<_>, Vec<_>) = decoded.collect();
        findings.extend(found.into_iter().flatten());
        let mut pictures = Vec::with_capacity(self.frames());
        for drawing in drawings.into_iter().collect::<Option<Vec<_>>>()? {
            match drawing {
                Drawing::Pictures(of_file) => pictures.extend(of_file),
                vector @ Drawing::Vector(_) => return Some(vector),
            }
        }
        let is_as_announced =
            |picture: &Picture| (picture.width, picture.height) == (self.width, self.height);
        if pictures.len() != self.frames() || !pictures.iter().all(is_as_announced) {
            let message = format!("it holds {} pictures of {}", pictures.len(), self.frames());
            findings.push(Refused::damage(message).error(&self.path));
            return None;
        }
        Some(Drawing::Pictures(pictures))
    }
}

/// Finds the pictures and reads their headers. `None` where a finding is an error.
pub(crate) fn survey(path: &Path, findings: &mut Vec<Finding>) -> Option<Artwork> {
    if !path.is_dir() {
        let header = header(path, findings)?;
        if let Some(delay) = header.too_short {
            let message = format!("a frame lasts {delay}, and is shown for {} ms", timing::ZERO_LASTS_MS);
            let hint = "give each frame its time when you export, or set frame_ms for the sticker";
            findings.push(Finding::warning("delay_zero", path, message, hint));
        }
        let Header { width, height, durations_ms, loop_count, .. } = header;
        return Some(Artwork {
            path: path.to_owned(),
            width,
            height,
            durations_ms,
            loop_count,
            files: vec![path.to_owned()],
        });
    }
    let files = frames::numbered_frames(path, findings)?;
    let headers: Vec<_> = files.iter().map(|file| header(file, findings)).collect();
    let headers: Vec<_> = headers.into_iter().collect::<Option<_>>()?;
    let (width, height) = headers.first().map(|first| (first.width, first.height))?;
    let mut good = true;
    for (file, header) in files.iter().zip(&headers) {
        if header.durations_ms.len() > 1 {
            let hint = "name the animation itself as the sticker's file";
            findings.push(Finding::error("frame_animated", file, "a frame is an animation itself", hint));
            good = false;
        }
        if (header.width, header.height) != (width, height) {
            let message =
                format!("it has {} x {} px, the first frame {width} x {height}", header.width, header.height);
            let hint = "export every frame at the size of the canvas";
            findings.push(Finding::error("frame_size_differs", file, message, hint));
            good = false;
        }
    }
    if !good {
        return None;
    }
    if let Err(refused) = check_size(width, height, files.len()) {
        findings.push(refused.error(path));
        return None;
    }
    let durations_ms = vec![None; files.len()];
    Some(Artwork { path: path.to_owned(), width, height, durations_ms, loop_count: None, files })
}

/// Decodes one file that was surveyed.
fn decode(path: &Path, findings: &mut Vec<Finding>) -> Option<Drawing> {
    let file = read(path, findings)?;
    let mut warnings = Vec::new();
    let drawing = decode_bytes(&file, &mut warnings);
    findings.extend(warnings.into_iter().map(|refused| refused.warning(path)));
    drawing.map_err(|refused| findings.push(refused.error(path))).ok()
}

/// The pictures in a file's content.
fn decode_bytes(file: &[u8], doubtful: &mut Vec<Refused>) -> Result<Drawing, Refused> {
    let Decoded { pictures, warnings } = match Kind::of(file)? {
        Kind::Png => png::decode(file)?,
        Kind::Gif => gif::decode(file)?,
        Kind::WebP => webp::decode(file)?,
        Kind::Svg => return Ok(Drawing::Vector(Box::new(svg::decode(file)?))),
    };
    doubtful.extend(warnings);
    Ok(Drawing::Pictures(pictures))
}

fn header(path: &Path, findings: &mut Vec<Finding>) -> Option<Header> {
    let file = read(path, findings)?;
    survey_bytes(&file).map_err(|refused| findings.push(refused.error(path))).ok()
}

/// What a file's content says of its pictures.
fn survey_bytes(file: &[u8]) -> Result<Header, Refused> {
    match Kind::of(file)? {
        Kind::Png => png::survey(file),
        Kind::Gif => gif::survey(file),
        Kind::WebP => webp::survey(file),
        Kind::Svg => svg::survey(file),
    }
}

/// Surveys and decodes a file's content; the reason's code where it is refused.
pub(crate) fn pictures_in(file: &[u8], side: u32) -> Result<Vec<Picture>, &'static str> {
    let header = survey_bytes(file).map_err(|refused| refused.code)?;
    match decode_bytes(file, &mut Vec::new()).map_err(|refused| refused.code)? {
        Drawing::Vector(vector) => {
            vector.render(side, side).map(|it| vec![it]).map_err(|_internal| "internal")
        }
        Drawing::Pictures(pictures) if pictures.len() != header.durations_ms.len() => Err("picture_damaged"),
        Drawing::Pictures(pictures) => Ok(pictures),
    }
}

fn read(path: &Path, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    let (code, message, hint) = match read::at_most(path, MAX_FILE) {
        Ok(file) => return Some(file),
        Err(Unread::NotAFile) => (
            "not_a_file",
            "it is a folder or another thing than a file".to_owned(),
            "name a PNG file; for an animation a folder of numbered PNGs, as the sticker's `file`",
        ),
        Err(Unread::TooLarge) => (
            "file_too_large",
            format!("it has more than {MAX_FILE} bytes"),
            "a picture of a sticker has a few hundred kilobytes",
        ),
        Err(Unread::Io(error)) if error.kind() == ErrorKind::NotFound => (
            "file_missing",
            "there is no such file".to_owned(),
            "check the name in pack.toml, letter case included",
        ),
        Err(Unread::Io(error)) => ("file_unreadable", error.to_string(), "check the file's permissions"),
    };
    findings.push(Finding::error(code, path, message, hint));
    None
}

/// Bytes of one picture file: more than 4 Mpx need in any PNG.
const MAX_FILE: u64 = 48 << 20;

#[cfg(test)]
mod tests;
