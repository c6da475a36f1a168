//! What no release names is removed: objects of releases that were never shown, and uploads that nobody came back to.
//!
//! What is young stays, whoever names it. The rest is claimed some at a time, in a transaction that waits for whoever begins to publish
//! (`hold.rs` says how each sees the other), looked at once more there, and removed only after it has committed.

use std::time::Duration;

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde_json::json;
use sticker_protocol::Sha256;

use super::entity::removal;
use super::named::Named;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db::{self, Counter};
use crate::objects::{Name, ObjectError, Stored};
use crate::variants::Sum;
use crate::web::error::Error;

/// What was found, and what of it was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that stands where objects are.
    pub stored: Sum,
    /// Objects that no release names.
    pub objects: Sum,
    /// Uploads that were not published, and files that were not written to their end.
    pub uploads: Sum,
}

/// Removes what no release names and is older than `grace_ms`; only counts it where `dry_run`. Others may publish meanwhile, and others
/// may remove.
///
/// # Errors
/// [`Error`]; what was removed until then is in the trace.
pub async fn collect(app: &App, actor: Actor<'_>, grace_ms: i64, dry_run: bool) -> Result<Report, Error> {
    let before = app.clock.now_ms().saturating_sub(grace_ms);
    let mut named = Named::since(before);
    named.catch_up(&app.db, app.clock.now_ms()).await?;
    let (mut report, mut objects, mut uploads) = (Report::default(), Vec::new(), Vec::new());
    let mut sort = |it: Stored| {
        report.stored.add(it.bytes);
        match it.name {
            _ if it.written_at > before => {}
            Name::Object(hash) if named.has(&hash) => {}
            Name::Object(hash) => objects.push((hash, it.bytes)),
            Name::Incoming(..) | Name::Unfinished(_) => uploads.push(it),
        }
    };
    app.objects.list(&mut sort).await?;
    if dry_run {
        for (_, bytes) in objects {
            report.objects.add(bytes);
        }
        for upload in uploads {
            report.uploads.add(upload.bytes);
        }
        return Ok(report);
    }
    let removed = remove(app, &mut named, &objects, &uploads, &mut report).await;
    if report.objects.objects + report.uploads.objects > 0 {
        note(app, actor, grace_ms, &report).await?;
    }
    removed.map(|()| report)
}

async fn remove(
    app: &App,
    named: &mut Named,
    objects: &[(Sha256, u64)],
    uploads: &[Stored],
    report: &mut Report,
) -> Result<(), Error> {
    let us = app.random.uuid()?.to_string();
    for some in objects.chunks(AT_ONCE) {
        let (claimed, until) = claim(app, named, &us, some).await?;
        for (hash, bytes) in claimed {
            if app.clock.now_ms() > until.saturating_sub(MARGIN_MS) {
                // From here on others may take it for settled. The next one to look finds the rest.
                break;
            }
            let removed = tokio::time::timeout(REMOVED, app.objects.remove(hash)).await;
            removed.map_err(|late| Error::from(ObjectError::S3(late.into())))??;
            report.objects.add(bytes);
        }
        removal::Entity::delete_many()
            .filter(removal::Column::RemovedBy.eq(us.as_str()))
            .exec(&app.db)
            .await?;
    }
    for upload in uploads {
        app.objects.take_away(&upload.name).await?;
        report.uploads.add(upload.bytes);
    }
    Ok(())
}

/// Those that nobody has begun to rely on, and nobody else removes: whoever publishes from here on waits until they are gone.
async fn claim(
    app: &App,
    named: &mut Named,
    us: &str,
    some: &[(Sha256, u64)],
) -> Result<(Vec<(Sha256, u64)>, i64), Error> {
    let mut attempted = 0;
    loop {
        match try_claim(app, named, us, some).await {
            Err(error) if error.code() == db::BUSY && attempted < ATTEMPTS => attempted += 1,
            done => return done,
        }
    }
}

async fn try_claim(
    app: &App,
    named: &mut Named,
    us: &str,
    some: &[(Sha256, u64)],
) -> Result<(Vec<(Sha256, u64)>, i64), Error> {
    let transaction = db::begin(&app.db).await?;
    db::count_up(&transaction, Counter::Objects).await?;
    let now = app.clock.now_ms();
    named.catch_up(&transaction, now).await?;
    removal::Entity::delete_many().filter(removal::Column::RemovedUntil.lte(now)).exec(&transaction).await?;
    let others = removal::Entity::find().all(&transaction).await?;
    let others: Vec<Sha256> = others.iter().filter_map(|row| row.hash.parse().ok()).collect();
    let is_free = |(hash, _): &&(Sha256, u64)| !named.has(hash) && !others.contains(hash);
    let claimed: Vec<(Sha256, u64)> = some.iter().filter(is_free).copied().collect();
    let until = now.saturating_add(LEASE_MS);
    let rows = claimed.iter().map(|(hash, _)| removal::ActiveModel {
        hash: Set(hash.to_string()),
        removed_by: Set(us.to_owned()),
        removed_until: Set(until),
    });
    if !claimed.is_empty() {
        removal::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await?;
    Ok((claimed, until))
}

/// One row for all of it.
async fn note(app: &App, actor: Actor<'_>, grace_ms: i64, report: &Report) -> Result<(), Error> {
    let sum = |sum: Sum| json!({ "count": sum.objects, "bytes": sum.bytes });
    let detail = json!({
        "objects": sum(report.objects), "uploads": sum(report.uploads), "grace_hours": grace_ms / 3_600_000,
    });
    db::retried(|| async {
        let transaction = db::begin(&app.db).await?;
        audit::note(app, &transaction, actor.0, "objects_gc", "objects", &detail).await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}

/// So few that they are gone in seconds: whoever publishes waits for them.
const AT_ONCE: usize = 200;
const ATTEMPTS: u32 = 20;
/// How long a claim is good for.
pub(super) const LEASE_MS: i64 = 5 * 60_000;
/// What has to be left of it for a removal that is slow, and clocks that differ.
pub(super) const MARGIN_MS: i64 = 2 * 60_000;
/// How long one removal may take: less than what is left of the claim when it begins.
const REMOVED: Duration = Duration::from_mins(1);
