//! After the database was put back to an earlier time: what was written since is lost, and what tells verifiers and this store of it
//! has to hold nevertheless.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::json;

use super::ring::Stage;
use super::{entity, revocation};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db::{self, Counter};
use crate::library;
use crate::signing;
use crate::web::error::Error;

/// What holds after [`restored`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The ring's version.
    pub keyring: u64,
    /// The feed's last cursor.
    pub cursor: u64,
    /// In seconds: up to when tokens may live of which the database knows nothing.
    pub tokens_until: i64,
}

/// Has verifiers and processes take everything anew, and counts with every token that was issued since the backup:
///
/// - The feed and the ring count on from far beyond whatever they gave since the backup: a verifier that was ahead would else miss the
///   entries that take the numbers which it has seen. The entries that there are move along, since some may have been
///   written after the restore, below the verifier's cursor.
/// - What the database knows as the last expiry went back as well, with active grants and with keys. It becomes the latest that a
///   token can have that was issued before, so that a refund or takedown covers that token, and no key goes before it. This is so
///   for keys that have not signed too: they may have since the backup.
/// - Packs were published since the backup under numbers that clients have seen and the database has not: each pack is signed anew, beyond them.
///
/// To be called before the store serves again, and harmless at any time, and again.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn restored(app: &App, actor: Actor<'_>, reason: &str) -> Result<Restored, Error> {
    let reason = audit::checked_reason(reason)?;
    let done = db::retried(|| restored_once(app, actor, reason)).await?;
    revocation::notice(app).await;
    Ok(done)
}

/// Rows are locked in the order of those who publish, issue, refund and change keys: signatures, grants, keys after their counter, entries after theirs, and
/// the end of the trace.
async fn restored_once(app: &App, actor: Actor<'_>, reason: &str) -> Result<Restored, Error> {
    let transaction = db::begin(&app.db).await?;
    signing::due::after_a_restore(&transaction, app.clock.now_ms()).await?;
    let lifetime = i64::from(app.config.token.lifetime_seconds);
    let tokens_until = app.clock.now_ms() / 1_000 + lifetime + revocation::CLOCKS_DIFFER;
    library::query::cover_earlier_tokens(&transaction, tokens_until).await?;
    let keyring = db::count_up_by(&transaction, Counter::Keyring, BEYOND).await?;
    entity::Entity::update_many()
        .col_expr(entity::Column::LastExpiry, Expr::value(tokens_until))
        .filter(entity::Column::State.ne(Stage::Destroyed.name()))
        .filter(entity::Column::LastExpiry.lt(tokens_until))
        .exec(&transaction)
        .await?;
    let cursor = db::count_up_by(&transaction, Counter::Revocations, BEYOND).await?;
    // In two steps over numbers that are not in use: after the first some rows have moved and others have not, and every
    // database wants each number once at every moment.
    let number = || Expr::col(revocation::entity::Column::CursorId);
    for moved in [Expr::value(-BEYOND).sub(number()), Expr::value(0_i64).sub(number())] {
        revocation::entity::Entity::update_many()
            .col_expr(revocation::entity::Column::CursorId, moved)
            .exec(&transaction)
            .await?;
    }
    let detail =
        json!({ "reason": reason, "keyring": keyring, "cursor": cursor, "tokens_until": tokens_until });
    audit::note(app, &transaction, actor.0, "restored", "database", &detail).await?;
    transaction.commit().await?;
    Ok(Restored { keyring, cursor, tokens_until })
}

/// More than any store writes between two backups, and so little that cursors (up to 2^53 - 1) allow for it millions of times.
const BEYOND: i64 = 1_000_000_000;
