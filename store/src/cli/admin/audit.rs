//! `sticker-store admin audit`

use clap::{Subcommand, value_parser};
use sticker_store::audit::chain::Head;

use super::MOST_LISTED;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether every row is what was written, and print the chain's head, to be kept elsewhere.
    ///
    /// Names each row that was altered, moved, put in or taken out, and ends with 1 where there is one.
    Verify {
        /// Head that an earlier look printed: finds a chain that was cut or put back since.
        #[arg(long, value_name = "SEQ:HASH", allow_negative_numbers = true)]
        head: Option<Head>,
    },
    /// Take rows into the chain that an earlier version of the store wrote beside it, once no process of that version runs.
    ///
    /// `verify` names such rows `unchained`. Nobody proves what happened to them before: look at them first.
    Adopt {
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put the row that says where the chain ends to the last row that there is, where it was damaged and nothing can be written.
    Mend {
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List rows, the newest first.
    List {
        /// What something was done to, such as an order's id.
        #[arg(long)]
        subject: Option<String>,
        /// Who did it, such as `operator`.
        #[arg(long)]
        actor: Option<String>,
        /// What was done, such as `refund`.
        #[arg(long)]
        action: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=MOST_LISTED), allow_negative_numbers = true)]
        limit: u64,
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
}
