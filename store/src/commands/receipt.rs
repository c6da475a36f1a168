//! `sticker-store receipt inspect|recover`

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;
use sticker_protocol::UnixSeconds;
use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::purchase::apple::{
    Expected, MAX_BYTES, Malformed, Refusal, Root, Verifier, lookup, notification, sweep,
};
use sticker_store::purchase::word::World;
use sticker_store::random::Random;
use sticker_store::web::error::Error;

use super::{Status, failed, not_started, say, told};
use crate::cli::{InspectArguments, ReceiptEnvironment, ReceiptKind, ReceiptProvider, Recovered};

/// Needs no configuration.
pub(super) fn inspect(arguments: InspectArguments) -> Status {
    match arguments.provider {
        ReceiptProvider::Apple => inspect_apple(arguments).unwrap_or_else(|status| status),
    }
}

pub(super) async fn recover(config: Config, provider: ReceiptProvider, what: Recovered) -> Status {
    let app = match Parts::open_without_ring(config, Clock::System, Random::system()).await {
        Ok(app) => app,
        Err(error) => return not_started("start", &error),
    };
    match provider {
        ReceiptProvider::Apple => recover_apple(&app, what).await.unwrap_or_else(|error| told(&error)),
    }
}

async fn recover_apple(app: &App, what: Recovered) -> Result<Status, Error> {
    for id in &what.transaction {
        let outcome = lookup::recover(app, id).await?;
        say(format_args!("{id}: {outcome}"));
    }
    if let Some(since) = what.since {
        let swept = sweep::recover(app, i64::from(since) * 1_000).await?;
        say(format_args!("{} heard, {} refused; the others were known", swept.heard, swept.refused));
    }
    Ok(Status::Done)
}

fn inspect_apple(arguments: InspectArguments) -> Result<Status, Status> {
    let InspectArguments { kind, root, bundle_id, environment, app_id, at, file, .. } = arguments;
    let world = match environment {
        ReceiptEnvironment::Sandbox => World::Sandbox,
        ReceiptEnvironment::Production => World::Production,
    };
    let verifier = Verifier::new(roots(&root)?, Expected { bundle_id, app_id, world });
    let bytes = read(&file).map_err(|error| {
        let error = io::Error::new(error.kind(), format!("cannot read {}: {error}", file.display()));
        failed("file", &error, "name a file, or - for the standard input")
    })?;
    let now = at.map_or_else(|| Clock::System.now(), UnixSeconds);
    Ok(match payload(&verifier, kind, &bytes, now) {
        Ok(payload) => {
            say(format_args!("{payload:#}"));
            Status::Done
        }
        Err(refusal) => {
            say(refusal.code());
            failed(refusal.code(), &refusal, refusal.hint());
            Status::Refused
        }
    })
}

fn payload(verifier: &Verifier, kind: ReceiptKind, bytes: &[u8], now: UnixSeconds) -> Result<Value, Refusal> {
    let text = str::from_utf8(bytes).map_err(|_says_no_more| Malformed::NotText)?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let jws = line.strip_suffix('\r').unwrap_or(line);
    Ok(match kind {
        ReceiptKind::Transaction => verifier.transaction(jws, now)?.payload()?,
        ReceiptKind::Renewal => verifier.renewal(jws, now)?.payload()?,
        // No JWS begins like this: it is the body that the notification came in.
        ReceiptKind::Notification if jws.starts_with('{') => {
            verifier.notification(&notification::signed_payload(jws.as_bytes())?, now)?.payload()?
        }
        ReceiptKind::Notification => verifier.notification(jws, now)?.payload()?,
    })
}

fn roots(files: &[impl AsRef<Path>]) -> Result<Vec<Root>, Status> {
    let hint = "a root is a certificate as DER or PEM; without --root it is Apple's";
    let refused = |error: &dyn std::error::Error| {
        failed("root", error, hint);
        Status::Refused
    };
    if files.is_empty() {
        return Ok(vec![Root::apple().map_err(|error| refused(&error))?]);
    }
    let mut roots = Vec::new();
    for file in files {
        let file = file.as_ref();
        let bytes = std::fs::read(file).map_err(|error| {
            let error = io::Error::new(error.kind(), format!("cannot read {}: {error}", file.display()));
            failed("root", &error, hint)
        })?;
        roots.extend(Root::of_file(&bytes).map_err(|error| refused(&error))?);
    }
    Ok(roots)
}

/// One byte more than can be taken, at most, tells that it is too long.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let reader: &mut dyn Read =
        if file == Path::new("-") { &mut io::stdin() } else { &mut File::open(file)? };
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A text that is just too long, in the body of a notification, with its end of line.
const MOST_BYTES: usize = MAX_BYTES + 1024;
