//! Tokens, refunds and the deny feed, with one or several stores in this process on one database of each kind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod feed;
mod issue;
mod orders;
#[path = "../shared/published.rs"]
mod published;
mod race;
mod restored;
mod silence;
mod takedown;
mod town;
