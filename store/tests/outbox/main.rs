//! Jobs of the outbox on each database: every one is done, whatever happens to the workers, and none is done for nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod jobs;
mod office;
mod operator;
mod program;
mod rounds;
