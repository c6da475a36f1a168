//! The designers' command line.
fn main() {}
