//! A first `pack.toml` for a folder of artwork: asks nothing that it can find out, and moves nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artwork::{is_png_name, number_of};
use crate::error::Error;
use crate::out;
use crate::project::PROJECT_FILE;

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The project file.
    pub path: PathBuf,
    /// How many stickers it names.
    pub stickers: usize,
}

/// Why no project file was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is one already.
    #[error("{} is there already", .0.display())]
    AlreadyThere(PathBuf),
    /// Neither the folder nor its `stickers` holds pictures.
    #[error("{} holds no PNG file and no folder of numbered PNG frames", .0.display())]
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
pub fn init(folder: &Path) -> Result<Written, InitError> {
    let path = folder.join(PROJECT_FILE);
    if path.exists() {
        return Err(InitError::AlreadyThere(path));
    }
    let mut stickers = artwork_in(folder, "")?;
    if folder.join("stickers").is_dir() {
        stickers.extend(artwork_in(&folder.join("stickers"), "stickers/")?);
    }
    if stickers.is_empty() {
        return Err(InitError::NoArtwork(folder.to_owned()));
    }
    let name =
        fs::canonicalize(folder).ok().and_then(|it| Some(it.file_name()?.to_string_lossy().into_owned()));
    let text = project_text(&name.unwrap_or_default(), &stickers);
    out::write_atomically(&path, text.as_bytes())?;
    Ok(Written { path, stickers: stickers.len() })
}

/// One sticker that was found.
struct Found {
    /// Relative to the project, with forward slashes.
    file: String,
    stem: String,
    is_animation: bool,
}

fn artwork_in(folder: &Path, prefix: &str) -> Result<Vec<Found>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> =
        entries.map_err(Error::io("read", folder))?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths.iter().filter_map(|path| found(path, prefix)).collect())
}

fn found(path: &Path, prefix: &str) -> Option<Found> {
    let file_name = path.file_name()?.to_str()?;
    let is_animation = path.is_dir() && holds_frames(path);
    let is_still = path.is_file() && is_png_name(path) && file_name != "cover.png";
    let stem = if is_animation { file_name } else { path.file_stem()?.to_str()? };
    (is_animation || is_still).then(|| Found {
        file: format!("{prefix}{file_name}"),
        stem: stem.to_owned(),
        is_animation,
    })
}

fn holds_frames(folder: &Path) -> bool {
    let is_frame = |path: &Path| is_png_name(path) && number_of(path).is_some();
    // A folder of stills whose names happen to end with numbers is `stickers` itself, which is looked into instead.
    folder.file_name().is_some_and(|name| name != "stickers")
        && fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|it| is_frame(&it.path()))))
}

fn project_text(folder_name: &str, stickers: &[Found]) -> String {
    let slug = slug_of(folder_name);
    let title =
        quoted(&if folder_name.is_empty() { slug.clone() } else { folder_name.replace(['-', '_'], " ") });
    let mut text = format!(
        "# What `sticker-packer build` makes a pack from. packer/README.md explains every field.\n\
         slug = {slug}                # stands in addresses; a-z, 0-9 and hyphens\n\
         price_tier = \"free\"           # or a tier of the store, such as \"tier1\"\n\
         tags = []\n\
         copyright = \"\"\n\n\
         [titles]                      # by locale: en, ko, ja, ...\n\
         en = {title}\n\n\
         [descriptions]\n\n\
         [artist]\n\
         slug = \"artist\"\n\
         name = \"Artist\"\n",
        slug = quoted(&slug)
    );
    for sticker in stickers {
        let emoji = emoji_of(&sticker.stem).map(|emoji| quoted(&emoji)).unwrap_or_default();
        let _ = write!(
            text,
            "\n[[stickers]]\nname = {}\nfile = {}\nemoji = [{emoji}]\n",
            quoted(&sticker.stem),
            quoted(&sticker.file)
        );
        if sticker.is_animation {
            text.push_str(
                "fps = 20                      # or frame_ms = 50 for each frame; loop = 0 plays for ever\n",
            );
        }
        text.push_str("alt = {}                      # what it shows, in words: { en = \"waves\" }\n");
    }
    text
}

/// The folder's name with everything else than letters and digits as single hyphens.
fn slug_of(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words: Vec<_> =
        lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(64).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "my-stickers".to_owned() } else { slug.to_owned() }
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

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
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
        assert_eq!(init(&project).unwrap().stickers, 3);
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
        assert!(matches!(init(&project), Err(InitError::AlreadyThere(_))));
    }

    #[test]
    fn a_folder_without_pictures_gets_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(init(folder.path()), Err(InitError::NoArtwork(_))));
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
