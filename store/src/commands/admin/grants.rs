//! `sticker-store admin grants`

use sticker_protocol::token::UserId;
use sticker_store::app::App;
use sticker_store::catalogue::takedown;
use sticker_store::config::Config;
use sticker_store::library;
use sticker_store::purchase::manual;
use sticker_store::web::error::Error;

use super::super::{Status, say, told};
use super::orders::line;
use super::{OPERATOR, named, open, shown_user, time};
use crate::cli::GrantsCommand;

pub(super) async fn run(config: Config, command: GrantsCommand) -> Status {
    let (GrantsCommand::List { user }
    | GrantsCommand::Give { user, .. }
    | GrantsCommand::Revoke { user, .. }) = &command;
    let user = match named(user) {
        Ok(user) => user,
        Err(status) => return status,
    };
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let done = match command {
        GrantsCommand::List { .. } => list(&app, &user).await,
        GrantsCommand::Give { pack, reason, .. } => give(&app, &user, &pack, &reason).await,
        GrantsCommand::Revoke { pack, reason, .. } => revoke(&app, &user, &pack, &reason).await,
    };
    done.map_or_else(|error| told(&error), |()| Status::Done)
}

async fn list(app: &App, user: &UserId) -> Result<(), Error> {
    for grant in library::query::of(&app.db, user).await? {
        say(format_args!("pack {}  since {}  order {}", grant.pack, time(grant.granted_at), grant.order_id));
    }
    Ok(())
}

async fn give(app: &App, user: &UserId, pack: &str, reason: &str) -> Result<(), Error> {
    let pack = takedown::named(&app.db, pack).await?;
    say(line(&manual::give(app, OPERATOR, user, pack, reason).await?));
    Ok(())
}

/// Says whose orders were taken back: a gift was somebody else's, and a shared pack was two people's.
async fn revoke(app: &App, user: &UserId, pack: &str, reason: &str) -> Result<(), Error> {
    let pack = takedown::named(&app.db, pack).await?;
    for order in manual::revoke(app, OPERATOR, user, pack, reason).await? {
        let shared = order.shared_with.as_deref().map(|with| format!(", shared with {}", shown_user(with)));
        let shared = shared.unwrap_or_default();
        say(format_args!("{}  ordered by {}{shared}", line(&order), shown_user(&order.user_id)));
    }
    Ok(())
}
