//! `sticker-store admin`, one group of operations a file.

mod clients;
mod orders;
mod packs;

use sticker_store::app::{App, Parts};
use sticker_store::audit::Actor;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;

use super::{Status, not_started};
use crate::cli::AdminCommand;

/// Whom the trace names: the commands are for whoever has a shell on the store's machine.
const OPERATOR: Actor<'_> = Actor("operator");

pub(super) async fn run(config: Config, command: AdminCommand) -> Status {
    match command {
        AdminCommand::Clients { command } => clients::run(config, command).await,
        AdminCommand::Orders { command } => orders::run(config, command).await,
        AdminCommand::Packs { command } => packs::run(config, command).await,
    }
}

async fn open(config: Config) -> Result<App, Status> {
    Parts::open_without_ring(config, Clock::System, Random::system())
        .await
        .map_err(|error| not_started("start", &error))
}

/// Milliseconds since 1970 as a day and a time, in UTC.
fn time(ms: i64) -> String {
    let day = sticker_store::i18n::Day::of_unix_ms(ms);
    let second = ms.div_euclid(1_000).rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}
