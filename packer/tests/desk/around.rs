//! What lies around the tests on this machine, and what is said where it is missing.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A part of the collection of artwork that may lie beside this repository as `shared/data`; else a line that says what is left out.
pub(crate) fn collection(part: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|it| it.join("shared/data").join(part)).find(|it| it.is_dir());
    if found.is_none() {
        left_out(&format!("shared/data/{part}, which does not lie beside the repository"));
    }
    found
}

/// The first of these programs that is installed; else tells what is left out, or fails where nothing may be that can be installed.
#[expect(clippy::disallowed_methods, reason = "what may be left out is the machine's affair")]
pub(crate) fn installed(programs: &[&'static str], version: &str) -> Option<&'static str> {
    let starts =
        |name: &&&str| Command::new(name).arg(version).output().is_ok_and(|output| output.status.success());
    let found = programs.iter().find(starts).copied();
    if found.is_none() {
        let nothing_may_be = std::env::var_os("STICKER_TEST_NOTHING_LEFT_OUT").is_some();
        assert!(!nothing_may_be, "{programs:?} is not installed");
        left_out(&format!("what {} says, which is not installed", programs.first().unwrap()));
    }
    found
}

/// Past the test runner, which shows the output of failed tests alone.
fn left_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "left out: {what}");
}
