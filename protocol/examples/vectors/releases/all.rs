//! Signed releases: envelopes, the files that they vouch for, and files of keys. One case on a line.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a list of cases that stops where it is wrong"
)]

use serde::Serialize;

mod envelope;
mod envelopes;
mod files;
mod keys;
mod studio;

/// The text of `vectors/releases.json`.
pub(crate) fn file() -> String {
    let (release, files) = files::cases();
    let lists = [
        ("envelopes", lines(&envelopes::cases())),
        ("files", lines(&files)),
        ("key_files", lines(&keys::cases())),
    ];
    let lists = lists.map(|(name, lines)| format!("\"{name}\":[\n{lines}\n]"));
    format!("{{\"files_of\":{},\n{}}}\n", serde_json::to_string(&release).unwrap(), lists.join(",\n"))
}

fn lines(cases: &[impl Serialize]) -> String {
    cases.iter().map(|case| serde_json::to_string(case).unwrap()).collect::<Vec<_>>().join(",\n")
}
