//! The command `sticker-store`.
fn main() {}
