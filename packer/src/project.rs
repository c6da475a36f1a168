//! `pack.toml`: what a designer says about a pack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sticker_protocol::limits::{MAX_FRAME_MS, MAX_LOOPS, MAX_STICKERS};
use sticker_protocol::{Slug, release};

use crate::encode::Quality;
use crate::error::Error;
use crate::finding::Finding;
use crate::read::{self, MAX_TEXT, Unread};

/// The project file's name.
pub const PROJECT_FILE: &str = "pack.toml";

/// A project file that was read and makes sense; the artwork was not looked at yet.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder that holds `pack.toml`.
    pub folder: PathBuf,
    /// The pack's name in addresses.
    pub slug: Slug,
    /// Who drew it.
    pub artist: release::Artist,
    /// Size of every sticker in dp.
    pub canvas: release::Canvas,
    /// The texts and words that go into the release as they are.
    pub file: ProjectFile,
}

/// The fields of `pack.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectFile {
    slug: String,
    /// Titles by locale.
    pub titles: BTreeMap<String, String>,
    /// Descriptions by locale.
    #[serde(default)]
    pub descriptions: BTreeMap<String, String>,
    pub(crate) artist: ArtistFile,
    /// The copyright notice.
    #[serde(default)]
    pub copyright: String,
    /// The name of a price tier of the store.
    #[serde(default = "free")]
    pub price_tier: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    canvas: CanvasFile,
    /// The cover's file; `cover.png` where it is there, else the first sticker.
    pub cover: Option<PathBuf>,
    /// How the pack is built.
    #[serde(default)]
    pub build: BuildFile,
    /// The stickers in the order in which a keyboard shows them.
    pub stickers: Vec<StickerFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArtistFile {
    slug: String,
    pub(crate) name: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CanvasFile {
    width: u32,
    height: u32,
}

impl Default for CanvasFile {
    fn default() -> Self {
        Self { width: 128, height: 128 }
    }
}

/// The `[build]` of `pack.toml`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildFile {
    /// What the pictures must look like.
    pub quality: Option<Quality>,
    /// The most bytes that the images of one sticker may have at any density.
    pub max_sticker_bytes: Option<u64>,
    /// The most bytes that a bundle may have.
    pub max_bundle_bytes: Option<u64>,
}

/// One `[[stickers]]` of `pack.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StickerFile {
    /// The designer's name for it; `pack.lock` finds its id by this name.
    pub name: String,
    /// A PNG, or a folder of numbered PNG frames, relative to the project.
    pub file: PathBuf,
    /// The emoji that it answers to.
    #[serde(default)]
    pub emoji: Vec<String>,
    /// What it shows, in words, by locale.
    #[serde(default)]
    pub alt: BTreeMap<String, String>,
    /// Frames per second of a folder of frames; 20 where neither this nor `frame_ms` is given.
    pub fps: Option<f64>,
    /// How long each frame of a folder lasts, in ms.
    pub frame_ms: Option<u32>,
    /// How often an animation plays; 0 is for ever. As the artwork says where this is not given.
    #[serde(rename = "loop")]
    pub loop_count: Option<u32>,
    /// The frame, from 0, that stands for the animation where nothing moves.
    pub poster: Option<u32>,
}

fn free() -> String {
    "free".to_owned()
}

/// Reads `pack.toml` and checks all that can be checked without the artwork. `None` where a finding is an error.
///
/// # Errors
/// [`Error::Io`] where the file is there and cannot be read.
pub fn load(folder: &Path, findings: &mut Vec<Finding>) -> Result<Option<Project>, Error> {
    let path = folder.join(PROJECT_FILE);
    let mut unread = |code, message: String, hint: &str| {
        findings.push(Finding::error(code, &path, message, hint));
        Ok(None)
    };
    let text = match read::at_most(&path, MAX_TEXT).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            return unread("project_not_text", "it is not UTF-8 text".to_owned(), "save it as UTF-8");
        }
        Err(Unread::NotAFile) => {
            let message = "it is a folder or another thing than a file".to_owned();
            return unread("project_not_a_file", message, "write the project into a file of this name");
        }
        Err(Unread::TooLarge) => {
            let message = format!("it has more than {MAX_TEXT} bytes");
            return unread("project_too_large", message, "the largest pack needs a few hundred kilobytes");
        }
        Err(Unread::Io(error)) if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() => {
            let hint = format!(
                "write one, or let `sticker-packer init {}` make it from the artwork",
                folder.display()
            );
            return unread("project_missing", "there is no pack.toml".to_owned(), &hint);
        }
        Err(Unread::Io(error)) => return Err(Error::io("read", &path)(error)),
    };
    Ok(parse(folder, &text, findings))
}

/// As [`load`], from the text of `pack.toml`.
pub(crate) fn parse(folder: &Path, text: &str, findings: &mut Vec<Finding>) -> Option<Project> {
    let path = folder.join(PROJECT_FILE);
    match toml::from_str::<ProjectFile>(text) {
        Ok(file) => check(folder, file, findings),
        Err(error) => {
            let hint = "packer/README.md lists every field of pack.toml with its form";
            let message = error.message().replace('\n', "; ");
            let finding = Finding::error("project_invalid", &path, message, hint);
            findings.push(match error.span().map(|span| line_and_column(text, span.start)) {
                Some((line, column)) => finding.at_line(line, column),
                None => finding,
            });
            None
        }
    }
}

/// Both from 1.
fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

fn check(folder: &Path, file: ProjectFile, findings: &mut Vec<Finding>) -> Option<Project> {
    let path = folder.join(PROJECT_FILE);
    let before = findings.len();
    let mut wrong =
        |code, message: String, hint: &str| findings.push(Finding::error(code, &path, message, hint));

    let slug = file.slug.parse::<Slug>();
    let artist = file.artist.slug.parse::<Slug>();
    for (field, slug) in [("slug", &slug), ("artist.slug", &artist)] {
        if let Err(error) = slug {
            wrong(
                "slug_invalid",
                format!("`{field}`: {error}"),
                "it stands in addresses, like mochi-and-bean",
            );
        }
    }
    let sides = 1..=release::Canvas::MAX_DP;
    if !sides.contains(&file.canvas.width) || !sides.contains(&file.canvas.height) {
        let message = format!("`canvas` is {} x {} dp", file.canvas.width, file.canvas.height);
        wrong("canvas_invalid", message, "a side has 1 to 1024 dp; 128 is usual");
    }
    if file.stickers.is_empty() || file.stickers.len() > MAX_STICKERS {
        let message = format!("the pack has {} stickers", file.stickers.len());
        wrong("sticker_count", message, &format!("a pack has 1 to {MAX_STICKERS}"));
    }
    let mut names = BTreeSet::new();
    for sticker in &file.stickers {
        check_sticker(sticker, names.insert(&sticker.name), &mut wrong);
    }
    crate::words::check(&file, &mut wrong);
    for outside in file.stickers.iter().map(|it| &it.file).chain(&file.cover).filter(|it| !stays_inside(it)) {
        let message = format!("`{}` leads out of the project", outside.display());
        wrong(
            "path_outside",
            message,
            "keep the artwork in the project's folder and name it by a relative path",
        );
    }
    if findings.len() > before {
        return None;
    }
    Some(Project {
        folder: folder.to_owned(),
        slug: slug.ok()?,
        artist: release::Artist { slug: artist.ok()?, name: file.artist.name.clone() },
        canvas: release::Canvas { width_dp: file.canvas.width, height_dp: file.canvas.height },
        file,
    })
}

fn check_sticker(sticker: &StickerFile, is_new: bool, wrong: &mut impl FnMut(&'static str, String, &str)) {
    let name = &sticker.name;
    if !is_new {
        wrong(
            "name_twice",
            format!("two stickers are named `{name}`"),
            "pack.lock finds ids by name: make each unique",
        );
    }
    if sticker.fps.is_some() && sticker.frame_ms.is_some() {
        wrong("timing_twice", format!("`{name}` has both fps and frame_ms"), "keep the one that is exact");
    }
    if sticker.fps.is_some_and(|fps| !(0.1..=100.0).contains(&fps)) {
        wrong("fps_invalid", format!("`{name}`: fps is outside 0.1 to 100"), "12 to 25 is usual");
    }
    if sticker.frame_ms.is_some_and(|ms| !(1..=MAX_FRAME_MS).contains(&ms)) {
        wrong(
            "frame_ms_invalid",
            format!("`{name}`: frame_ms is outside 1 to {MAX_FRAME_MS}"),
            "40 to 100 is usual",
        );
    }
    if sticker.loop_count.is_some_and(|loops| loops > MAX_LOOPS) {
        wrong("loop_invalid", format!("`{name}`: loop is above {MAX_LOOPS}"), "0 plays for ever");
    }
}

/// Whether a relative path leads nowhere else than into its folder.
pub(crate) fn stays_inside(path: &Path) -> bool {
    use std::path::Component;
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
