//! The deny feed: written where a right is taken back, read by chat servers and by this process itself.

pub mod entity;

use std::time::Duration;

use axum::http::StatusCode;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use sticker_protocol::limits::MAX_REVOCATIONS;
use sticker_protocol::token::{Revocation, RevocationPage, UserId};
use sticker_protocol::{Expiry, PackId, StickerId, UnixSeconds};

use crate::app::App;
use crate::catalogue;
use crate::db::{self, Counter};
use crate::telemetry::metrics;
use crate::web::error::Error;

/// Writes into the feed that tokens of this user, or of every user, for the pack's stickers are refused up to this expiry. Writes
/// nothing where no token can live any more.
///
/// To be called last in the transaction but for the row in the trace, with the grant or the pack locked: the counter's row is what puts entries in one order. Whoever
/// writes the next entry waits for it until our entry is committed, so an entry never becomes visible after a later one, and
/// numbers have no gaps. Once the transaction is committed, [`notice`].
///
/// # Errors
/// As the database says.
pub async fn revoke(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: Option<&UserId>,
    pack: PackId,
    refuse_until: i64,
) -> Result<(), Error> {
    if refuse_until <= still_refused_at(app) {
        return Ok(());
    }
    let stickers = catalogue::query::stickers_ever_in(transaction, pack).await?;
    for stickers in stickers.chunks(STICKERS_IN_A_ROW) {
        let cursor = db::count_up(transaction, Counter::Revocations).await?;
        let row = entity::ActiveModel {
            cursor_id: Set(i64::try_from(cursor).map_err(|error| Error::internal(&error))?),
            user_id: Set(user.map(|user| user.as_bytes().to_vec())),
            pack_id: Set(pack.signed()),
            sticker_ids: Set(serde_json::to_string(stickers).map_err(|error| Error::internal(&error))?),
            refuse_until: Set(refuse_until),
            created_at: Set(app.clock.now_ms()),
        };
        row.insert(transaction).await?;
    }
    Ok(())
}

/// MySQL keeps 65,535 bytes in a text; an id has up to 16 digits and a comma.
const STICKERS_IN_A_ROW: usize = 3_000;

/// Entries count until verifiers whose clocks are behind ours see their tokens as expired too.
fn still_refused_at(app: &App) -> i64 {
    i64::try_from(app.clock.now().0).unwrap_or(i64::MAX).saturating_sub(CLOCKS_DIFFER)
}

pub(super) const CLOCKS_DIFFER: i64 = 30;

/// Has this process refuse what was just committed, and wakes its long polls. What goes wrong is made up for within a second by
/// [`keep_fresh`](super::live::keep_fresh).
pub async fn notice(app: &App) {
    if let Err(error) = catch_up(app).await.map_err(Error::from) {
        tracing::warn!(
            error.code = error.code(),
            "a revocation is written and not yet known to this process"
        );
    }
}

/// Takes what the feed has above this process's cursor into the deny list.
///
/// # Errors
/// As the database says; what is known stays.
pub(crate) async fn catch_up(app: &App) -> Result<(), DbErr> {
    if db::counters(&app.db).await?.revocations == *app.tokens.cursor.borrow() {
        return Ok(());
    }
    // One at a time, so that the cursor goes forward alone; the counter is read anew, since another turn may have come between.
    let _turn = app.tokens.catching_up.lock().await;
    let last = db::counters(&app.db).await?.revocations;
    let known = *app.tokens.cursor.borrow();
    if last == known {
        return Ok(());
    }
    // Below what is known: the database was restored from a backup. What is refused stays refused, and the feed begins again.
    let mut after = if last < known { 0 } else { known };
    loop {
        let entries = entries(app, after, last, MAX_REVOCATIONS).await?;
        for entry in &entries {
            // One by one: checks of tokens wait for one entry, not for all.
            app.tokens.deny(entry);
        }
        match entries.last() {
            // The rest goes on from here, even where this call is given up.
            Some(entry) if entries.len() == MAX_REVOCATIONS => {
                after = entry.cursor;
                app.tokens.cursor.send_replace(after);
            }
            _ => break,
        }
    }
    // Only now, when the deny list has them: who waits for the cursor may check a token at once.
    app.tokens.cursor.send_replace(last);
    Ok(())
}

/// A page of the feed: what came after the cursor, as far as this process knows. Entries that nobody needs any more are left out; the
/// page's cursor is past them.
///
/// # Errors
/// 409 `cursor_ahead` for a cursor that the store never gave.
pub(super) async fn page(app: &App, after: u64, limit: usize) -> Result<RevocationPage, Error> {
    let last = *app.tokens.cursor.borrow();
    if after > last {
        let message = "the store never gave this cursor: it was restored from a backup";
        return Err(Error::new(StatusCode::CONFLICT, "cursor_ahead", message)
            .hint("keep the entries that you have and begin again with after=0"));
    }
    let mut page = RevocationPage { revocations: Vec::new(), cursor: last, more: false };
    if after < last {
        page.revocations = entries(app, after, last, limit.saturating_add(1)).await?;
        let fitting = fitting(&page.revocations).min(limit);
        page.more = page.revocations.len() > fitting;
        page.revocations.truncate(fitting);
    }
    if let (true, Some(entry)) = (page.more, page.revocations.last()) {
        page.cursor = entry.cursor;
    }
    Ok(page)
}

/// How many of the entries fit into one answer; one always does.
fn fitting(entries: &[Revocation]) -> usize {
    let mut stickers = 0;
    let over = entries.iter().position(|entry| {
        stickers += entry.stickers.len();
        stickers > MAX_STICKERS_IN_A_PAGE
    });
    over.map_or(entries.len(), |at| at.max(1))
}

/// So that an answer stays below 8 MiB: section 1.6 of the specification.
const MAX_STICKERS_IN_A_PAGE: usize = 200_000;

/// Waits until there is something after the cursor, the time is over, or the store stops. Costs nothing while it waits.
pub(super) async fn wait(app: &App, after: u64, at_most: Duration) {
    let _counted = metrics::LongPoll::begin();
    let (mut cursor, mut stopping) = (app.tokens.cursor.subscribe(), app.stopping.subscribe());
    let moved = tokio::time::timeout(at_most, cursor.wait_for(|&cursor| cursor != after));
    tokio::select! {
        _ = moved => {}
        _ = stopping.wait_for(|&stopping| stopping) => {}
    }
}

async fn entries(app: &App, after: u64, last: u64, limit: usize) -> Result<Vec<Revocation>, DbErr> {
    let signed = |cursor: u64| i64::try_from(cursor).unwrap_or(i64::MAX);
    let rows = entity::Entity::find()
        .filter(entity::Column::CursorId.gt(signed(after)))
        .filter(entity::Column::CursorId.lte(signed(last)))
        .filter(entity::Column::RefuseUntil.gt(still_refused_at(app)))
        .order_by_asc(entity::Column::CursorId)
        .limit(limit as u64)
        .all(&app.db)
        .await?;
    rows.iter().map(entry).collect()
}

/// A row that cannot be read is a fault, never an entry that is passed over.
fn entry(row: &entity::Model) -> Result<Revocation, DbErr> {
    let unreadable = || DbErr::Type(format!("the row {} of revocations cannot be read", row.cursor_id));
    let user = row.user_id.as_deref().map(|user| UserId::new(user).ok().ok_or_else(unreadable));
    let stickers: Vec<StickerId> = serde_json::from_str(&row.sticker_ids).ok().ok_or_else(unreadable)?;
    Ok(Revocation {
        cursor: u64::try_from(row.cursor_id).ok().ok_or_else(unreadable)?,
        user: user.transpose()?,
        stickers,
        refuse_until: Expiry(u32::try_from(row.refuse_until).unwrap_or(u32::MAX)),
    })
}

/// Removes what nobody needs any more, from the deny list and, a good while later, from the table: other processes need the rows as
/// well, and the clock of this one may be ahead of theirs.
///
/// # Errors
/// As the database says; the rest goes the next time.
pub(super) async fn sweep(app: &App) -> Result<(), DbErr> {
    let past = still_refused_at(app);
    app.tokens.forget_expired(UnixSeconds(u64::try_from(past).unwrap_or_default()));
    let long_past = past.saturating_sub(i64::from(app.config.token.lifetime_seconds).max(A_DAY));
    loop {
        let cursors: Vec<i64> = entity::Entity::find()
            .select_only()
            .column(entity::Column::CursorId)
            .filter(entity::Column::RefuseUntil.lte(long_past))
            .order_by_asc(entity::Column::CursorId)
            .limit(SWEPT_AT_ONCE)
            .into_tuple()
            .all(&app.db)
            .await?;
        let all = (cursors.len() as u64) < SWEPT_AT_ONCE;
        if !cursors.is_empty() {
            // By number: rows that are being written are not looked at.
            entity::Entity::delete_many()
                .filter(entity::Column::CursorId.is_in(cursors))
                .exec(&app.db)
                .await?;
        }
        if all {
            return Ok(());
        }
    }
}

/// A clock that is wrong by more than this and by more than tokens live is noticed before.
const A_DAY: i64 = 86_400;

/// Few enough that a page of the feed never waits long for the deletion.
const SWEPT_AT_ONCE: u64 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stickers: u64) -> Revocation {
        let stickers = (1..=stickers).map(|id| StickerId::new(id).unwrap()).collect();
        Revocation { cursor: 1, user: None, stickers, refuse_until: Expiry(1) }
    }

    #[test]
    fn a_page_ends_before_it_holds_too_many_stickers_and_has_at_least_one_entry() {
        assert_eq!(fitting(&[]), 0);
        assert_eq!(fitting(&[entry(40), entry(40)]), 2);
        assert_eq!(fitting(&[entry(199_960), entry(40), entry(1)]), 2);
        assert_eq!(fitting(&[entry(200_001), entry(1)]), 1);
    }
}
