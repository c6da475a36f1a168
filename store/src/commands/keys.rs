//! `sticker-store keys list|add|publish|sign-with|retire|destroy|export`

use std::path::Path;

use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::token::file;
use sticker_store::token::keys::{self, KeyRow, KeysError};

use super::{Status, failed, not_started, say};
use crate::cli::KeysCommand;

pub(super) async fn run(config: Config, command: KeysCommand) -> Status {
    let (clock, random) = (Clock::System, Random::system());
    // An export alone takes the ring; the steps are how a key that is damaged is replaced.
    let opened = match &command {
        KeysCommand::Export { .. } => Parts::open(config, clock, random).await,
        _ => Parts::open_without_ring(config, clock, random).await,
    };
    let app = match opened {
        Ok(app) => app,
        Err(error) => return not_started("start", &error),
    };
    if let KeysCommand::Export { out, public } = &command {
        return export(&app, out, *public).await;
    }
    match step(&app, command).await {
        Ok(()) => Status::Done,
        Err(error) => told(&error),
    }
}

async fn step(app: &App, command: KeysCommand) -> Result<(), KeysError> {
    match command {
        KeysCommand::List { json } => list(&keys::list(&app.db).await?, json),
        KeysCommand::Add { algorithm, id } => {
            let id = keys::add(app, algorithm, id).await?;
            say(format_args!("key {id} is made\nnext: `sticker-store keys publish {id}`"));
        }
        KeysCommand::Publish { id } => {
            keys::publish(app, id).await?;
            let seconds = app.config.token.propagation_seconds;
            say(format_args!(
                "key {id} is published\nnext, once verifiers have had {seconds} s to fetch it: `sticker-store keys sign-with {id}`"
            ));
        }
        KeysCommand::SignWith { id, without_waiting } => {
            keys::sign_with(app, id, without_waiting).await?;
            say(format_args!("key {id} signs"));
        }
        KeysCommand::Retire { id } => {
            keys::retire(app, id).await?;
            say(format_args!("key {id} verifies and signs no more"));
        }
        KeysCommand::Destroy { id, compromised } => {
            keys::destroy(app, id, compromised.as_deref()).await?;
            say(format_args!("key {id} is destroyed"));
        }
        KeysCommand::Export { .. } => {}
    }
    Ok(())
}

fn told(error: &KeysError) -> Status {
    let told = failed(error.code(), error, error.hint());
    if error.is_refusal() { Status::Refused } else { told }
}

fn list(rows: &[KeyRow], json: bool) {
    if json {
        let rows: Vec<_> = rows.iter().map(KeyRow::to_json).collect();
        return say(serde_json::json!({ "keys": rows }));
    }
    say("id     algorithm    state      last token expires");
    for row in rows {
        let last = row.last_expiry.map_or_else(|| "-".to_owned(), |last| last.to_string());
        say(format_args!("{:<6} {:<12} {:<10} {last}", row.id, row.algorithm, row.stage.name()));
    }
}

/// A key file for verifiers that read one; written whole, for its owner alone.
async fn export(app: &App, out: &Path, public: bool) -> Status {
    let keys = match keys::export(app, public).await {
        Ok(keys) => keys,
        Err(error) => return told(&error),
    };
    match file::replace_private(out, &keys.to_json()) {
        Ok(()) => {
            say(format_args!("{} keys are in {}", keys.keys().len(), out.display()));
            Status::Done
        }
        Err(error) => failed("file", &error, "check the path and its permissions"),
    }
}
