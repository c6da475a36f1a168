//! `sticker-store admin orders`

use clap::Subcommand;

use crate::cli::User;

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// List the latest orders of a user.
    List {
        #[command(flatten)]
        user: User,
    },
    /// Show everything about an order: payments, events, rights, gift, trace.
    Show {
        /// Order's id.
        order: String,
    },
    /// List what somebody should look at: paid and not granted, with a problem, promised for long, and events that were for no order.
    Stuck,
    /// Take back what an order gave and have its tokens refused. Moves no money.
    Refund {
        /// Order's id.
        order: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
