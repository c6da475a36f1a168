//! What is wrong or doubtful about a project: all of it at once, each with a code, a place, a reason and a hint.

mod why;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing can be built, or the platform that was asked for would refuse it.
    Error,
    /// It can be built, and somebody should look.
    Warning,
    /// It can be built and may be meant so; somebody might want to know.
    Note,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Where in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The frame, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// The part of the picture, in px of the artwork: left, top, width, height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rectangle: Option<[u32; 4]>,
    /// The line of a text file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The character of that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// One thing that a designer should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Stable name of the kind of finding, in `snake_case`.
    pub code: &'static str,
    /// The file or folder that it is about.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Where in that file, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What is so.
    pub message: String,
    /// Why it matters; the same for every finding of this code.
    pub why: &'static str,
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
        Self {
            level: Level::Error,
            code,
            path: path.to_owned(),
            place: None,
            message: message.into(),
            why: why::why(code),
            hint: hint.into(),
        }
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

    /// Something that may be meant so.
    pub fn note(
        code: &'static str,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { level: Level::Note, ..Self::error(code, path, message, hint) }
    }

    /// In this frame, from 0.
    #[must_use]
    pub fn at_frame(mut self, frame: u32) -> Self {
        self.place.get_or_insert_default().frame = Some(frame);
        self
    }

    /// In this part of the picture, in px of the artwork: left, top, width, height.
    #[must_use]
    pub fn at_rectangle(mut self, rectangle: [u32; 4]) -> Self {
        self.place.get_or_insert_default().rectangle = Some(rectangle);
        self
    }

    /// In this line and at this character of a text file, both from 1.
    #[must_use]
    pub fn at_line(mut self, line: u32, column: u32) -> Self {
        let place = self.place.get_or_insert_default();
        (place.line, place.column) = (Some(line), Some(column));
        self
    }
}

/// A path as text, what is not Unicode replaced: JSON knows no other.
pub(crate) fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// As a good compiler says it: what, where, why, what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}[{}]: {}", self.level, self.code, self.message)?;
        let place = self.place.map(|place| place.to_string()).unwrap_or_default();
        writeln!(f, "  --> {}{place}", self.path.display())?;
        if !self.why.is_empty() {
            writeln!(f, "  = why: {}", self.why)?;
        }
        write!(f, "  = hint: {}", self.hint)
    }
}

/// What follows the path: `:2:1` in a text, ` (frame 3, at 10,20 40x50)` in a picture.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        let at = |[left, top, width, height]: [u32; 4]| format!("at {left},{top} {width}x{height}");
        match (self.frame, self.rectangle.map(at)) {
            (Some(frame), Some(at)) => write!(f, " (frame {frame}, {at})"),
            (Some(frame), None) => write!(f, " (frame {frame})"),
            (None, Some(at)) => write!(f, " ({at})"),
            (None, None) => Ok(()),
        }
    }
}

/// Whether any of the findings keeps the project from being built.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}
