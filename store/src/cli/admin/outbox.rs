//! `sticker-store admin outbox`

use clap::{Subcommand, value_parser};
use sticker_store::outbox::State;

use super::MOST_LISTED;

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List jobs, the oldest first.
    List {
        /// `waiting`, `done` or `dead`; all by default.
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=MOST_LISTED), allow_negative_numbers = true)]
        limit: u64,
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Have a dead job tried anew, or one that waits tried at once.
    Retry {
        /// Job's id.
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        id: Option<String>,
        /// Every dead job.
        #[arg(long)]
        all_dead: bool,
    },
    /// Take a job out that nobody shall do.
    Drop {
        /// Job's id.
        id: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

fn state(name: &str) -> Result<State, &'static str> {
    State::parse(name).ok_or("states are waiting, done and dead")
}
