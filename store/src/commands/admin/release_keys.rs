//! `sticker-store admin release-keys list|add|sign-with|retire|export`

use sticker_protocol::release::signed::ReleaseKeyId;
use sticker_store::app::App;
use sticker_store::config::Config;
use sticker_store::signing::keys::{self, KeyRow};
use sticker_store::token::file;
use sticker_store::web::error::Error;

use super::super::{Status, failed, say, told};
use super::{OPERATOR, open};
use crate::cli::ReleaseKeysCommand;

pub(super) async fn run(config: Config, command: ReleaseKeysCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let done = match keys::make_first(&app).await {
        Ok(()) => step(&app, command).await,
        Err(error) => Err(error),
    };
    done.unwrap_or_else(|error| told(&error))
}

async fn step(app: &App, command: ReleaseKeysCommand) -> Result<Status, Error> {
    match command {
        ReleaseKeysCommand::List { json } => list(&keys::list(&app.db).await?, json),
        ReleaseKeysCommand::Add => {
            let id = keys::add(app, OPERATOR).await?;
            say(format_args!(
                "release key {id} is made\nnext: `sticker-store admin release-keys export` for the apps' next version, and once enough of them are out \
                 `sticker-store admin release-keys sign-with {id}`"
            ));
        }
        ReleaseKeysCommand::SignWith { id } => {
            keys::sign_with(app, OPERATOR, ReleaseKeyId(id)).await?;
            say(format_args!("release key {id} signs"));
        }
        ReleaseKeysCommand::Retire { id, reason } => {
            keys::retire(app, OPERATOR, ReleaseKeyId(id), &reason).await?;
            say(format_args!("release key {id} is retired; what it vouched for is signed anew"));
        }
        ReleaseKeysCommand::Export { out } => {
            let keys = keys::export(&app.db).await?;
            let Some(out) = out else {
                say(keys.to_json().trim_end());
                return Ok(Status::Done);
            };
            if let Err(error) = file::replace_private(&out, &keys.to_json()) {
                return Ok(failed("file", &error, "check the path and its permissions"));
            }
            say(format_args!("{} public keys are in {}", keys.iter().count(), out.display()));
        }
    }
    Ok(Status::Done)
}

fn list(rows: &[KeyRow], json: bool) {
    if json {
        let rows: Vec<_> = rows.iter().map(KeyRow::to_json).collect();
        return say(serde_json::json!({ "keys": rows }));
    }
    say("id     state    public key");
    for row in rows {
        say(format_args!("{:<6} {:<8} {}", row.id.0, row.stage.name(), row.public.to_hex()));
    }
}
