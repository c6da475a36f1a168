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
mod restored;
mod variants;

use sticker_protocol::token::UserId;
use sticker_store::app::{App, Parts};
use sticker_store::audit::Actor;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;

use super::{Status, failed, not_started};
use crate::cli::{AdminCommand, User};

/// Whom the trace names: the commands are for whoever has a shell on the store's machine.
const OPERATOR: Actor<'_> = Actor("operator");

pub(super) async fn run(config: Config, command: AdminCommand) -> Status {
    match command {
        AdminCommand::Audit { command } => audit::run(config, command).await,
        AdminCommand::Clients { command } => clients::run(config, command).await,
        AdminCommand::Grants { command } => grants::run(config, command).await,
        AdminCommand::Objects { command } => objects::run(config, command).await,
        AdminCommand::Outbox { command } => outbox::run(config, command).await,
        AdminCommand::Orders { command } => Box::pin(orders::run(config, command)).await,
        AdminCommand::Packs { command } => packs::run(config, command).await,
        AdminCommand::Promotions { command } => promotions::run(config, command).await,
        AdminCommand::ReleaseKeys { command } => release_keys::run(config, command).await,
        AdminCommand::MigrateVariants { to, json } => variants::migrate(config, to, json).await,
        AdminCommand::Restored { reason } => restored::run(config, &reason).await,
    }
}

async fn open(config: Config) -> Result<App, Status> {
    Parts::open_without_ring(config, Clock::System, Random::system())
        .await
        .map_err(|error| not_started("start", &error))
}

/// The user of the command line; what it is not is told.
fn named(user: &User) -> Result<UserId, Status> {
    let read = match (&user.user, &user.user_hex) {
        (Some(text), _) => UserId::from_text(text),
        (_, hex) => UserId::from_hex(hex.as_deref().unwrap_or_default()),
    };
    read.map_err(|error| {
        failed("invalid_user", &error, "give --user TEXT, or --user-hex with two digits for each byte");
        Status::Usage
    })
}

/// A user as people read them: the text, or the bytes in hexadecimal.
fn shown_user(bytes: &[u8]) -> String {
    let user = UserId::new(bytes).ok();
    let text = user.as_ref().and_then(|user| user.as_text().map(str::to_owned));
    text.or_else(|| user.map(|user| format!("hex:{}", user.to_hex()))).unwrap_or_default()
}

/// Milliseconds since 1970 as a day and a time, in UTC.
fn time(ms: i64) -> String {
    let day = sticker_store::i18n::Day::of_unix_ms(ms);
    let second = ms.div_euclid(1_000).rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}
