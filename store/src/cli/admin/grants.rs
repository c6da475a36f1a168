//! `sticker-store admin grants`

use clap::Subcommand;

use crate::cli::User;

#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// List the packs that a user owns, and the orders that give them.
    List {
        #[command(flatten)]
        user: User,
    },
    /// Give a user a pack, for nothing.
    Give {
        #[command(flatten)]
        user: User,
        /// Pack's id or slug.
        #[arg(long, value_name = "PACK_ID|SLUG", allow_negative_numbers = true)]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take a pack from a user and have its tokens refused: takes back the orders that give it, whole. Moves no money.
    Revoke {
        #[command(flatten)]
        user: User,
        /// Pack's id or slug.
        #[arg(long, value_name = "PACK_ID|SLUG", allow_negative_numbers = true)]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
