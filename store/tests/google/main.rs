//! Selling for Google Play, against a stand-in that is a real server on loopback, on each database.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod account;
mod buying;
#[path = "../shared/counter.rs"]
mod counter;
#[path = "../shared/published.rs"]
mod published;
mod pushes;
mod shop;
mod sweeps;
