//! Verifiers in other languages: each example chat server, as a process of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs::{example, run};
use crate::store::Store;
use crate::{left_out, until};

/// A running chat server that checks tokens by itself; ended when dropped.
#[derive(Debug)]
pub struct Verifier {
    /// The language that it is written in.
    pub language: &'static str,
    process: Child,
    messages: ChildStdin,
    verdicts: BufReader<ChildStdout>,
    log: PathBuf,
    _folder: TempDir,
}

impl Verifier {
    /// One of every language whose tools are there, following a store with a client's secret, and ready.
    pub fn of_every_language(store: &Store, secret: &str) -> Vec<Self> {
        let commands: [(&'static str, Prepare); 5] = [
            ("Rust", |_| Ok(example("chat_server"))),
            ("Go", go),
            ("Java", java),
            ("Python", python),
            ("TypeScript", typescript),
        ];
        let mut verifiers = Vec::new();
        for (language, command) in commands {
            let folder = tempfile::tempdir().expect("a temporary folder");
            match command(folder.path()) {
                Ok(command) => verifiers.push(Self::start(language, command, folder, &store.url(), secret)),
                Err(why) => left_out(&format!("the verifier in {language}"), &why),
            }
        }
        for verifier in &verifiers {
            until(&format!("{} is ready", verifier.language), || verifier.log().contains("ready"));
        }
        verifiers
    }

    fn start(
        language: &'static str,
        mut command: Command,
        folder: TempDir,
        store: &str,
        secret: &str,
    ) -> Self {
        let log = folder.path().join("log");
        let mut process = command
            .args(["--store", store])
            .env("STICKER_STORE_SECRET", secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log file"))
            .spawn()
            .expect("the verifier starts");
        let messages = process.stdin.take().expect("a pipe");
        let verdicts = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { language, process, messages, verdicts, log, _folder: folder }
    }

    /// What it says of one message.
    pub fn checks(&mut self, token: &str, sticker: u64, user: &str) -> Value {
        let message = json!({ "token": token, "sticker_id": sticker, "user": user });
        writeln!(self.messages, "{message}").expect("the verifier reads");
        let mut verdict = String::new();
        let read = self.verdicts.read_line(&mut verdict).expect("the verifier answers");
        assert!(read > 0, "{} ended:\n{}", self.language, self.log());
        serde_json::from_str(&verdict).expect("a verdict in JSON")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/clients")
}

/// Builds what has to be built into a folder, and gives the call; or says which tool is missing.
type Prepare = fn(&Path) -> Result<Command, String>;

fn go(folder: &Path) -> Result<Command, String> {
    let program = folder.join("chat-server");
    let mut build = Command::new(tool("go", "version")?);
    build.arg("build").arg("-o").arg(&program).arg("./example").current_dir(clients().join("go"));
    builds(&mut build);
    Ok(Command::new(program))
}

fn java(folder: &Path) -> Result<Command, String> {
    let root = clients().join("java/src");
    let sources = |part: &str| -> Vec<PathBuf> {
        let files = std::fs::read_dir(root.join(part)).expect("the sources");
        files
            .map(|file| file.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|it| it == "java"))
            .collect()
    };
    let mut build = Command::new(tool("javac", "-version")?);
    build.arg("-d").arg(folder).args(sources("main/java/sticker/token")).args(sources("example/java"));
    builds(&mut build);
    let mut command = Command::new(tool("java", "-version")?);
    command.arg("-cp").arg(folder).arg("ChatServer");
    Ok(command)
}

/// In the gate's environment, or with the system's Python where it has what version 2 needs.
fn python(_: &Path) -> Result<Command, String> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/venv/bin/python");
    let program = if venv.exists() { venv } else { tool("python3", "--version")?.into() };
    let mut command = Command::new(program);
    command
        .env("PYTHONPATH", clients().join("python/src"))
        .arg(clients().join("python/examples/chat_server.py"));
    Ok(command)
}

fn typescript(_: &Path) -> Result<Command, String> {
    let program = clients().join("typescript/dist/examples/chat-server.js");
    if !program.exists() {
        return Err("run `npm ci && npm run build` in protocol/clients/typescript".to_owned());
    }
    let mut command = Command::new(tool("node", "--version")?);
    command.arg(program);
    Ok(command)
}

fn tool(name: &'static str, version: &str) -> Result<&'static str, String> {
    let found = Command::new(name).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        Ok(name)
    } else {
        Err(format!("`{name}` is not installed"))
    }
}

fn builds(command: &mut Command) {
    let finished = run(command);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
}
