//! The real programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to the standard output.
    pub stdout: String,
    /// What it wrote to the standard error.
    pub stderr: String,
}

/// A call of `sticker-packer`.
pub fn packer() -> Command {
    program("sticker-packer")
}

/// A call of `sticker-store`.
pub fn store_program() -> Command {
    program("sticker-store")
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    Finished {
        code: output.status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("text on stdout"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The folder that Cargo puts programs into.
fn folder_of_programs() -> PathBuf {
    let test = std::env::current_exe().expect("a test program");
    test.ancestors().nth(2).expect("target/<profile>/deps").to_owned()
}

/// A call of a package's example.
pub(crate) fn example(package: &str, name: &str) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--example", name])
        .current_dir(workspace)
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the example does not build");
    Command::new(folder_of_programs().join("examples").join(name))
}

fn program(name: &str) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        // The programs belong to other packages, for which the test runner does not build them.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "sticker-store", "--package", "sticker-packer", "--bins"])
            .current_dir(workspace)
            .status()
            .expect("cargo starts");
        assert!(built.success(), "the programs do not build");
        folder_of_programs()
    });
    let mut command = Command::new(folder.join(name));
    // What a developer's shell holds must not reach into a test.
    for (variable, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STICKER_"))
    {
        command.env_remove(variable);
    }
    command
}
