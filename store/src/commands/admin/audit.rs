//! `sticker-store admin audit`

use sticker_store::app::App;
use sticker_store::audit::chain::Head;
use sticker_store::audit::list::{Row, Wanted, list};
use sticker_store::audit::verify::verify;
use sticker_store::audit::{mend, take_over};
use sticker_store::config::Config;

use super::super::{AWAY, Status, failed, say, told};
use super::{OPERATOR, open, time};
use crate::cli::AuditCommand;

pub(super) async fn run(config: Config, command: AuditCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match command {
        AuditCommand::Verify { head } => verified(&app, head).await,
        AuditCommand::Adopt { reason } => match take_over(&app, OPERATOR, &reason).await {
            Ok(taken) => {
                say(format_args!("{taken} rows were taken into the chain"));
                Status::Done
            }
            Err(error) => told(&error),
        },
        AuditCommand::Mend { reason } => match mend(&app, OPERATOR, &reason).await {
            Ok(end) => {
                say(format_args!("the chain goes on from {end}"));
                Status::Done
            }
            Err(error) => told(&error),
        },
        AuditCommand::List { subject, actor, action, limit, json } => {
            let wanted = Wanted { subject, actor, action, limit };
            match list(&app.db, &wanted).await {
                Ok(rows) => {
                    shown(&rows, json);
                    Status::Done
                }
                Err(error) => failed("database", &error, AWAY),
            }
        }
    }
}

async fn verified(app: &App, kept: Option<Head>) -> Status {
    let report = match verify(app, kept).await {
        Ok(report) => report,
        Err(error) => return failed("database", &error, AWAY),
    };
    for finding in &report.findings {
        say(format_args!("{}: {finding}", finding.code()));
    }
    if report.more_findings > 0 {
        say(format_args!("and {} more", report.more_findings));
    }
    if report.taken_over > 0 {
        say(format_args!(
            "{} rows are from a version that knew no chain, and proven since they were taken over: \
             `admin audit list --action chain_takes_over` shows when",
            report.taken_over
        ));
    }
    say(format_args!("{} rows are whole", report.whole));
    say(format_args!("head {}", report.head));
    if report.findings.is_empty() {
        return Status::Done;
    }
    let error = std::io::Error::other("the audit chain is not whole");
    failed(
        "chain_broken",
        &error,
        "see \"Audit\" in store/README.md; take a copy of the database before anything else",
    );
    Status::Refused
}

fn shown(rows: &[Row], json: bool) {
    if json {
        let rows: Vec<_> = rows.iter().map(Row::to_json).collect();
        return say(serde_json::json!({ "rows": rows }));
    }
    for row in rows {
        let seq = row.seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
        let Row { id, at, actor, action, subject, detail, .. } = row;
        say(format_args!("{seq:>8}  {}  {action:<16}  {actor}  {subject}  {detail}  {id}", time(*at)));
    }
}
