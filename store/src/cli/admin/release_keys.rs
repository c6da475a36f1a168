//! `sticker-store admin release-keys`

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseKeysCommand {
    /// List every key, the retired ones too.
    List {
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Make a key that signs nothing yet, so that apps can ship it.
    Add,
    /// Let a key sign every publication; the one that signed is trusted still.
    SignWith {
        /// Key.
        id: u16,
    },
    /// Erase a key's secret; what it vouched for is signed anew within a minute or two.
    Retire {
        /// Key.
        id: u16,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Write the public keys that apps ship.
    Export {
        /// File; what is there is replaced. Without it the keys are printed.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
