//! The trace: a row in the same transaction as each change of money, ownership, keys, prices, clients or catalogue, and for what was
//! refused. Rows are [chained](chain): none is altered, taken out, put in or moved without [`verify`](verify::verify) naming it, not even by
//! who can write the whole database, as long as the master key is not in their hands too.
//!
//! # The order of locks
//!
//! Whoever adds a row locks the chain's end until the commit, so that all who write wait for each other there, and for nothing else. No
//! deadlock comes of it, because every transaction locks in this one order, and what comes later only after what comes before:
//!
//! 1. what is asked for: order, purchase, snapshot, inbox, promotion, then packs by id, their signatures and release keys, then grants;
//! 2. rows of the outbox;
//! 3. the counter `keyring`, then token keys;
//! 4. the counter `revocations`, then entries of the deny feed;
//! 5. the end of the chain, in [`note`], after which nothing else is locked. A transaction with several rows in the trace writes them at
//!    its end, one after the other.
//!
//! The counters and the chain's end are rows that everybody wants: they come last, so that they are held for the shortest time. On SQLite
//! there is one write lock, taken at the start.

pub mod chain;
mod entity;
pub mod list;
mod mend;
mod refusal;
mod take_over;
pub mod verify;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::Value;

use crate::app::App;
use crate::token::seal::MasterKey;
use crate::web::error::Error;
use chain::ChainKey;
pub use mend::{mend, tell_head};
pub use refusal::refusal;
pub(crate) use take_over::begin;
pub use take_over::take_over;

/// What a process writes the trace with.
#[derive(Debug)]
pub struct Trace {
    key: ChainKey,
    refusals: refusal::Rate,
}

impl Trace {
    /// For the store with this master key.
    pub fn new(master: &MasterKey) -> Self {
        Self { key: ChainKey::of(master), refusals: refusal::Rate::new() }
    }
}

/// Whether the trace's last row was written with this master key; `None` where there is none.
///
/// # Errors
/// As the database says.
pub(crate) async fn is_of(db: &impl ConnectionTrait, master: &MasterKey) -> Result<Option<bool>, DbErr> {
    chain::last_is_ours(db, &ChainKey::of(master)).await
}

/// Who did it, such as `operator:command line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor<'a>(pub &'a str);

/// A reason that says something, and fits.
///
/// # Errors
/// `invalid_reason`.
pub fn checked_reason(reason: &str) -> Result<&str, Error> {
    let reason = reason.trim();
    if (1..=MAX_REASON).contains(&reason.chars().count()) {
        return Ok(reason);
    }
    let message = format!("a reason has 1 to {MAX_REASON} characters");
    Err(Error::refused("invalid_reason", message).hint("say why, for who reads the trace later"))
}

const MAX_REASON: usize = 1_000;

/// Notes who did what to what, at the end of the chain.
///
/// To be called last in the transaction: everybody else who notes something waits from here until the commit, and what is locked after
/// this could be held by one of them.
///
/// # Errors
/// As the database says; 500 for texts that do not fit into the row, which are never cut.
pub async fn note(
    app: &App,
    transaction: &impl ConnectionTrait,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), Error> {
    let row = entity::Model {
        id: app.random.uuid()?.to_string(),
        at: app.clock.now_ms(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
        seq: None,
        hash: None,
    };
    fits(&row)?;
    chain::append(&app.trace.key, transaction, row).await?;
    Ok(())
}

/// A database that is not strict would cut a text, and the row would no longer be the one in the chain.
fn fits(row: &entity::Model) -> Result<(), Error> {
    let lengths = [
        ("actor", row.actor.chars().count(), MAX_ACTOR),
        ("action", row.action.chars().count(), MAX_ACTION),
        ("subject", row.subject.chars().count(), MAX_SUBJECT),
        ("detail", row.detail.len(), MAX_DETAIL),
    ];
    match lengths.into_iter().find(|(_, length, most)| length > most) {
        None => Ok(()),
        Some((column, length, _)) => Err(Error::internal(&TooLong { column, length })),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a row of the audit has no room for this {column} of {length}")]
struct TooLong {
    column: &'static str,
    length: usize,
}

/// In characters, as the migration makes the columns.
const MAX_ACTOR: usize = 300;
const MAX_ACTION: usize = 64;
const MAX_SUBJECT: usize = 200;
/// In bytes: what a text of MySQL holds.
const MAX_DETAIL: usize = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_does_not_fit_is_refused_and_never_cut() {
        let row = |actor: usize, subject: usize, detail: usize| entity::Model {
            id: "a".to_owned(),
            at: 1,
            actor: "é".repeat(actor),
            action: "grant".to_owned(),
            subject: "é".repeat(subject),
            detail: "é".repeat(detail),
            seq: None,
            hash: None,
        };
        assert!(fits(&row(300, 200, 32_767)).is_ok());
        for (longer, column) in
            [(row(301, 1, 1), "actor"), (row(1, 201, 1), "subject"), (row(1, 1, 32_768), "detail")]
        {
            assert!(fits(&longer).unwrap_err().cause().unwrap().contains(column));
        }
    }
}
