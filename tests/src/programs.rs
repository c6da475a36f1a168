//! The real programs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

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

/// Asks a program to end, as a deployment does, and gives its exit code.
pub(crate) fn terminated(process: &mut Child, log: impl Fn() -> String) -> i32 {
    let sent = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().expect("kill");
    assert!(sent.success(), "the program had ended before:\n{}", log());
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(status) = process.try_wait().expect("a child") {
            return status.code().expect("the program ends by itself");
        }
        assert!(Instant::now() < deadline, "the program does not stop:\n{}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The folder that Cargo puts programs into.
fn folder_of_programs() -> PathBuf {
    let test = std::env::current_exe().expect("a test program");
    test.ancestors().nth(2).expect("target/<profile>/deps").to_owned()
}

/// A call of an example.
pub(crate) fn example(name: &str) -> Command {
    builds(&["--example", name]);
    Command::new(folder_of_programs().join("examples").join(name))
}

/// Has cargo build parts of the workspace.
fn builds(parts: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace"]).args(parts);
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // What cargo tells the test of itself would have build scripts run again that look at it, and all that depends on them compiled anew.
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    for (variable, _) in std::env::vars_os() {
        if told.iter().any(|told| variable.to_string_lossy().starts_with(told)) {
            cargo.env_remove(variable);
        }
    }
    let built = cargo.status().expect("cargo starts");
    assert!(built.success(), "what is tested does not build: {parts:?}");
}

fn program(name: &str) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        // The programs belong to other packages, for which the test runner does not build them. The whole workspace with one of its tests
        // has the dependencies' features that `cargo test --workspace` has: others would compile everything once more.
        builds(&["--bins", "--test", "manual"]);
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
