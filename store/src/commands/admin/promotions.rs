//! `sticker-store admin promotions`

use sticker_store::app::App;
use sticker_store::catalogue::takedown;
use sticker_store::config::Config;
use sticker_store::purchase::entity::promotion;
use sticker_store::purchase::promotion::desk::{self, Entry, Plan};
use sticker_store::web::error::Error;

use super::super::{Status, say, told};
use super::{OPERATOR, open, time};
use crate::cli::{PromotionArguments, PromotionsCommand};

pub(super) async fn run(config: Config, command: PromotionsCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let done = match command {
        PromotionsCommand::List => list(&app).await,
        PromotionsCommand::Add(arguments) => add(&app, &arguments).await,
        PromotionsCommand::End { name } => end(&app, &name).await,
    };
    done.map_or_else(|error| told(&error), |()| Status::Done)
}

async fn list(app: &App) -> Result<(), Error> {
    desk::all(&app.db).await?.iter().map(|promotion| line(app, promotion)).for_each(say);
    Ok(())
}

async fn add(app: &App, arguments: &PromotionArguments) -> Result<(), Error> {
    let plan = Plan {
        name: &arguments.name,
        pack: takedown::named(&app.db, &arguments.pack).await?,
        at_most: arguments.at_most.or(arguments.codes),
        starts_at: arguments.from.unwrap_or_else(|| app.clock.now_ms()),
        ends_at: arguments.until,
        entry: match (&arguments.code, arguments.codes) {
            (Some(word), _) => Entry::Word(word),
            (None, Some(count)) => Entry::Codes(count),
            (None, None) => Entry::Open,
        },
    };
    let made = desk::add(app, OPERATOR, plan).await?;
    say(line(app, &made.promotion));
    if !made.codes.is_empty() {
        say("Keep the codes: they are shown this once.");
        made.codes.iter().for_each(|code| say(code.expose()));
    }
    Ok(())
}

async fn end(app: &App, name: &str) -> Result<(), Error> {
    say(line(app, &desk::end(app, OPERATOR, name).await?));
    Ok(())
}

fn line(app: &App, promotion: &promotion::Model) -> String {
    let promotion::Model { name, pack_id, used, at_most, starts_at, ends_at, .. } = promotion;
    let now = app.clock.now_ms();
    let state = match promotion.ended_at {
        Some(_) => "ended",
        None if now < *starts_at => "to come",
        None if now >= *ends_at => "over",
        None => "running",
    };
    let most = at_most.map(|most| format!(" of {most}")).unwrap_or_default();
    let entry = if promotion.needs_code == 0 { "for everybody" } else { "with a code" };
    let (from, until) = (time(*starts_at), time(*ends_at));
    format!("{name}  {state}  pack {pack_id}  {used}{most} given  {from} to {until}  {entry}")
}
