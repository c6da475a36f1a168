//! Writes `vectors/tokens.json` and `vectors/releases.json`: the cases that every verifier must agree on.
//!
//! Each case says what must come out, by hand and from the specification: nothing here asks a verifier. Keys, texts and
//! signatures are made with `ring` alone, so that tokens and envelopes can be wrong in every way that the crate itself would never write.

#[path = "cases/all.rs"]
mod cases;
#[path = "releases/all.rs"]
mod releases;

fn main() -> std::io::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    std::fs::write(format!("{folder}/tokens.json"), cases::file())?;
    std::fs::write(format!("{folder}/releases.json"), releases::file())
}
