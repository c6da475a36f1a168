//! Downloads: the right bytes for each screen, the same through memory, file and router; what is asked wrongly; and life without the
//! database.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod addresses;
mod away;
mod connections;
mod depot;
#[path = "../shared/published.rs"]
mod published;
mod rates;
mod signed;
