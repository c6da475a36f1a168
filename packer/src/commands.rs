//! One command a file; each says how it ended.

mod build;
mod check;
mod completions;
mod export;
mod extract;
mod import;
mod init;
mod inspect;
mod maker;
mod man;
mod preview;
mod publish;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use sticker_packer::export::ExportOptions;
use sticker_packer::finding::any_error;
use sticker_packer::{CheckOptions, Error};

use crate::cli::{Cli, Command};
use crate::printer::Printer;

/// How a command ended; the numbers are relied on from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// 0.
    Done,
    /// 1.
    BadInput,
    /// 3.
    CannotReach,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::BadInput => 1,
            Status::CannotReach => 3,
        })
    }
}

pub(crate) fn run(cli: Cli) -> Status {
    let printer = Printer::new(cli.common);
    let jobs = cli.common.jobs.map(usize::from);
    match cli.command {
        Command::Init { dir } => init::run(&dir, printer),
        Command::Import { source, dir, pack } => import::run(&source, &dir, pack, printer),
        Command::Check { dir, platforms } => check::run(&dir, &CheckOptions { jobs, platforms }, printer),
        Command::Build { dir, out, how, watch: true, port } => {
            watch::run((&dir, &out), port.unwrap_or(0), &how, jobs, printer)
        }
        Command::Build { dir, out, how, .. } => build::run(&dir, &out, &how, jobs, printer),
        Command::Preview { out, to, no_scores } => preview::run(&out, to, !no_scores, jobs, printer),
        Command::Export { dir, to, out, locale } => {
            export::run(&dir, &out, &ExportOptions { to, jobs, locale }, printer)
        }
        Command::Inspect { file } => inspect::run(&file, printer),
        Command::Extract { file, out } => extract::run(&file, &out, printer),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { out } => man::run(out.as_deref(), printer),
        Command::Publish { out, store, secret_file, secret } => {
            publish::run(&out, &store, secret_file.as_deref(), secret.map(|it| it.0), printer)
        }
    }
}

/// Tells why the library did not do it.
fn failed(error: &Error, printer: Printer) -> Status {
    let (code, hint, status) = explained(error);
    if let Error::BadInput(findings) = error {
        printer.findings(findings);
        let document = serde_json::json!({ "findings": findings });
        printer.document(&document);
        debug_assert!(any_error(findings));
    } else {
        printer.failure(code, error, hint);
    }
    status
}

/// Stable name of a failure, what to do about it, and how the command ends. Findings speak for themselves.
fn explained(error: &Error) -> (&'static str, &'static str, Status) {
    match error {
        Error::BadInput(_) => ("bad_input", "look at the findings", Status::BadInput),
        Error::OutputInTheWay(_) => {
            ("output_in_the_way", "name another folder, or remove this one yourself", Status::BadInput)
        }
        Error::OutputWithoutName(_) => (
            "output_without_name",
            "go to the folder that holds it and give its name, or give its whole path",
            Status::BadInput,
        ),
        Error::Io { .. } => {
            ("io", "check the path, its permissions and the space on the disk", Status::CannotReach)
        }
        Error::NoRandom | Error::Threads(_) => {
            ("system", "check the limits of this system", Status::CannotReach)
        }
        _ => ("internal", "this is a fault of the packer: report it with the artwork", Status::CannotReach),
    }
}

/// What to do about a file that is none of those that the packer makes.
const NOT_READABLE: &str = "give a whole .sticker, .zip or release.thrift that `sticker-packer build` made; a damaged one is built again";

/// A whole file of at most `max` bytes; else tells why not.
fn read(file: &Path, max: usize, printer: Printer) -> Result<Vec<u8>, Status> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let limit = max as u64 + 1;
    match std::fs::File::open(file).and_then(|open| open.take(limit).read_to_end(&mut content)) {
        Ok(length) if length > max => {
            let error = std::io::Error::other(format!("it has more than {max} bytes"));
            printer.failure_at("too_long", file, &error, "no sticker file, bundle or manifest is as long");
            Err(Status::BadInput)
        }
        Ok(_) => Ok(content),
        Err(source) => Err(failed(&Error::Io { action: "read", path: file.to_owned(), source }, printer)),
    }
}
