//! `sticker-packer build DIR --out OUT --watch`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use serde_json::{Value, json};
use sticker_packer::Error;
use sticker_packer::finding::{Finding, Level};
use sticker_packer::preview::PreviewError;
use sticker_packer::watch::{Built, Watch, WatchError};

use super::{Status, build, explained};
use crate::cli::How;
use crate::printer::{Printer, json_path, with_causes};

/// Comes back only where there is nothing to watch or to write to: an interrupt ends it.
#[expect(clippy::disallowed_methods, reason = "the edge, where randomness comes from the system")]
pub(super) fn run(
    (dir, out): (&Path, &Path),
    port: u16,
    how: &How,
    jobs: Option<usize>,
    printer: Printer,
) -> Status {
    let random = SystemRandom::new();
    let options = build::options(how, jobs, &random);
    let mut watch = match Watch::start(dir, out, port) {
        Ok(watch) => watch,
        Err(error) => return failed(&error, printer),
    };
    let mut teller = Teller { printer, address: watch.address(), out, told: Vec::new(), is_first: true };
    teller.begins(dir);
    let mut changed = Vec::new();
    loop {
        let progress = printer.progress();
        let built = watch.build(&options, &progress);
        drop(progress);
        if let (
            true,
            Err(WatchError::Build(error @ (Error::OutputInTheWay(_) | Error::OutputWithoutName(_)))),
        ) = (changed.is_empty(), &built)
        {
            return super::failed(error, printer);
        }
        teller.tells(&built, &changed);
        changed = match watch.changed() {
            Ok(changed) => changed,
            Err(error) => return failed(&error, printer),
        };
        teller.says_changed(&changed);
    }
}

/// Tells why, and how the command ends where it ends with that.
fn failed(error: &WatchError, printer: Printer) -> Status {
    let (code, hint, status) = reasons(error);
    printer.failure(code, error, hint);
    status
}

fn reasons(error: &WatchError) -> (&'static str, &'static str, Status) {
    match error {
        WatchError::Build(error) | WatchError::Preview(PreviewError::Packer(error)) => explained(error),
        WatchError::Preview(error) => (error.code(), error.hint(), Status::BadInput),
        WatchError::Serve { .. } => {
            ("port", "name another with --port, or none for one that is free", Status::CannotReach)
        }
        WatchError::Watch { .. } => {
            ("watch", "check the folder, and how many the system lets one user watch", Status::CannotReach)
        }
        _ => ("internal", "this is a fault of the packer: report it with the artwork", Status::CannotReach),
    }
}

/// Says of each build what is new.
struct Teller<'a> {
    printer: Printer,
    address: String,
    out: &'a Path,
    /// The findings of the build before.
    told: Vec<Finding>,
    /// Until something was built.
    is_first: bool,
}

impl Teller<'_> {
    fn begins(&self, dir: &Path) {
        let Self { printer, address, .. } = self;
        printer.says(&format!("watching {}; {address} shows it, Ctrl-C ends\n\n", dir.display()));
    }

    fn says_changed(&self, changed: &[PathBuf]) {
        let paths: Vec<_> = changed.iter().map(|path| path.display().to_string()).collect();
        self.printer.says(&format!("\nchanged: {}", listed(&paths)));
    }

    fn tells(&mut self, built: &Result<Built, WatchError>, changed: &[PathBuf]) {
        let mut line = json!({ "address": self.address, "changed": changed.iter().map(|path| json_path(path)).collect::<Vec<_>>() });
        let mut says = |name: &str, value: Value| {
            let _ = line.as_object_mut().and_then(|fields| fields.insert(name.to_owned(), value));
        };
        let told = match built {
            Ok(built) => {
                says("build", json!(built.build));
                says("preview", json!(json_path(&built.preview.page)));
                says("renewed", json!(built.renewed));
                built.build.findings.as_slice()
            }
            Err(WatchError::Build(Error::BadInput(findings))) => {
                says("findings", json!(findings));
                findings
            }
            Err(error) => {
                let (code, hint, _) = reasons(error);
                says("error", json!({ "code": code, "message": with_causes(error), "hint": hint }));
                &[]
            }
        };
        if !self.printer.line(&line) {
            self.printer.findings(&self.newly(told));
            match built {
                Ok(built) => self.printer.says(&self.summary(built)),
                Err(WatchError::Build(Error::BadInput(_))) => {
                    self.printer
                        .says("nothing is built until that is mended; an earlier build stays as it was");
                }
                Err(error) => {
                    failed(error, self.printer);
                }
            }
        }
        self.told = told.to_vec();
        self.is_first &= built.is_err();
    }

    /// Errors, and what was not told of the build before.
    fn newly(&self, findings: &[Finding]) -> Vec<Finding> {
        let is_new = |it: &&Finding| it.level == Level::Error || !self.told.contains(it);
        findings.iter().filter(is_new).cloned().collect()
    }

    fn summary(&self, Built { build, preview, renewed, is_same }: &Built) -> String {
        if self.is_first {
            return format!("{}  {}", super::build::summary(build, self.out), preview.page.display());
        }
        let (slug, all) = (&build.slug, build.stickers.len());
        let mut text = match renewed.len() {
            _ if *is_same => format!("built {slug}: the same bytes as before"),
            0 => format!("built {slug}: the stickers are as before"),
            some => format!("built {slug}: other bytes in {some} of {all} stickers: {}", listed(renewed)),
        };
        let known = build.findings.iter().filter(|it| self.told.contains(it)).count();
        if known > 0 {
            let _ = write!(text, "\n{known} {} as before", if known == 1 { "finding" } else { "findings" });
        }
        text
    }
}

/// As many as one reads.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
