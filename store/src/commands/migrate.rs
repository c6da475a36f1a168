//! `sticker-store migrate`

use sticker_store::config::Config;
use sticker_store::db;
use sticker_store::migration::{bring_up, take_down};

use super::{Status, failed, say};

pub(super) async fn run(config: &Config, down: bool) -> Status {
    if let Err(error) = std::fs::create_dir_all(&config.data_dir) {
        return failed("data_dir", &error, "check the path and its permissions");
    }
    let migrated = async {
        let connection = db::connect(&config.database_url(), 1).await?;
        if down { take_down(&connection).await } else { bring_up(&connection).await }
    };
    match migrated.await {
        Ok(()) => {
            say(if down { "every table is gone" } else { "the database is at this version" });
            Status::Done
        }
        Err(error) => failed("database", &error, "check database.url and that the server runs"),
    }
}
