//! `sticker-store token`

use std::path::PathBuf;

use clap::Subcommand;

use super::User;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Print a token.
    Issue {
        /// Key file.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// Key to sign with; the file's signing key by default.
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        key_id: Option<u16>,
        /// Sticker.
        #[arg(long, value_name = "ID", allow_negative_numbers = true)]
        sticker: u64,
        #[command(flatten)]
        user: User,
        /// First second at which the token is no longer valid.
        #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
        expires: u32,
    },
    /// Print `ok` or the error code.
    Verify {
        /// Key file.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// Sticker in the message.
        #[arg(long, value_name = "ID", allow_negative_numbers = true)]
        sticker: u64,
        #[command(flatten)]
        user: User,
        /// Time to verify at; now by default.
        #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
        at: Option<u64>,
        /// Token.
        token: String,
    },
    /// Print what a token says, unproven.
    Inspect {
        /// Token.
        token: String,
    },
}
