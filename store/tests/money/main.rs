//! Money under fire: seeded schedules of what providers, buyers and operators do, doubled, late, out of order and crashed at any point, on
//! the real code and real databases, and what has to hold whatever comes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod chance;
mod clock;
mod fate;
mod holds;
mod naive;
mod plan;
#[path = "../shared/published.rs"]
mod published;
mod races;
mod run;
mod schedules;
mod town;
mod words;
