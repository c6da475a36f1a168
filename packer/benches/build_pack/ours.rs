//! Builds in a process of their own, as designers run them: nothing is warm, and the memory is theirs alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ring::rand::SystemRandom;
use sticker_packer::{BuildOptions, Effort, Quality, build};

use crate::cost::peak_memory;

/// How to build.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) effort: Effort,
    pub(crate) quality: Quality,
    pub(crate) cache: Option<&'a Path>,
}

impl How<'_> {
    pub(crate) const FAST: Self = Self { effort: Effort::Fast, quality: Quality::Standard, cache: None };
    pub(crate) const DEFAULT: Self = Self { effort: Effort::Default, ..Self::FAST };
}

/// What makes this program build once, instead of measuring.
const BUILD: &str = "--build-once";

/// Builds in a new process; the most memory that it had, in MiB.
pub(crate) fn build_once(project: &Path, out: &Path, how: How<'_>) -> Option<u64> {
    let effort = if how.effort == Effort::Fast { "fast" } else { "default" };
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program);
    child.args([BUILD, effort, &how.quality.to_string()]).args([project, out]).args(how.cache);
    let output = child.stderr(Stdio::inherit()).output().expect("a process");
    assert!(output.status.success(), "a build failed");
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Whether this process was started by [`build_once`]; then it has done its work.
#[expect(clippy::disallowed_methods, reason = "the edge of a program is where randomness comes in")]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn was_asked() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [build_once, effort, quality, project, out, cache @ ..] = arguments.as_slice() else { return false };
    if build_once != BUILD {
        return false;
    }
    let random = SystemRandom::new();
    let options = BuildOptions {
        effort: if effort == "fast" { Effort::Fast } else { Effort::Default },
        quality: Some(quality.parse().expect("a quality")),
        cache: cache.first().map(PathBuf::from),
        ..BuildOptions::new(&random)
    };
    build(Path::new(project), Path::new(out), &options, &()).expect("a pack that can be built");
    println!("{}", peak_memory().map_or_else(String::new, |mib| mib.to_string()));
    true
}
