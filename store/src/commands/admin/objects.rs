//! `sticker-store admin objects`

use sticker_protocol::release::ReleaseFile;
use sticker_store::app::App;
use sticker_store::config::Config;
use sticker_store::publishing::{gc, verify};
use sticker_store::variants::Sum;

use super::super::{Status, say, told};
use super::{OPERATOR, open};
use crate::cli::ObjectsCommand;

pub(super) async fn run(config: Config, command: ObjectsCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match command {
        ObjectsCommand::Gc { dry_run, grace } => collect(&app, dry_run, grace).await,
        ObjectsCommand::Verify => verified(&app).await,
    }
}

async fn collect(app: &App, dry_run: bool, grace: u32) -> Status {
    let report = match gc::collect(app, OPERATOR, i64::from(grace) * 3_600_000, dry_run).await {
        Ok(report) => report,
        Err(error) => return told(&error),
    };
    let done = if dry_run { "would be removed" } else { "removed" };
    let line = |name: &str, Sum { objects, bytes }: Sum| {
        say(format_args!("{name:<24} {objects:>9} objects  {bytes:>15} bytes"));
    };
    line("stored", report.stored);
    line(done, report.objects);
    line(&format!("uploads {done}"), report.uploads);
    Status::Done
}

async fn verified(app: &App) -> Status {
    let mut tell = |wrong: verify::Wrong, release: &str, file: &ReleaseFile| {
        let wrong = match wrong {
            verify::Wrong::Missing => "missing",
            verify::Wrong::Damaged => "damaged",
        };
        say(format_args!("{wrong}  {}  {}  release {release}", file.sha256, file.path));
    };
    let report = match verify::verify(app, &mut tell).await {
        Ok(report) => report,
        Err(error) => return told(&error),
    };
    let verify::Report { named, whole, bytes, made, missing, damaged } = report;
    say(format_args!(
        "{named} objects are named: {whole} are whole ({bytes} bytes), {made} are made on demand, {missing} missing, {damaged} damaged"
    ));
    if missing + damaged == 0 {
        return Status::Done;
    }
    say("publish the releases named above again: what is missing or damaged is sent once more");
    Status::Refused
}
