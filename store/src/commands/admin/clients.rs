//! `sticker-store admin clients`

use sticker_store::account::client::{self, Scope};
use sticker_store::config::Config;

use super::super::{AWAY, Status, failed, say};
use super::open;
use crate::cli::ClientsCommand;

pub(super) async fn run(config: Config, command: ClientsCommand) -> Status {
    let scopes = match &command {
        ClientsCommand::Add { scope, .. } => {
            match scope.iter().map(|name| Scope::parse(name).ok_or(name)).collect() {
                Ok(scopes) => scopes,
                Err(name) => {
                    let error = std::io::Error::other(format!("there is no scope `{name}`"));
                    let hint = "scopes are launch, verify, verify_public, publish, operate";
                    failed("unknown_scope", &error, hint);
                    return Status::Usage;
                }
            }
        }
        _ => Vec::new(),
    };
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match command {
        ClientsCommand::Add { name, .. } => match client::add(&app, &name, &scopes).await {
            Ok(new) => {
                say(format_args!(
                    "client {}\nsecret {}\nKeep the secret: it is shown this once.",
                    new.id, new.secret
                ));
                Status::Done
            }
            Err(error) => failed("database", error.as_ref(), AWAY),
        },
        ClientsCommand::List => match client::all(&app.db).await {
            Ok(clients) => {
                for client in clients {
                    let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
                    say(format_args!("{}  {state:<7}  {}  {}", client.id, client.scopes, client.name));
                }
                Status::Done
            }
            Err(error) => failed("database", &error, AWAY),
        },
        ClientsCommand::Revoke { id } => match client::revoke(&app, &id).await {
            Ok(true) => Status::Done,
            Ok(false) => {
                let error = std::io::Error::other(format!("there is no client {id}"));
                failed("no_such_client", &error, "`admin clients list` shows them");
                Status::Refused
            }
            Err(error) => failed("database", &error, AWAY),
        },
    }
}
