//! `sticker-store keys`

use std::path::PathBuf;

use clap::Subcommand;
use sticker_protocol::token::Algorithm;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List every key, the destroyed ones too.
    List {
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Make a key; nobody gets it yet.
    Add {
        /// `hmac-sha256` (version 1), or `ed25519` (version 2, for verifiers that must not be able to mint).
        #[arg(long, default_value = "hmac-sha256", value_parser = algorithm)]
        algorithm: Algorithm,
        /// Id from 0 to 65535; the next free one by default.
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        id: Option<u16>,
    },
    /// Put a key into the ring that verifiers fetch.
    Publish {
        /// Key.
        id: u16,
    },
    /// Let a published key sign; the one that signed is retired in the same moment.
    SignWith {
        /// Key.
        id: u16,
        /// Even if verifiers may not have it yet: where the earlier key has leaked.
        #[arg(long)]
        without_waiting: bool,
    },
    /// Take a key out of the running: it will verify and never sign.
    Retire {
        /// Key.
        id: u16,
    },
    /// Erase a key, once no token that it signed lives.
    Destroy {
        /// Key.
        id: u16,
        /// The key has leaked, and its tokens must be refused at once.
        #[arg(long, value_name = "REASON")]
        compromised: Option<String>,
    },
    /// Write a key file for verifiers that read one.
    Export {
        /// File; what is there is replaced.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Public keys alone, for verifiers that must not be able to mint.
        #[arg(long)]
        public: bool,
    },
}

fn algorithm(name: &str) -> Result<Algorithm, &'static str> {
    Algorithm::parse(name).ok_or("algorithms are hmac-sha256 and ed25519")
}
