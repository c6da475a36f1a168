//! The file with all its cases, one on a line so that a change shows as the line that it is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a list of cases that stops where it is wrong"
)]

use serde::Serialize;

mod build;
mod feeds;
mod fields;
mod order;
mod revoked;
mod rings;
mod signatures;
mod spelling;

/// The text of `vectors/tokens.json`.
pub(crate) fn file() -> String {
    let tokens = [spelling::cases(), fields::cases(), signatures::cases(), order::cases(), revoked::cases()];
    let lists = [
        ("tokens", lines(&tokens.concat())),
        ("rings", lines(&rings::cases())),
        ("feeds", lines(&feeds::cases())),
    ];
    let lists = lists.map(|(name, lines)| format!("\"{name}\":[\n{lines}\n]"));
    format!("{{{}}}\n", lists.join(",\n"))
}

fn lines(cases: &[impl Serialize]) -> String {
    cases.iter().map(|case| serde_json::to_string(case).unwrap()).collect::<Vec<_>>().join(",\n")
}
