//! Publishing through the real programs: straight to S3, checked within bounds, all or nothing, and what becomes of the objects.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod again;
mod hostile;
mod kills;
mod objects;
mod release;
mod straight;
