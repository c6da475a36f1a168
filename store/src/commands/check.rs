//! `sticker-store check`

use sticker_protocol::token::Version;
use sticker_store::config::Config;
use sticker_store::objects::Objects;
use sticker_store::{db, token};

use super::{Status, failed, say};

/// Looks at every part and makes nothing.
pub(super) async fn run(config: Config) -> Status {
    say(format_args!("configuration: ok ({})", config.public_url()));
    let mut status = Status::Done;
    let keys = config.data_dir.join("keyring.json");
    if keys.exists() {
        match token::keys::load(&keys) {
            Ok(keyring) if keyring.signing_key(Version::V1).is_some() => say("token keys: ok"),
            Ok(_) => {
                say("token keys: no key is marked as signing; hint: the store cannot issue tokens");
                status = Status::Refused;
            }
            Err(error) => status = failed("keys", &error, "see `sticker-store token`"),
        }
    } else {
        say("token keys: none yet; the first start makes one");
    }
    let in_folder = config.database.url.is_empty() && !config.data_dir.exists();
    if in_folder {
        say("database: none yet; the first start makes it");
    } else {
        match db::connect(&config.database_url(), 1).await {
            Ok(_) => say("database: ok"),
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
