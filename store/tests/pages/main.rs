//! Every template in every state and language: complete, well-formed, allowed by the content security policy.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the functions beside the tests are tests too"
)]

mod bridge;
mod invented;
mod markup;
mod samples;
mod texts;
