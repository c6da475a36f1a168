//! Why a key file is refused.

use std::fmt;

use super::{Algorithm, KeyId};

/// Why a key file is refused: a stable [code](Self::code) and, where it was read from a text, the line. Shows the ids of keys
/// and nothing else of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFileError {
    line: Option<usize>,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotJson { column: usize },
    NoKeys,
    NoObject,
    Id,
    State,
    Secret,
    Public,
    Pair(KeyId),
    DuplicateId { id: KeyId, first_line: Option<usize> },
    TwoSigning { algorithm: Algorithm, id: KeyId, first: KeyId, first_line: Option<usize> },
}

impl KeyFileError {
    pub(super) const fn new(line: Option<usize>, fault: Fault) -> Self {
        Self { line, fault }
    }

    /// The stable code, the same in every language.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            Fault::NotJson { .. } | Fault::NoKeys | Fault::NoObject => "bad_json",
            Fault::Id => "bad_id",
            Fault::State => "bad_state",
            Fault::Secret | Fault::Public | Fault::Pair(_) => "bad_key",
            Fault::DuplicateId { .. } => "duplicate_id",
            Fault::TwoSigning { .. } => "two_signing",
        }
    }

    /// The line of the text, from 1, where there was a text.
    pub const fn line(&self) -> Option<usize> {
        self.line
    }
}

impl std::error::Error for KeyFileError {}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        let first_on = |line: Option<usize>| line.map_or_else(String::new, |line| format!(" on line {line}"));
        match self.fault {
            Fault::NotJson { column } => write!(f, "this is not JSON, from column {column} on"),
            Fault::NoKeys => f.write_str("a key file is an object with an array \"keys\""),
            Fault::NoObject => f.write_str("a key is an object, with each field once"),
            Fault::Id => f.write_str("the \"id\" of a key is missing or no whole number from 0 to 65535"),
            Fault::State => {
                f.write_str("the \"state\" of a key is missing or none of published, signing and verify")
            }
            Fault::Secret => f.write_str("the \"secret\" of a key is missing or not 64 hexadecimal digits"),
            Fault::Public => f.write_str("the \"public\" of a key is missing or not 64 hexadecimal digits"),
            Fault::Pair(id) => write!(f, "the seed of key {id} is not the one of its public key"),
            Fault::DuplicateId { id, first_line: None } => write!(f, "the key id {id} is there twice"),
            Fault::DuplicateId { id, first_line: Some(first) } => {
                write!(f, "the key id {id} stands twice in the file, first on line {first}")
            }
            Fault::TwoSigning { algorithm, id, first, first_line } => {
                let (name, place) = (algorithm.name(), first_on(first_line));
                write!(f, "key {id} is marked as signing, and so is key {first}{place}; one {name} key signs")
            }
        }
    }
}
