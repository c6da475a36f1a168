//! `sticker-store sidecar`

use sticker_store::clock::Clock;
use sticker_store::random::Random;
use sticker_store::serve::{listen, stop_signal};
use sticker_store::sidecar::{Address, Sidecar, Source, StartError, is_private};
use sticker_store::token::file::FileError;

use super::{Status, failed};
use crate::cli::SidecarArguments;

pub(super) async fn run(arguments: SidecarArguments) -> Status {
    let SidecarArguments { store, store_ca, state, keys, listen: address, listen_anywhere } = arguments;
    if !listen_anywhere && !is_private(address) {
        let error = std::io::Error::other(format!("whoever reaches {address} could ask, without a secret"));
        failed(
            "not_loopback",
            &error,
            "listen on 127.0.0.1, or say --listen-anywhere if a firewall is in front",
        );
        return Status::Usage;
    }
    let source = match (store, keys) {
        (Some(url), _) => match remote(&url) {
            Ok(address) => Source::Store { address, authorities: store_ca, memory: state },
            Err(status) => return status,
        },
        (None, keys) => Source::KeyFile(keys.unwrap_or_default()),
    };
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    let sidecar = match Sidecar::start(source, Clock::System, Random::system()) {
        Ok(sidecar) => sidecar,
        Err(error) => return refused(&error),
    };
    let listener = match listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            return failed("listen", &error, "is another program on this port? name another with --listen");
        }
    };
    tracing::info!(sidecar.listen = %address, "serving");
    match sidecar.serve(listener, stop).await {
        Ok(()) => Status::Done,
        Err(error) => failed("serve", &error, "check the log above"),
    }
}

/// The secret comes from the environment alone: everybody on the machine can read a process's arguments.
fn remote(url: &str) -> Result<Address, Status> {
    let secret = std::env::vars_os()
        .find(|(name, _)| name == SECRET)
        .and_then(|(_, secret)| secret.into_string().ok())
        .unwrap_or_default();
    if secret.trim().is_empty() {
        let error = std::io::Error::other("there is no secret for the store");
        failed(
            "secret_missing",
            &error,
            "set STICKER_STORE_SECRET to the secret of a client with the scope verify or verify_public",
        );
        return Err(Status::Refused);
    }
    Address::new(url, secret.trim()).map_err(|error| {
        failed(
            "address",
            &error,
            "--store is the address of the store, STICKER_STORE_SECRET the secret for it",
        );
        Status::Refused
    })
}

fn refused(error: &StartError) -> Status {
    let told = failed(
        "start",
        error,
        "a key file and a state file are for their owner alone; protocol/README.md has their form",
    );
    match error {
        StartError::File(FileError::Io { .. }) | StartError::NoRandom(_) | StartError::Thread(_) => told,
        _ => Status::Refused,
    }
}

const SECRET: &str = "STICKER_STORE_SECRET";
