//! The trace on each database: nobody changes it without being found out.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod command;
mod damage;
mod desk;
mod earlier;
mod refusals;
mod writers;
