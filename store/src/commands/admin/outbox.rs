//! `sticker-store admin outbox`

use sticker_store::config::Config;
use sticker_store::outbox::operate::{self, Shown};

use super::super::{AWAY, Status, failed, say, told};
use super::{OPERATOR, open, time};
use crate::cli::OutboxCommand;

pub(super) async fn run(config: Config, command: OutboxCommand) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let done = match command {
        OutboxCommand::List { state, limit, json } => {
            return match operate::list(&app.db, state, limit).await {
                Ok(jobs) => {
                    shown(&jobs, json);
                    Status::Done
                }
                Err(error) => failed("database", &error, AWAY),
            };
        }
        OutboxCommand::Retry { id: Some(id), .. } => {
            operate::retry(&app, OPERATOR, &id).await.map(|()| format!("{id}  is due"))
        }
        OutboxCommand::Retry { id: None, .. } => {
            operate::retry_all_dead(&app, OPERATOR).await.map(|jobs| format!("{jobs} jobs are due"))
        }
        OutboxCommand::Drop { id, reason } => {
            operate::drop(&app, OPERATOR, &id, &reason).await.map(|()| format!("{id}  is dropped"))
        }
    };
    match done {
        Ok(line) => {
            say(line);
            Status::Done
        }
        Err(error) => told(&error),
    }
}

fn shown(jobs: &[Shown], json: bool) {
    if json {
        let jobs: Vec<_> = jobs.iter().map(Shown::to_json).collect();
        return say(serde_json::json!({ "jobs": jobs }));
    }
    for job in jobs {
        let Shown { id, kind, key, state, attempts, next_at, created_at, done_at, last_error } = job;
        let when = match (state.as_str(), done_at) {
            ("waiting", _) => format!("due {}", time(*next_at)),
            (_, Some(at)) => format!("done {}", time(*at)),
            _ => String::new(),
        };
        let error = last_error.as_deref().unwrap_or_default();
        let made = time(*created_at);
        say(format_args!(
            "{id}  {state:<7}  {kind}  {key}  made {made}  attempts {attempts}  {when}  {error}"
        ));
    }
}
