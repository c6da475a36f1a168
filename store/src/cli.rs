//! What the command line understands; one command a file where it has parts of its own.

mod admin;
mod edge_config;
mod keys;
mod receipt;
mod sidecar;
mod token;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sticker_store::app::Role;

pub(crate) use admin::{
    AdminCommand, AuditCommand, ClientsCommand, GrantsCommand, ObjectsCommand, OrdersCommand, OutboxCommand,
    PacksCommand, PromotionArguments, PromotionsCommand, ReleaseKeysCommand,
};
pub(crate) use edge_config::{EdgeConfigArguments, Product};
pub(crate) use keys::KeysCommand;
pub(crate) use receipt::{
    InspectArguments, ReceiptCommand, ReceiptEnvironment, ReceiptKind, ReceiptProvider, Recovered,
};
pub(crate) use sidecar::SidecarArguments;
pub(crate) use token::TokenCommand;

/// The web store, the API and the delivery server for sticker packs.
#[derive(Debug, Parser)]
#[command(
    name = "sticker-store",
    version,
    after_help = "Exit codes: 0 done, 1 refused or bad input, 2 wrong usage, 3 cannot read, write or reach."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Configuration file; the environment (`STICKER_STORE__SECTION__KEY`) goes over it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is logged, such as `info` or `warn,sticker_store=debug`.
    #[arg(long, global = true, env = "STICKER_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Log as JSON.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build the sample packs, publish them, serve them, and print what to try.
    Demo {
        /// Folder for the demo's data; a second start goes on with it.
        #[arg(long, default_value = "demo-data", value_name = "DIR")]
        data: PathBuf,
        /// Address to serve on.
        #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
        listen: SocketAddr,
    },
    /// Serve the store.
    Serve {
        /// Serve nothing but these parts, such as `delivery`: downloads live on while the database is away, and need no keys.
        #[arg(long, value_name = "PART", value_delimiter = ',')]
        only: Vec<Role>,
    },
    /// Do what is to be done beside requests: tell the app stores, sweep. `serve` does it too unless `worker.in_serve` is false.
    Worker,
    /// Check tokens beside a chat server, with the keys and the deny feed of a store or with a key file.
    ///
    /// The secret for the store comes from the environment: `STICKER_STORE_SECRET`.
    Sidecar(SidecarArguments),
    /// Print a configuration for what is put in front of the store, so that it keeps one copy of each variant.
    EdgeConfig(EdgeConfigArguments),
    /// Bring the database to this version, or down again.
    Migrate {
        /// Take every step back: drops all tables.
        #[arg(long)]
        down: bool,
    },
    /// Say whether the configuration makes sense and its parts can be reached.
    Check {
        /// Print every setting in force instead, as TOML; secrets say only that they are set.
        #[arg(long)]
        show: bool,
    },
    /// Issue, verify and look into tokens with a key file.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Look into what app stores sign, and recover what was lost of it.
    Receipt {
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// Token keys: made, published, signing, retired, destroyed.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Check the files of a release with bounds of memory and time; the store starts it by itself.
    #[command(hide = true)]
    CheckRelease,
    /// Run the store.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct User {
    /// User as text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) user: Option<String>,
    /// User as bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    pub(crate) user_hex: Option<String>,
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}
