//! `sticker-store admin`, one group of operations a file.

mod audit;
mod clients;
mod grants;
mod objects;
mod orders;
mod outbox;
mod packs;
mod promotions;
mod release_keys;

use clap::Subcommand;
use sticker_store::config::Variants;

pub(crate) use audit::AuditCommand;
pub(crate) use clients::ClientsCommand;
pub(crate) use grants::GrantsCommand;
pub(crate) use objects::ObjectsCommand;
pub(crate) use orders::OrdersCommand;
pub(crate) use outbox::OutboxCommand;
pub(crate) use packs::PacksCommand;
pub(crate) use promotions::{PromotionArguments, PromotionsCommand};
pub(crate) use release_keys::ReleaseKeysCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Who did what to what, and whether the trace of it is whole.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// API clients: chat servers, designers, operators' programs.
    Clients {
        #[command(subcommand)]
        command: ClientsCommand,
    },
    /// Jobs that tell the app stores what happened here.
    Outbox {
        #[command(subcommand)]
        command: OutboxCommand,
    },
    /// Orders and their refunds.
    Orders {
        #[command(subcommand)]
        command: OrdersCommand,
    },
    /// Packs that are given and taken by hand.
    Grants {
        #[command(subcommand)]
        command: GrantsCommand,
    },
    /// Packs that are given away: a number of them, for a time, one to each user.
    Promotions {
        #[command(subcommand)]
        command: PromotionsCommand,
    },
    /// The files of releases where they are stored.
    Objects {
        #[command(subcommand)]
        command: ObjectsCommand,
    },
    /// Packs, and taking them down.
    Packs {
        #[command(subcommand)]
        command: PacksCommand,
    },
    /// Keys that sign releases, for apps that believe nobody on the way.
    ReleaseKeys {
        #[command(subcommand)]
        command: ReleaseKeysCommand,
    },
    /// Bring every published release into the other way of storing its variants. May be stopped and begun again, and done by several at once.
    ///
    /// The report says what is listed, stored and saved. Ends with 1 where a variant cannot be made any more.
    MigrateVariants {
        /// `on-demand`: masters and one density are stored. `prebuilt`: everything is.
        #[arg(long, value_parser = variants, value_name = "on-demand|prebuilt")]
        to: Variants,
        /// As one JSON document.
        #[arg(long)]
        json: bool,
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

fn variants(name: &str) -> Result<Variants, &'static str> {
    Variants::parse(name).ok_or("it is on-demand or prebuilt")
}

/// More rows than anybody reads, and few enough to be held at once.
const MOST_LISTED: u64 = 100_000;
