//! `sticker-store token issue|verify|inspect`

use std::path::Path;

use sticker_protocol::token::{
    Claims, DenyList, Expected, IssueError, KeyId, Keyring, UntrustedToken, UserId,
};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};
use sticker_store::clock::Clock;
use sticker_store::token::file::{self, FileError};

use super::{Status, failed, say};
use crate::cli::{TokenCommand, User};

pub(super) fn run(command: TokenCommand) -> Status {
    match command {
        TokenCommand::Issue { keys, key_id, sticker, user, expires } => {
            issue(&keys, key_id, sticker, &user, expires).unwrap_or_else(|status| status)
        }
        TokenCommand::Verify { keys, sticker, user, at, token } => {
            verify(&keys, sticker, &user, at, &token).unwrap_or_else(|status| status)
        }
        TokenCommand::Inspect { token } => inspect(&token),
    }
}

fn issue(
    keys: &Path,
    key_id: Option<u16>,
    sticker: u64,
    user: &User,
    expires: u32,
) -> Result<Status, Status> {
    let claims = Claims { sticker: sticker_id(sticker)?, user: user_id(user)?, expires: Expiry(expires) };
    let keyring = keyring(keys)?;
    let issued = match key_id {
        Some(id) => keyring.issue_with(KeyId(id), &claims),
        None => keyring.issue(&claims),
    };
    match issued {
        Ok(token) => {
            say(token);
            Ok(Status::Done)
        }
        Err(error) => {
            let (code, hint) = match error {
                IssueError::UnknownKey(_) => ("unknown_key", "name a key of the file"),
                _ => ("no_signing_key", "mark one key as signing, or name one with --key-id"),
            };
            failed(code, &error, hint);
            Err(Status::Refused)
        }
    }
}

fn verify(keys: &Path, sticker: u64, user: &User, at: Option<u64>, token: &str) -> Result<Status, Status> {
    let expected = Expected { sticker: sticker_id(sticker)?, user: user_id(user)? };
    let keyring = keyring(keys)?;
    let now = at.map_or_else(|| Clock::System.now(), UnixSeconds);
    Ok(match keyring.verify(token, now, &expected, &DenyList::new()) {
        Ok(_) => {
            say("ok");
            Status::Done
        }
        Err(refusal) => {
            say(refusal.code());
            Status::Refused
        }
    })
}

fn inspect(token: &str) -> Status {
    let shown = UntrustedToken::parse(token)
        .and_then(|token| Ok((token.version().number(), token.key_id(), token.untrusted_claims()?)));
    match shown {
        Ok((version, key, claims)) => {
            let user = claims.user.as_text().map_or_else(String::new, |text| format!(" ({text:?})"));
            say(format_args!(
                "version {version}, unproven\nkey {key}\nexpires {}\nsticker {}\nuser {}{user}",
                claims.expires.0,
                claims.sticker,
                claims.user.to_hex()
            ));
            Status::Done
        }
        Err(refusal) => {
            say(refusal.code());
            Status::Refused
        }
    }
}

fn keyring(path: &Path) -> Result<Keyring, Status> {
    file::read_keys(path).map(|file| Keyring::new(&file)).map_err(|error| {
        let told = failed("keys", &error, "a key file is JSON as protocol/README.md says");
        if matches!(error, FileError::Io { .. }) { told } else { Status::Refused }
    })
}

fn sticker_id(id: u64) -> Result<StickerId, Status> {
    StickerId::new(id).map_err(|error| {
        failed("sticker", &error, "give the sticker's id with --sticker");
        Status::Usage
    })
}

fn user_id(user: &User) -> Result<UserId, Status> {
    let id = match (&user.user, &user.user_hex) {
        (Some(text), _) => UserId::from_text(text),
        (None, hex) => UserId::from_hex(hex.as_deref().unwrap_or_default()),
    };
    id.map_err(|error| {
        failed("user", &error, "give 1 to 128 bytes with --user or --user-hex");
        Status::Usage
    })
}
