//! Reads what somebody else wrote: a file and nothing that waits for a writer, and no more of it than fits.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes of a text file of the project; the largest pack has a few hundred kilobytes.
pub(crate) const MAX_TEXT: u64 = 4 << 20;

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// It has more bytes than allowed.
    TooLarge,
    /// It is not there, or the system does not give it.
    Io(io::Error),
}

/// The content of a file of at most `most` bytes.
pub(crate) fn at_most(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    // Opening a pipe would wait for somebody to write into it.
    if path.exists() && !path.is_file() {
        return Err(Unread::NotAFile);
    }
    let mut content = Vec::new();
    let length =
        File::open(path).and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut content));
    match length.map_err(Unread::Io)? {
        length if length as u64 > most => Err(Unread::TooLarge),
        _ => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::finding::Finding;
    use crate::{lock, project};

    /// The findings of reading both files of the folder, which must not wait for anybody.
    fn told(folder: &Path) -> Vec<Finding> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let folder = folder.to_owned();
        std::thread::spawn(move || {
            let mut findings = Vec::new();
            assert!(project::load(&folder, &mut findings).unwrap().is_none());
            assert!(lock::load(&folder, &mut findings).unwrap().is_none());
            sender.send(findings)
        });
        receiver.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    #[test]
    fn a_project_and_its_lock_are_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        for name in [project::PROJECT_FILE, lock::LOCK_FILE] {
            File::create(folder.path().join(name)).unwrap().set_len(MAX_TEXT + 1).unwrap();
        }
        let findings = told(folder.path());
        let told: Vec<_> = findings.iter().map(|it| (it.code, it.message.as_str())).collect();
        let message = "it has more than 4194304 bytes";
        assert_eq!(told, [("project_too_large", message), ("lock_invalid", message)]);
    }

    #[test]
    fn a_folder_in_place_of_a_project_or_lock_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for name in [project::PROJECT_FILE, lock::LOCK_FILE] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let codes: Vec<_> = told(folder.path()).iter().map(|it| it.code).collect();
        assert_eq!(codes, ["project_not_a_file", "lock_invalid"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_a_project_or_lock_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        for name in [project::PROJECT_FILE, lock::LOCK_FILE] {
            let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
            assert!(made.success());
        }
        let codes: Vec<_> = told(folder.path()).iter().map(|it| it.code).collect();
        assert_eq!(codes, ["project_not_a_file", "lock_invalid"]);
    }

    #[test]
    fn a_lock_that_is_not_text_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(lock::LOCK_FILE), b"\xff").unwrap();
        let codes: Vec<_> = told(folder.path()).iter().map(|it| it.code).collect();
        assert_eq!(codes, ["project_missing", "lock_invalid"]);
    }
}
