//! `sticker-store check`

use sea_orm::DatabaseConnection;
use sticker_protocol::token::Version;
use sticker_store::app::StartError;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::db;
use sticker_store::objects::Objects;
use sticker_store::purchase::apple::{AppStore, environment};
use sticker_store::purchase::google::Play;
use sticker_store::random::Random;
use sticker_store::token::keys;
use sticker_store::token::ring::Ring;
use sticker_store::token::seal::{MasterKey, MasterKeyError};
use sticker_store::variants;

use super::{Status, failed, not_started, say};

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
    let in_folder = config.database.url.expose().is_none() && !config.data_dir.exists();
    let mut status = if in_folder {
        say("database: none yet; the first start makes it");
        keys(&config, None).await
    } else {
        match db::connect(&config.database_url(), 2).await {
            Ok(db) => {
                say("database: ok");
                let variants = variants(&db).await;
                let keys = keys(&config, Some(&db)).await;
                if keys == Status::Done { variants } else { keys }
            }
            Err(error) => not_started("database", &error.into()),
        }
    };
    match AppStore::open(&config, &Clock::System, &Random::system()) {
        Ok(None) => {}
        Ok(Some(_)) => {
            let apple = &config.purchase.apple;
            let world = environment(apple.environment.world());
            say(format_args!("apple: ok ({}, {world})", apple.bundle_id));
            if apple.sells_by_tier() {
                say(format_args!(
                    "apple: a product stands for several packs ({}): each has to be Consumable in App Store Connect",
                    apple.product
                ));
            }
        }
        Err(error) => status = not_started("apple", &error.into()),
    }
    match Play::open(&config, &Clock::System, &Random::system()) {
        Ok(None) => {}
        Ok(Some(_)) => say(format_args!("google: ok ({})", config.purchase.google.package)),
        Err(error) => status = not_started("google", &error.into()),
    }
    let objects = async { Objects::open(&config).await?.probe().await };
    if in_folder && config.objects.kind == sticker_store::config::ObjectsKind::Local {
        say("objects: none yet; the first start makes the folder");
    } else {
        match objects.await {
            Ok(()) => say("objects: ok"),
            Err(error) => status = not_started("objects", &error.into()),
        }
    }
    status
}

/// Whether this version of the packer made what the store no longer holds.
async fn variants(db: &DatabaseConnection) -> Status {
    let others = async {
        if db::has_table(db, "variants").await? { variants::of_another_renderer(db).await } else { Ok(0) }
    };
    match others.await {
        Ok(0) => Status::Done,
        Ok(others) => {
            say(format_args!(
                "variants: {others} were made by another version of the packer; hint: `sticker-store admin migrate-variants --to on-demand` \
                 tells whether this one makes them too"
            ));
            Status::Refused
        }
        Err(error) => not_started("database", &error.into()),
    }
}

/// Whether the master key opens the token keys, and one of them signs.
async fn keys(config: &Config, db: Option<&DatabaseConnection>) -> Status {
    match ring(config, db).await {
        Ok(None) => {
            say("token keys: none yet; the first start makes one");
            Status::Done
        }
        Ok(Some((ring, keys))) if ring.keyring.signing_key(Version::V1).is_some() => {
            say(format_args!("token keys: ok ({keys})"));
            Status::Done
        }
        Ok(Some(_)) => {
            say("token keys: no key signs; hint: `sticker-store keys add`, publish and sign-with");
            Status::Refused
        }
        Err(error) => not_started("keys", &error),
    }
}

/// The ring and how many keys there ever were; `None` before the first start.
async fn ring(config: &Config, db: Option<&DatabaseConnection>) -> Result<Option<(Ring, usize)>, StartError> {
    let master = MasterKey::load(config, &Random::system(), false);
    if let Some(db) = db
        && db::has_table(db, keys::TABLE).await?
    {
        let keys = keys::list(db).await?.len();
        if keys > 0 {
            return Ok(Some((Ring::load(db, &master?, 0).await?, keys)));
        }
    }
    match master {
        // The first start makes it.
        Ok(_) | Err(MasterKeyError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
