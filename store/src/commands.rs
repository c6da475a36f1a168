//! One command a file; each says how it ended.

mod admin;
mod check;
mod check_release;
mod demo;
mod edge_config;
mod keys;
mod migrate;
mod receipt;
mod serve;
mod sidecar;
mod token;
mod worker;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sticker_store::app::StartError;
use sticker_store::config::{Config, ConfigError};
use sticker_store::telemetry;
use sticker_store::web::error::Error;

use crate::cli::{Cli, Command, ReceiptCommand};

/// How a command ended; the numbers are relied on from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// 0.
    Done,
    /// 1: refused, or the input is bad.
    Refused,
    /// 2: wrong usage that the argument parser cannot see.
    Usage,
    /// 3: cannot read, write or reach.
    CannotReach,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::Refused => 1,
            Status::Usage => 2,
            Status::CannotReach => 3,
        })
    }
}

pub(crate) fn run(cli: Cli) -> Status {
    let Cli { command, config, log, log_json } = cli;
    // Beside a command's answer only what went wrong is of interest; a server tells what it does.
    let usual = if matches!(command, Command::Serve { .. } | Command::Worker | Command::Sidecar(_)) {
        "info,sea_orm_migration=warn"
    } else {
        "warn"
    };
    if let Err(error) = telemetry::start(log.as_deref().unwrap_or(usual), log_json) {
        failed("log", &error, "say --log (or STICKER_LOG) like `info` or `warn,sticker_store=debug`");
        return Status::Usage;
    }
    if matches!(command, Command::CheckRelease) {
        return check_release::run();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    if let Command::Token { command } = command {
        return token::run(command);
    }
    if let Command::Receipt { command: ReceiptCommand::Inspect(arguments) } = command {
        return receipt::inspect(arguments);
    }
    if let Command::EdgeConfig(arguments) = &command {
        return edge_config::run(arguments);
    }
    if let Command::Sidecar(arguments) = command {
        return runtime.block_on(sidecar::run(arguments));
    }
    if let Command::Demo { data, listen } = command {
        return runtime.block_on(demo::run(&data, listen));
    }
    let config = match load(config.as_deref()) {
        Ok(config) => config,
        Err(status) => return status,
    };
    runtime.block_on(async {
        match command {
            Command::Serve { only } => serve::run(config, &only).await,
            Command::Worker => worker::run(config).await,
            Command::Migrate { down } => migrate::run(&config, down).await,
            Command::Check { show } => check::run(config, show).await,
            Command::Keys { command } => keys::run(config, command).await,
            Command::Admin { command } => Box::pin(admin::run(config, command)).await,
            Command::Receipt { command: ReceiptCommand::Recover { provider, what } } => {
                receipt::recover(config, provider, what).await
            }
            Command::Token { .. }
            | Command::Receipt { command: ReceiptCommand::Inspect(_) }
            | Command::Demo { .. }
            | Command::EdgeConfig(_)
            | Command::CheckRelease
            | Command::Sidecar(_) => Status::Done,
        }
    })
}

fn load(file: Option<&Path>) -> Result<Config, Status> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut config = Config::load(file, environment).map_err(|error| {
        let told = failed("configuration", &error, "store/config.default.toml documents every setting");
        if matches!(error, ConfigError::Unreadable { .. }) { told } else { Status::Refused }
    })?;
    config.publishing.program = this_program();
    Ok(config)
}

/// What a check of a release is done by: this very program, also where another version was put in its place since it was started.
fn this_program() -> Option<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Some(running) } else { std::env::current_exe().ok() }
}

/// Tells what failed, with all its causes, and what to do.
fn failed(code: &str, error: &dyn std::error::Error, hint: &str) -> Status {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    // Nobody may be listening any more.
    let _ = writeln!(io::stderr(), "error[{code}]: {message}\n  hint: {hint}");
    Status::CannotReach
}

/// Tells why the store does not start, or a part of it does not work.
fn not_started(code: &str, error: &StartError) -> Status {
    let told = failed(code, error, error.hint());
    if error.is_refusal() { Status::Refused } else { told }
}

/// What to do where the database does not answer.
const AWAY: &str = "check database.url and that the server runs";

/// Tells why the store refused, or what failed in it.
fn told(error: &Error) -> Status {
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    let hint = error.what_to_do().or(error.is_fault().then_some(AWAY));
    let hint = hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    // Nobody may be listening any more.
    let _ = writeln!(io::stderr(), "error[{}]: {}{cause}{hint}", error.code(), error.message());
    if error.is_fault() { Status::CannotReach } else { Status::Refused }
}

/// A line of the result; a reader that went away is no failure of ours.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
