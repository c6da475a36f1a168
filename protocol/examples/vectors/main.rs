//! Writes `vectors/tokens.json`: the cases that every verifier must agree on.
//!
//! Each case says what must come out, by hand and from the specification: nothing here asks a verifier. Keys, texts and
//! signatures are made with `ring` alone, so that tokens can be wrong in every way that the crate itself would never write.

#[path = "cases/all.rs"]
mod cases;

fn main() -> std::io::Result<()> {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/tokens.json"), cases::file())
}
