//! What the command line understands.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sticker_protocol::token::Algorithm;

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
    Serve,
    /// Check tokens beside a chat server, with the keys and the deny feed of a store or with a key file.
    ///
    /// The secret for the store comes from the environment: `STICKER_STORE_SECRET`.
    Sidecar(SidecarArguments),
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
    /// Token keys: made, published, signing, retired, destroyed.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Run the store.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

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
        #[arg(long, value_name = "N")]
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

#[derive(Debug, Args)]
pub(crate) struct SidecarArguments {
    /// The store's address, such as <https://stickers.example.com>.
    #[arg(long, value_name = "URL", required_unless_present = "keys", conflicts_with = "keys")]
    pub(crate) store: Option<String>,
    /// Certificates, as PEM, of the authorities that vouch for the store, instead of the usual ones.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) store_ca: Option<PathBuf>,
    /// File, for its owner alone, in which keys and deny feed are remembered over a restart.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) state: Option<PathBuf>,
    /// Key file, read again when it changes; there is no deny feed then.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Listen on an address that other machines reach too: whoever reaches it may ask.
    #[arg(long)]
    pub(crate) listen_anywhere: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Print a token.
    Issue {
        /// Key file.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// Key to sign with; the file's signing key by default.
        #[arg(long, value_name = "N")]
        key_id: Option<u16>,
        /// Sticker.
        #[arg(long, value_name = "ID")]
        sticker: u64,
        #[command(flatten)]
        user: User,
        /// First second at which the token is no longer valid.
        #[arg(long, value_name = "UNIX")]
        expires: u32,
    },
    /// Print `ok` or the error code.
    Verify {
        /// Key file.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// Sticker in the message.
        #[arg(long, value_name = "ID")]
        sticker: u64,
        #[command(flatten)]
        user: User,
        /// Time to verify at; now by default.
        #[arg(long, value_name = "UNIX")]
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

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// API clients: chat servers, designers, operators' programs.
    Clients {
        #[command(subcommand)]
        command: ClientsCommand,
    },
    /// Orders and their refunds.
    Orders {
        #[command(subcommand)]
        command: OrdersCommand,
    },
    /// Packs, and taking them down.
    Packs {
        #[command(subcommand)]
        command: PacksCommand,
    },
    /// After the database was restored from a backup: have verifiers take everything anew, and count with tokens issued since.
    ///
    /// Run it before the store serves again. The README, section "Backup and restore", has the other steps.
    Restored {
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// List the latest orders of a user.
    List {
        #[command(flatten)]
        user: User,
    },
    /// Take back what an order gave and have its tokens refused. Moves no money.
    Refund {
        /// Order's id.
        order: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PacksCommand {
    /// List the packs.
    List,
    /// Take a pack out of the store and have its tokens refused for every user.
    Takedown {
        /// Pack's id or slug.
        #[arg(value_name = "PACK_ID|SLUG")]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put a pack back.
    Reinstate {
        /// Pack's id or slug.
        #[arg(value_name = "PACK_ID|SLUG")]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Make a client and print its secret, once.
    Add {
        /// Name for people.
        #[arg(long)]
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
