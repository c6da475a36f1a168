//! What processes that were killed left beside the places they wrote to.

use std::fs;
use std::path::Path;

/// Removes `.NAME.<process>.new` and `.NAME.<process>.old` beside `place` where that process is gone. A folder that was moved aside and
/// never replaced goes back. Nothing to tell where this fails: the work at hand does not need it.
pub(super) fn remove(place: &Path) {
    let Some(name) = place.file_name() else { return };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let leftover = entry.file_name();
        let Some((process, kind)) = leftover.to_str().and_then(|it| parts(it, &name.to_string_lossy()))
        else {
            continue;
        };
        if is_gone(process) {
            let path = entry.path();
            let _ = match (kind, path.is_dir()) {
                (Kind::Old, _) if fs::symlink_metadata(place).is_err() => fs::rename(&path, place),
                (_, true) => fs::remove_dir_all(&path),
                (_, false) => fs::remove_file(&path),
            };
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    New,
    Old,
}

/// The process that a leftover of `name` belonged to.
fn parts(leftover: &str, name: &str) -> Option<(u32, Kind)> {
    let rest = leftover.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?;
    let (process, kind) = rest.split_once('.')?;
    let kind = match kind {
        "new" => Kind::New,
        "old" => Kind::Old,
        _ => return None,
    };
    let digits = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| process.parse().ok()).flatten().map(|process| (process, kind))
}

/// Only where the system can say so: Linux lists its processes as folders.
fn is_gone(process: u32) -> bool {
    let processes = Path::new("/proc");
    cfg!(target_os = "linux")
        && processes.join(std::process::id().to_string()).exists()
        && !processes.join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Above the largest number that Linux gives.
    const NOBODY: u32 = 4_194_305;

    #[test]
    fn only_leftovers_of_this_name_are_taken_for_some() {
        assert_eq!(parts(".out.12.new", "out"), Some((12, Kind::New)));
        assert_eq!(parts(".a.b.12.old", "a.b"), Some((12, Kind::Old)));
        for other in [
            "out.12.new",
            ".out.new",
            ".out..new",
            ".out.12.tmp",
            ".out.+1.new",
            ".out2.12.new",
            ".out.12.new.1",
        ] {
            assert_eq!(parts(other, "out"), None, "{other}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_dead_process_left_goes_and_what_a_living_one_writes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let living = format!(".out.{}.new", std::process::id());
        for name in ["out", &format!(".out.{NOBODY}.new"), &format!(".out.{NOBODY}.old"), &living, ".mine"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at(&format!(".out.{NOBODY}.new/half")), "half").unwrap();
        remove(&at("out"));
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [".mine", &living, "out"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_was_moved_aside_and_not_replaced_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(format!(".out.{NOBODY}.old"))).unwrap();
        remove(&folder.path().join("out"));
        assert!(folder.path().join("out").is_dir());
    }
}
