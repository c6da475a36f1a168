//! Which paths of a project are worth a build.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// Everything in the project but what the packer writes, and what editors and systems keep beside the files.
#[derive(Debug)]
pub(super) struct Counted {
    folder: PathBuf,
    /// The folder that holds the release, as events name it.
    beside: PathBuf,
    /// The release and its page there.
    written: [OsString; 2],
}

/// How the names of files that are not finished, or not meant to stay, end.
const UNFINISHED: [&str; 10] =
    ["~", ".bak", ".crdownload", ".part", ".partial", ".swo", ".swp", ".swx", ".tmp", ".temp"];
/// What systems put into folders, in lower case, and the file by which Vim finds out whether it may write.
const OF_SYSTEMS: [&str; 3] = ["thumbs.db", "desktop.ini", "4913"];

impl Counted {
    /// `folder` is canonical; `out` may not be there yet.
    pub(super) fn new(folder: &Path, out: &Path) -> Self {
        let name = out.file_name().unwrap_or_default();
        let mut page = name.to_owned();
        page.push("-preview.html");
        let beside = match out.parent() {
            Some(beside) if !beside.as_os_str().is_empty() => beside,
            _ => Path::new("."),
        };
        Self { folder: folder.to_owned(), beside: whole(beside), written: [name.to_owned(), page] }
    }

    pub(super) fn counts(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.folder) else { return false };
        !self.is_written(path) && !inside.components().any(|part| is_left_out(part.as_os_str()))
    }

    fn is_written(&self, path: &Path) -> bool {
        if path != self.folder && self.beside.starts_with(path) {
            // A folder that is made for the release.
            return true;
        }
        let first = path.strip_prefix(&self.beside).ok().and_then(|rest| rest.components().next());
        matches!(first, Some(Component::Normal(name)) if self.written.iter().any(|written| written == name))
    }
}

/// What is hidden is never artwork: an editor's own files, version control, and what the packer has not put in its place yet.
fn is_left_out(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let is_emacs = name.starts_with('#') && name.ends_with('#');
    let is_office = name.starts_with("~$");
    name.starts_with('.')
        || is_emacs
        || is_office
        || OF_SYSTEMS.contains(&name.as_str())
        || UNFINISHED.iter().any(|ending| name.ends_with(ending))
}

/// Canonical as far as it is there.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .ancestors()
        .find_map(|there| {
            let rest = absolute.strip_prefix(there).ok()?;
            let there = there.canonicalize().ok()?;
            Some(if rest.as_os_str().is_empty() { there } else { there.join(rest) })
        })
        .unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artwork_and_texts_count_and_what_programs_keep_beside_them_does_not() {
        let counted = Counted::new(Path::new("/pack"), Path::new("/elsewhere/out"));
        for path in
            ["/pack", "/pack/pack.toml", "/pack/stickers/a.png", "/pack/stickers/dance/000.png", "/pack/out"]
        {
            assert!(counted.counts(Path::new(path)), "{path}");
        }
        for path in [
            "/pack/.git/index",
            "/pack/stickers/.a.png.swp",
            "/pack/stickers/.goutputstream-ABC",
            "/pack/stickers/a.png~",
            "/pack/stickers/4913",
            "/pack/#pack.toml#",
            "/pack/.#pack.toml",
            "/pack/.DS_Store",
            "/pack/Thumbs.db",
            "/pack/.pack.lock.12.new",
            "/packs/a.png",
        ] {
            assert!(!counted.counts(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_the_build_writes_into_the_project_does_not_count() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().canonicalize().unwrap();
        let counted = Counted::new(&folder, &desk.path().join("made/out"));
        for (path, counts) in [
            ("made/out/release.thrift", false),
            ("made/out", false),
            ("made", false),
            ("", true),
            ("made/.out.12.new/web/cover.webp", false),
            ("made/.out.12.old", false),
            ("made/out-preview.html", false),
            ("made/.out-preview.html.12.new", false),
            ("made/out2/a.png", true),
            ("out/a.png", true),
        ] {
            assert_eq!(counted.counts(&folder.join(path)), counts, "{path}");
        }
    }
}
