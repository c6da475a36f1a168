//! A first `pack.toml` for a folder of artwork: asks nothing that it can find out, and moves nothing.

mod draft;

use std::fs;
use std::path::{Path, PathBuf};

pub use draft::Maker;
pub(crate) use draft::{Draft, DraftSticker, slug_of};

use crate::artwork::{Kind, has_ending, is_frame_name, number_of};
use crate::error::Error;
use crate::finding::Finding;
use crate::lock::LOCK_FILE;
use crate::out;
use crate::project::PROJECT_FILE;

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The project file.
    pub path: PathBuf,
    /// How many stickers it names.
    pub stickers: usize,
    /// Notes, such as of files that are no pictures.
    pub findings: Vec<Finding>,
}

/// Why no project file was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is one already.
    #[error("{} is there already", .0.display())]
    AlreadyThere(PathBuf),
    /// Neither the folder nor its `stickers` holds pictures.
    #[error("{} holds no picture and no folder of numbered frames", .0.display())]
    NoArtwork(PathBuf),
    /// The folder cannot be read, or the file not written.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Writes `pack.toml` into `folder`. Stickers are named after their files and sorted by name; a code point in a name, such as
/// `1f600`, becomes the sticker's emoji; `cover.png` is the cover.
///
/// # Errors
/// [`InitError`]; nothing was written.
pub fn init(folder: &Path, maker: &Maker) -> Result<Written, InitError> {
    let path = folder.join(PROJECT_FILE);
    if path.exists() {
        return Err(InitError::AlreadyThere(path));
    }
    let stickers = find(folder)?;
    if stickers.is_empty() {
        return Err(InitError::NoArtwork(folder.to_owned()));
    }
    let name =
        fs::canonicalize(folder).ok().and_then(|it| Some(it.file_name()?.to_string_lossy().into_owned()));
    let text = draft(&name.unwrap_or_default(), &stickers).text(maker);
    out::write_atomically(&path, text.as_bytes())?;
    let mut findings = Vec::new();
    tell_left_out(folder, &mut findings)?;
    Ok(Written { path, stickers: stickers.len(), findings })
}

/// One sticker that was found.
pub(crate) struct Found {
    /// Relative to the folder, with forward slashes.
    pub(crate) file: String,
    pub(crate) stem: String,
    /// Whether it is a folder of frames.
    pub(crate) is_folder: bool,
}

/// The stickers in a folder and in its `stickers`, by name.
pub(crate) fn find(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut stickers = artwork_in(folder, "")?;
    if folder.join("stickers").is_dir() {
        stickers.extend(artwork_in(&folder.join("stickers"), "stickers/")?);
    }
    Ok(stickers)
}

/// Tells in one note of the files where [`find`] looks that are no pictures.
pub(crate) fn tell_left_out(folder: &Path, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut names = Vec::new();
    for (inside, prefix) in [(folder.to_owned(), ""), (folder.join("stickers"), "stickers/")] {
        let paths = if inside.is_dir() { paths_in(&inside)? } else { Vec::new() };
        let left_out = paths.iter().filter(|path| path.is_file() && !has_ending(path, &Kind::ENDINGS));
        let left_out = left_out.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        names
            .extend(left_out.filter(|name| !goes_without_saying(name)).map(|name| format!("{prefix}{name}")));
    }
    if names.is_empty() {
        return Ok(());
    }
    let shown = names.get(..NAMED).unwrap_or(&names).join(", ");
    let message = match names.len().saturating_sub(NAMED) {
        0 => format!("left out, being no pictures that stickers are made of: {shown}"),
        more => format!("left out, being no pictures that stickers are made of: {shown} and {more} more"),
    };
    let hint =
        "where one should be a sticker, export it as PNG, APNG, GIF, WebP, SVG or a folder of numbered PNGs";
    findings.push(Finding::note("files_left_out", folder, message, hint));
    Ok(())
}

/// Files that a note names.
const NAMED: usize = 10;

/// Whether nobody expects a sticker of a file with this name.
fn goes_without_saying(name: &str) -> bool {
    let upper = name.to_uppercase();
    name.starts_with('.')
        || [PROJECT_FILE, LOCK_FILE, "frames.json"].contains(&name)
        || ["README", "LICENSE"].iter().any(|start| upper.starts_with(start))
}

/// The pack's own picture, which is no sticker.
pub(crate) fn cover_in(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let is_cover =
        |path: &PathBuf| path.is_file() && has_ending(path, &Kind::ENDINGS) && stem_of(path) == Some("cover");
    Ok(paths_in(folder)?.into_iter().find(is_cover))
}

/// A project of these stickers, called as its folder is.
pub(crate) fn draft(folder_name: &str, stickers: &[Found]) -> Draft {
    let slug = slug_of(folder_name).unwrap_or_else(|| "my-stickers".to_owned());
    let title = if folder_name.is_empty() { slug.clone() } else { folder_name.replace(['-', '_'], " ") };
    let stickers = stickers.iter().map(|found| DraftSticker {
        name: found.stem.clone(),
        file: found.file.clone(),
        emoji: emoji_of(&found.stem).into_iter().collect(),
        alt: None,
        is_folder: found.is_folder,
    });
    Draft { slug, title, cover: None, stickers: stickers.collect() }
}

fn artwork_in(folder: &Path, prefix: &str) -> Result<Vec<Found>, Error> {
    let paths = paths_in(folder)?;
    Ok(paths.iter().filter_map(|path| found(path, prefix)).collect())
}

/// Sorted.
fn paths_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> =
        entries.map_err(Error::io("read", folder))?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn found(path: &Path, prefix: &str) -> Option<Found> {
    let file_name = path.file_name()?.to_str()?;
    let is_folder = path.is_dir() && holds_frames(path);
    let is_still = path.is_file() && has_ending(path, &Kind::ENDINGS) && stem_of(path) != Some("cover");
    let stem = if is_folder { file_name } else { path.file_stem()?.to_str()? };
    (is_folder || is_still).then(|| Found {
        file: format!("{prefix}{file_name}"),
        stem: stem.to_owned(),
        is_folder,
    })
}

fn stem_of(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

fn holds_frames(folder: &Path) -> bool {
    let is_frame = |path: &Path| is_frame_name(path) && number_of(path).is_some();
    // A folder of stills whose names happen to end with numbers is `stickers` itself, which is looked into instead.
    folder.file_name().is_some_and(|name| name != "stickers")
        && fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|it| is_frame(&it.path()))))
}

/// The character that a part of the name such as `1f600`, `u1f600` or `u+1f600` stands for.
fn emoji_of(stem: &str) -> Option<String> {
    stem.split(['_', '-', ' ', '.']).find_map(|part| {
        let lower = part.to_ascii_lowercase();
        let digits = lower.trim_start_matches('u').trim_start_matches('+');
        let code = Some(digits)
            .filter(|digits| (4..=5).contains(&digits.len()))
            .and_then(|it| u32::from_str_radix(it, 16).ok())?;
        // The blocks that hold emoji: symbols and dingbats, and the pictographs beyond the first plane. Four digits in the
        // middle of a name are a year or a camera's number, unless a `u` says otherwise.
        let is_marked = digits.len() == 5 || lower.starts_with('u') || part.len() == stem.len();
        let is_emoji = matches!(code, 0x2190..=0x21ff | 0x2300..=0x23ff | 0x2600..=0x27bf | 0x2b00..=0x2bff if is_marked)
            || matches!(code, 0x1f000..=0x1faff);
        char::from_u32(code).filter(|_| is_emoji).map(String::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_artwork_becomes_a_project_that_says_all_that_can_be_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("Mochi & Bean_2");
        fs::create_dir_all(project.join("stickers/wave")).unwrap();
        for file in [
            "stickers/01_1f600.png",
            "stickers/say \"hi\".png",
            "stickers/wave/000.png",
            "cover.png",
            "notes.txt",
        ] {
            fs::write(project.join(file), "").unwrap();
        }
        assert_eq!(init(&project, &Maker::default()).unwrap().stickers, 3);
        let mut findings = Vec::new();
        let loaded = crate::project::load(&project, &mut findings).unwrap().unwrap();
        assert_eq!(findings, []);
        assert_eq!(loaded.slug.as_str(), "mochi-bean-2");
        let stickers: Vec<_> =
            loaded.file.stickers.iter().map(|it| (it.name.as_str(), it.emoji.join(""), it.fps)).collect();
        assert_eq!(
            stickers,
            [
                ("01_1f600", "😀".to_owned(), None),
                ("say \"hi\"", String::new(), None),
                ("wave", String::new(), Some(20.0))
            ]
        );
        assert!(matches!(init(&project, &Maker::default()), Err(InitError::AlreadyThere(_))));
    }

    #[test]
    fn the_maker_is_the_artist_and_gives_the_locale() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["wave.png", "wave.gif"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let maker = Maker { artist: Some("Kim & Lee".to_owned()), locale: Some("ko".to_owned()) };
        init(folder.path(), &maker).unwrap();
        let mut findings = Vec::new();
        let loaded = crate::project::load(folder.path(), &mut findings).unwrap().unwrap();
        assert_eq!((loaded.artist.slug.as_str(), loaded.artist.name.as_str()), ("kim-lee", "Kim & Lee"));
        assert_eq!(loaded.file.titles.keys().collect::<Vec<_>>(), ["ko"]);
        assert_eq!(
            loaded.file.stickers.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            ["wave", "wave-2"]
        );
    }

    #[test]
    fn a_folder_without_pictures_gets_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(init(folder.path(), &Maker::default()), Err(InitError::NoArtwork(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_code_points_of_emoji_become_emoji() {
        assert_eq!(emoji_of("01_1f60d").as_deref(), Some("😍"));
        assert_eq!(emoji_of("u2764").as_deref(), Some("❤"));
        assert_eq!(emoji_of("2764").as_deref(), Some("❤"));
        assert_eq!(emoji_of("love_u+2764").as_deref(), Some("❤"));
        assert_eq!(emoji_of("IMG_2601"), None);
        assert_eq!(emoji_of("face"), None);
        assert_eq!(emoji_of("2026-beef"), None);
    }
}
