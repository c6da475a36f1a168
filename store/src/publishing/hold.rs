//! A release that is being published holds its objects.
//!
//! The check may find an object where it stands, and rely on it, long before the transaction that shows the release; a removal may have
//! found the same object named by no release. So each first writes down what it is about to do, in a transaction that counts
//! [`Counter::Objects`] and so waits for every other such transaction: whoever comes second sees what the first wrote. A removal leaves
//! out what a held release names, and a release waits until what it names is removed, and then counts it as missing.
//!
//! Both end by themselves, where a process dies: a hold some time after the longest check, a removal after [`gc::LEASE_MS`]. A release
//! is shown only well before its hold ends, and an object is removed only well before its removal does.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, Set};
use sticker_protocol::Sha256;
use sticker_protocol::release::Manifest;

use super::entity::{hold, removal};
use super::gc;
use crate::app::App;
use crate::db::{self, Counter};
use crate::web::error::Error;

/// Has everything stay that a release names, until it is shown or some time has passed.
///
/// # Errors
/// 503 `objects_going` where some of it has been going for long.
pub(super) async fn take(app: &App, id: &str, manifest: &Manifest) -> Result<(), Error> {
    let hashes: BTreeSet<Sha256> = manifest.files.iter().map(|file| file.sha256).collect();
    for _ in 0..LOOKS {
        if db::retried(|| try_take(app, id, &hashes)).await? {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    let message = "objects of the release are being removed";
    Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "objects_going", message)
        .hint("publish again in a moment")
        .retry_after(5))
}

async fn try_take(app: &App, id: &str, hashes: &BTreeSet<Sha256>) -> Result<bool, Error> {
    let transaction = db::begin(&app.db).await?;
    db::count_up(&transaction, Counter::Objects).await?;
    let now = app.clock.now_ms();
    let going =
        removal::Entity::find().filter(removal::Column::RemovedUntil.gt(now)).all(&transaction).await?;
    if going.iter().filter_map(|row| row.hash.parse().ok()).any(|hash| hashes.contains(&hash)) {
        return Ok(false);
    }
    let lasts = i64::from(app.config.publishing.check_seconds) * 1_000 + MORE_MS;
    let row =
        hold::ActiveModel { release_id: Set(id.to_owned()), held_until: Set(now.saturating_add(lasts)) };
    let longer =
        OnConflict::column(hold::Column::ReleaseId).update_column(hold::Column::HeldUntil).to_owned();
    hold::Entity::insert(row).on_conflict(longer).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Makes sure, in the transaction that shows a release, that it has held its objects all the time, and then lets go of them: from the
/// commit on the release itself names them.
///
/// # Errors
/// 503 `busy` where it took too long: whoever publishes again goes on where this ended.
pub(super) async fn ends(transaction: &impl ConnectionTrait, id: &str, now: i64) -> Result<(), Error> {
    let held = hold::Entity::delete_many()
        .filter(hold::Column::ReleaseId.eq(id))
        .filter(hold::Column::HeldUntil.gt(now.saturating_add(MARGIN_MS)));
    if held.exec(transaction).await?.rows_affected == 1 {
        return Ok(());
    }
    Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "took_too_long", "the check took too long; try again"))
}

/// Beyond the longest check: for the transaction that shows the release, and clocks that differ.
const MORE_MS: i64 = 20 * 60_000;
/// What has to be left of a hold for a transaction that may wait for others, and clocks that differ.
const MARGIN_MS: i64 = 10 * 60_000;
/// A removal does some hundred objects in seconds.
const LOOKS: u32 = 100;
const LOOK: Duration = Duration::from_millis(200);
const _: () = assert!(MARGIN_MS < MORE_MS && gc::LEASE_MS > gc::MARGIN_MS);
