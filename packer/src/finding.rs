//! What is wrong or doubtful about a project: all of it at once, each with a code, a place and a hint.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing can be built.
    Error,
    /// It can be built, and somebody should look.
    Warning,
}

/// One thing that a designer should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Stable name of the kind of finding, in `snake_case`.
    pub code: &'static str,
    /// The file or folder that it is about; `pack.toml:3:1` where a line and column are known.
    pub path: PathBuf,
    /// What is so.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Finding {
    /// Something that keeps the project from being built.
    pub fn error(
        code: &'static str,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { level: Level::Error, code, path: path.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// Something to look at.
    pub fn warning(
        code: &'static str,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warning, ..Self::error(code, path, message, hint) }
    }
}

/// As a good compiler says it: what, where, what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        writeln!(f, "{level}[{}]: {}", self.code, self.message)?;
        writeln!(f, "  --> {}", self.path.display())?;
        write!(f, "  hint: {}", self.hint)
    }
}

/// Whether any of the findings keeps the project from being built.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}
