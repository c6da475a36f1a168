//! Gifts, promotions, packs that couples share, and what an operator gives and takes by hand: two stores in this process on one database of
//! each kind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod codes;
mod couples;
mod edges;
mod history;
mod operator;
mod pages;
mod partners;
mod people;
mod promotions;
#[path = "../shared/published.rs"]
mod published;
mod reversed;
#[expect(dead_code, reason = "the tests of tokens need more of the town")]
#[path = "../tokens/town.rs"]
mod town;
