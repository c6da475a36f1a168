//! `sticker-store admin restored`

use sticker_store::config::Config;
use sticker_store::token::restored::restored;

use super::super::{Status, say, told};
use super::{OPERATOR, open, time};

pub(super) async fn run(config: Config, reason: &str) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match restored(&app, OPERATOR, reason).await {
        Ok(done) => {
            let until = time(done.tokens_until.saturating_mul(1_000));
            say(format_args!(
                "the ring goes on from version {}, the deny feed from cursor {}",
                done.keyring, done.cursor
            ));
            say(format_args!(
                "tokens issued since the backup may live until {until}; refunds, takedowns and keys count with them"
            ));
            say("now repeat what the backup does not know: see \"Backup and restore\" in store/README.md");
            Status::Done
        }
        Err(error) => told(&error),
    }
}
