//! `sticker-store check`

use sea_orm::DatabaseConnection;
use sticker_protocol::token::Version;
use sticker_store::config::Config;
use sticker_store::db;
use sticker_store::objects::Objects;
use sticker_store::random::Random;
use sticker_store::token::keys;
use sticker_store::token::ring::Ring;
use sticker_store::token::seal::MasterKey;

use super::{Status, failed, say};

/// Looks at every part and makes nothing; or shows the settings in force.
pub(super) async fn run(config: Config, show: bool) -> Status {
    if show {
        return match config.shown() {
            Ok(toml) => {
                say(toml.trim_end());
                Status::Done
            }
            Err(error) => failed("configuration", &error, "look at the values of the configuration file"),
        };
    }
    say(format_args!("configuration: ok ({})", config.public_url()));
    let mut status = Status::Done;
    let in_folder = config.database.url.expose().is_none() && !config.data_dir.exists();
    if in_folder {
        say("database: none yet; the first start makes it");
    } else {
        match db::connect(&config.database_url(), 2).await {
            Ok(db) => {
                say("database: ok");
                status = keys(&config, &db).await;
            }
            Err(error) => status = failed("database", &error, "check database.url and that the server runs"),
        }
    }
    let objects = async { Objects::open(&config).await?.probe().await };
    if in_folder && config.objects.kind == sticker_store::config::ObjectsKind::Local {
        say("objects: none yet; the first start makes the folder");
    } else {
        match objects.await {
            Ok(()) => say("objects: ok"),
            Err(error) => status = failed("objects", &error, "check the section objects and the credentials"),
        }
    }
    status
}

/// Whether the master key opens the token keys, and one of them signs.
async fn keys(config: &Config, db: &DatabaseConnection) -> Status {
    let rows = match keys::list(db).await {
        Ok(rows) if !rows.is_empty() => rows,
        // Before the first start there is no such table.
        _ => {
            say("token keys: none yet; the first start makes one");
            return Status::Done;
        }
    };
    let opened = match MasterKey::load(config, &Random::system(), false) {
        Ok(master) => Ring::load(db, &master, 0)
            .await
            .map_err(|error| failed("keys", &error, "restore the master key that sealed them")),
        Err(error) => Err(failed("master_key", &error, "set token.master_key, or restore the file")),
    };
    match opened {
        Ok(ring) if ring.keyring.signing_key(Version::V1).is_some() => {
            say(format_args!("token keys: ok ({})", rows.len()));
        }
        Ok(_) => {
            say("token keys: no key signs; hint: `sticker-store keys add`, publish and sign-with");
            return Status::Refused;
        }
        Err(status) => return status,
    }
    Status::Done
}
