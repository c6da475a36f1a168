//! `sticker-store receipt`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::not_empty;

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Verify a signed file as a submission would be, and print its claims as JSON, or the error code.
    ///
    /// Codes: `bad_chain`, `bad_signature`, `wrong_app`, `wrong_environment`, `malformed`. The README, section "Apple", says what has which.
    Inspect(InspectArguments),
    /// Ask an app store for what was lost: its history of notifications, or single transactions, heard as if they came now.
    Recover {
        /// Whom to ask.
        #[arg(long, value_name = "NAME")]
        provider: ReceiptProvider,
        #[command(flatten)]
        what: Recovered,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Recovered {
    /// Notifications since this time, or since as long ago as the app store remembers.
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) since: Option<u32>,
    /// A transaction; may be given more than once.
    #[arg(long, value_name = "ID")]
    pub(crate) transaction: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Who signed it.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: ReceiptProvider,
    /// What it is.
    #[arg(long)]
    pub(crate) kind: ReceiptKind,
    /// Certificate to trust, DER or PEM, instead of Apple's root; may be given more than once.
    #[arg(long, value_name = "CERT")]
    pub(crate) root: Vec<PathBuf>,
    /// The app's bundle id that it must name.
    #[arg(long, value_name = "ID", value_parser = not_empty)]
    pub(crate) bundle_id: String,
    /// The environment that it must be of.
    #[arg(long)]
    pub(crate) environment: ReceiptEnvironment,
    /// The app's id that a notification must name.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) app_id: Option<u64>,
    /// Time to verify at; now by default.
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) at: Option<u64>,
    /// The signed text, or the body that a notification came in; `-` for the standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReceiptProvider {
    /// Apple's App Store.
    Apple,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReceiptKind {
    /// A transaction of `StoreKit` 2.
    Transaction,
    /// An App Store Server Notification V2.
    Notification,
    /// What becomes of a subscription.
    Renewal,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReceiptEnvironment {
    /// Test money.
    #[value(name = "Sandbox")]
    Sandbox,
    /// Real money.
    #[value(name = "Production")]
    Production,
}
