//! `sticker-packer publish OUT --store URL`

use std::io::Read as _;
use std::path::Path;

use serde_json::json;
use sticker_packer::publish::{PublishError, PublishTarget, publish};
use sticker_packer::release::ReleaseError;

use super::Status;
use crate::printer::Printer;

pub(super) fn run(
    out: &Path,
    store: &str,
    secret_file: Option<&Path>,
    secret: Option<String>,
    printer: Printer,
) -> Status {
    let secret = match secret_file.map(|path| (path, read_secret(path))) {
        Some((_, Ok(secret))) => Some(secret),
        Some((path, Err(error))) => {
            let message = format!("cannot read {}: {error}", path.display());
            let error = std::io::Error::other(message);
            printer.failure(
                "secret_unreadable",
                &error,
                "check the path of --secret-file and its permissions",
            );
            return Status::CannotReach;
        }
        None => secret,
    };
    let Some(secret) = secret.map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty())
    else {
        let error = std::io::Error::other("there is no secret for the store");
        let hint =
            "set STICKER_STORE_SECRET or --secret-file to the secret that the store's operator gave you";
        printer.failure("secret_missing", &error, hint);
        return Status::BadInput;
    };
    let progress = printer.progress();
    let published = publish(out, &PublishTarget::new(store, secret), &progress);
    drop(progress);
    match published {
        Ok(published) => {
            let document = json!({ "release": published.release, "pack_url": published.pack_url, "uploaded": published.uploaded });
            let text = format!(
                "published {}\n{} files uploaded\n{}",
                published.release, published.uploaded, published.pack_url
            );
            printer.result(&document, &text);
            Status::Done
        }
        Err(error) => {
            let findings = match &error {
                PublishError::Rejected { findings, .. } => findings.as_slice(),
                _ => &[],
            };
            printer.rejection(error.code(), &error, error.hint(), findings);
            match error {
                PublishError::Unreachable(_)
                | PublishError::Release(ReleaseError::Io { .. })
                | PublishError::NotTaken { .. }
                | PublishError::NotKept(_)
                | PublishError::Busy { .. }
                | PublishError::StillChecking => Status::CannotReach,
                _ => Status::BadInput,
            }
        }
    }
}

fn read_secret(path: &Path) -> std::io::Result<String> {
    let mut secret = String::new();
    std::fs::File::open(path)?.take(MAX_SECRET).read_to_string(&mut secret)?;
    Ok(secret)
}

/// Bytes of a secret file that are read: enough for every secret, and little where another file was named.
const MAX_SECRET: u64 = 4096;
