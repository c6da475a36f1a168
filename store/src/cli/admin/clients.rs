//! `sticker-store admin clients`

use clap::Subcommand;

use crate::cli::not_empty;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Make a client and print its secret, once.
    Add {
        /// Name for people.
        #[arg(long, value_parser = not_empty)]
        name: String,
        /// Scopes, separated by commas: `launch`, `verify`, `verify_public`, `publish`, `operate`.
        #[arg(long, value_delimiter = ',', required = true)]
        scope: Vec<String>,
    },
    /// List the clients.
    List,
    /// End a client's rights.
    Revoke {
        /// Client's id.
        id: String,
    },
}
