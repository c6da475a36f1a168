//! Who sits at this machine, so that nobody has to be asked.

use std::path::Path;
use std::process::{Command, Stdio};

use sticker_packer::init::Maker;

/// The artist's name as git knows it for this folder, and the language that the system speaks.
pub(super) fn maker(folder: &Path) -> Maker {
    Maker { artist: git_name(folder), locale: system_locale() }
}

fn git_name(folder: &Path) -> Option<String> {
    let mut git = Command::new("git");
    let folder = if folder.is_dir() { folder } else { Path::new(".") };
    git.arg("-C").arg(folder).args(["config", "--get", "user.name"]).stdin(Stdio::null());
    let said = git.output().ok().filter(|said| said.status.success())?;
    let name = String::from_utf8(said.stdout).ok()?;
    let name = name.trim();
    // Longer than a release can hold, or nothing that anybody is called.
    let is_a_name = !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control);
    is_a_name.then(|| name.to_owned())
}

/// POSIX asks for the names in this order.
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment is read")]
fn system_locale() -> Option<String> {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).and_then(|value| Maker::locale_of(&value))
}
