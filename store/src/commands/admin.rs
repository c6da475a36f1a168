//! `sticker-store admin`

use sticker_store::account::client::{self, Scope};
use sticker_store::app::Parts;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;

use super::{Status, failed, say};
use crate::cli::{AdminCommand, ClientsCommand};

pub(super) async fn run(config: Config, command: AdminCommand) -> Status {
    let AdminCommand::Clients { command } = command;
    let scopes = match &command {
        ClientsCommand::Add { scope, .. } => {
            match scope.iter().map(|name| Scope::parse(name).ok_or(name)).collect() {
                Ok(scopes) => scopes,
                Err(name) => {
                    let error = std::io::Error::other(format!("there is no scope `{name}`"));
                    failed(
                        "unknown_scope",
                        &error,
                        "scopes are launch, verify, verify_public, publish, operate",
                    );
                    return Status::Usage;
                }
            }
        }
        _ => Vec::new(),
    };
    let app = match Parts::open(config, Clock::System, Random::system()).await {
        Ok(app) => app,
        Err(error) => return failed("start", &error, "`sticker-store check` tells which part does not work"),
    };
    let away = "check database.url and that the server runs";
    match command {
        ClientsCommand::Add { name, .. } => match client::add(&app, &name, &scopes).await {
            Ok(new) => {
                say(format_args!(
                    "client {}\nsecret {}\nKeep the secret: it is shown this once.",
                    new.id, new.secret
                ));
                Status::Done
            }
            Err(error) => failed("database", error.as_ref(), away),
        },
        ClientsCommand::List => match client::all(&app.db).await {
            Ok(clients) => {
                for client in clients {
                    let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
                    say(format_args!("{}  {state:<7}  {}  {}", client.id, client.scopes, client.name));
                }
                Status::Done
            }
            Err(error) => failed("database", &error, away),
        },
        ClientsCommand::Revoke { id } => match client::revoke(&app, &id).await {
            Ok(true) => Status::Done,
            Ok(false) => {
                let error = std::io::Error::other(format!("there is no client {id}"));
                failed("no_such_client", &error, "`admin clients list` shows them");
                Status::Refused
            }
            Err(error) => failed("database", &error, away),
        },
    }
}
