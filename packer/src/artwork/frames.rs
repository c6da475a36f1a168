//! A folder of numbered frames.

use std::fs;
use std::path::{Path, PathBuf};

use sticker_protocol::limits::MAX_FRAMES;

use crate::finding::Finding;

/// The pictures of a folder by the number that ends their name; 0, 1, 2 or 1, 2, 3, with any number of zeros before.
pub(super) fn numbered_frames(folder: &Path, findings: &mut Vec<Finding>) -> Option<Vec<PathBuf>> {
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
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_frame_name(path)) {
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
        let message = format!("the folder holds {} numbered pictures", frames.len());
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

/// Whether a frame may have this name.
pub(crate) fn is_frame_name(path: &Path) -> bool {
    has_ending(path, &["png", "webp"])
}

/// Whether a file that is not hidden has one of these endings, in any letter case.
pub(crate) fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let fits = |ending: &std::ffi::OsStr| endings.iter().any(|it| ending.eq_ignore_ascii_case(it));
    !hidden && path.extension().is_some_and(fits)
}

/// The number that ends the file's name before its ending.
pub(crate) fn number_of(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let digits = stem.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    stem.get(digits..)?.parse().ok()
}
