//! The one place that writes to the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sticker_packer::Progress;
use sticker_packer::finding::{Finding, Level};
use sticker_packer::publish::StoreFinding;

use crate::cli::Common;

/// Writes results to the standard output, as text or as one JSON document, and everything else to the standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    pub(crate) fn new(common: Common) -> Self {
        Self { json: common.json, quiet: common.quiet }
    }

    /// The result: `document` where JSON was asked for, else `text`.
    pub(crate) fn result(self, document: &impl Serialize, text: &str) {
        if self.json {
            let json = serde_json::to_string_pretty(document).unwrap_or_default();
            out(&format!("{json}\n"));
        } else if !self.quiet {
            out(&format!("{}\n", text.trim_end()));
        }
    }

    /// A file for the standard output, as it is.
    pub(crate) fn file(content: &[u8]) {
        let _ = io::stdout().write_all(content);
    }

    /// What only a program reads, because people were told already.
    pub(crate) fn document(self, document: &impl Serialize) {
        if self.json {
            self.result(document, "");
        }
    }

    /// One of several documents, as one line. Whether JSON was asked for, so that nothing else is to be said.
    pub(crate) fn line(self, document: &serde_json::Value) -> bool {
        if self.json {
            out(&format!("{document}\n"));
        }
        self.json
    }

    /// What only people read.
    pub(crate) fn says(self, text: &str) {
        if !self.json {
            self.result(&(), text);
        }
    }

    /// Findings as text, errors last so that they stand where one looks. With `--json` they are part of the document.
    pub(crate) fn findings(self, findings: &[Finding]) {
        if self.json {
            return;
        }
        let mut sorted: Vec<_> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        for finding in sorted.into_iter().filter(|finding| !self.quiet || finding.level == Level::Error) {
            err(&format!("{finding}\n\n"));
        }
    }

    /// What failed, with all its causes, and what to do. The JSON document has the same.
    pub(crate) fn failure(self, code: &str, error: &dyn std::error::Error, hint: &str) {
        self.rejection(code, error, hint, &[]);
    }

    /// A failure of one file.
    pub(crate) fn failure_at(self, code: &str, path: &Path, error: &dyn std::error::Error, hint: &str) {
        let message = with_causes(error);
        if self.json {
            let error = serde_json::json!({ "code": code, "path": json_path(path), "message": message, "hint": hint });
            out(&format!("{:#}\n", serde_json::json!({ "error": error })));
        } else {
            err(&format!("error[{code}]: {message}\n  --> {}\n  hint: {hint}\n", path.display()));
        }
    }

    /// A failure, and what a store found before it refused.
    pub(crate) fn rejection(
        self,
        code: &str,
        error: &dyn std::error::Error,
        hint: &str,
        findings: &[StoreFinding],
    ) {
        let message = with_causes(error);
        if self.json {
            let mut document = serde_json::json!({ "code": code, "message": message, "hint": hint });
            if let (Some(fields), false) = (document.as_object_mut(), findings.is_empty()) {
                fields.insert("findings".to_owned(), serde_json::json!(findings));
            }
            out(&format!("{:#}\n", serde_json::json!({ "error": document })));
        } else {
            for finding in findings {
                err(&format!("{finding}\n\n"));
            }
            err(&format!("error[{code}]: {message}\n  hint: {hint}\n"));
        }
    }

    /// A bar on a terminal, nothing elsewhere.
    pub(crate) fn progress(self) -> Bar {
        let target = if self.quiet || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Bar(ProgressBar::with_draw_target(Some(0), target).with_style(style))
    }
}

/// A progress bar that is gone once the work is done.
pub(crate) struct Bar(ProgressBar);

impl Progress for Bar {
    fn begins(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }

    fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

/// A reader that went away (`| head`) is no failure of ours.
fn out(text: &str) {
    let _ = io::stdout().write_all(harmless(text).as_bytes());
}

fn err(text: &str) {
    let _ = io::stderr().write_all(harmless(text).as_bytes());
}

/// Names of files and a store's words may hold what a terminal obeys: such characters are shown, not sent.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !['\n', '\t'].contains(&character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A path as a JSON document holds it: what is not Unicode is replaced.
pub(crate) fn json_path(path: &Path) -> String {
    path.display().to_string()
}
