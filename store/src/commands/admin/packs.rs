//! `sticker-store admin packs`

use sticker_store::app::App;
use sticker_store::catalogue::{sharing, takedown};
use sticker_store::config::Config;
use sticker_store::web::error::Error;

use super::super::{AWAY, Status, failed, say, told};
use super::{OPERATOR, open, time};
use crate::cli::PacksCommand;

pub(super) async fn run(config: Config, command: PacksCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let done = match command {
        PacksCommand::List => return list(&app).await,
        PacksCommand::Share { pack, on } => share(&app, &pack, on).await,
        PacksCommand::Takedown { pack, reason } => take_down(&app, &pack, &reason).await,
        PacksCommand::Reinstate { pack, reason } => reinstate(&app, &pack, &reason).await,
    };
    match done {
        Ok(line) => {
            say(line);
            Status::Done
        }
        Err(error) => told(&error),
    }
}

async fn list(app: &App) -> Status {
    match takedown::all(&app.db).await {
        Ok(packs) => {
            for pack in packs {
                let down = pack.taken_down_at.map(|at| format!("  taken down {}", time(at)));
                let (published, down) = (time(pack.published_at), down.unwrap_or_default());
                let shared = if pack.couple_shared == 0 { "" } else { "  shared" };
                say(format_args!(
                    "{}  {}  {}  published {published}{shared}{down}",
                    pack.id, pack.slug, pack.price_tier
                ));
            }
            Status::Done
        }
        Err(error) => failed("database", &error, AWAY),
    }
}

async fn share(app: &App, pack: &str, on: bool) -> Result<String, Error> {
    let id = takedown::named(&app.db, pack).await?;
    let changed = sharing::share(app, OPERATOR, id, on).await?;
    let state = if on { "couples share it" } else { "couples do not share it" };
    Ok(format!("{id}  {state}{}", if changed { "" } else { " already" }))
}

async fn take_down(app: &App, pack: &str, reason: &str) -> Result<String, Error> {
    let id = takedown::named(&app.db, pack).await?;
    let taken = takedown::take_down(app, OPERATOR, id, reason).await?;
    let at = taken.taken_down_at.map(time).unwrap_or_default();
    Ok(format!("{id}  {}  taken down {at}", taken.slug))
}

async fn reinstate(app: &App, pack: &str, reason: &str) -> Result<String, Error> {
    let id = takedown::named(&app.db, pack).await?;
    let was_down = takedown::reinstate(app, OPERATOR, id, reason).await?;
    Ok(format!("{id}  {}", if was_down { "reinstated" } else { "was not taken down" }))
}
