//! From one mode to the other, one release at a time. Whatever a process does here, another may do at the same time or after it died.

mod release;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use std::collections::BTreeMap;
use sticker_protocol::Sha256;
use sticker_protocol::release::Manifest;

use super::entity::{State, step, variant};
use super::render;
use crate::app::App;
use crate::catalogue::entity::release as catalogued;
use crate::config::Variants as Mode;
use crate::db;
use crate::web::error::Error;

/// Told after each release: how many are done, of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

/// What the catalogue's objects come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the published releases list, each object once: what is stored when all are prebuilt.
    pub listed: Sum,
    /// What of it is stored; with what was rendered and is kept for a while.
    pub stored: Sum,
    /// What is made when somebody asks.
    pub saved: Sum,
    /// What stays stored because it does not come out again as it is.
    pub not_reproducible: Sum,
    /// What was rendered and is kept for a while.
    pub rendered: Sum,
    /// Variants that could not be made when they were to be stored again, or that this version of the packer makes otherwise.
    pub failed: u64,
}

/// Has every published release brought into a mode. Where that is under way it goes on; where it was done before it is looked at again.
/// Gives how many releases there are.
///
/// # Errors
/// [`Error`]; asking again is safe.
pub async fn ask(app: &App, to: Mode) -> Result<u64, Error> {
    let under_way = step::Entity::find().filter(waiting()).filter(step::Column::Target.eq(to.name()));
    let under_way = under_way.count(&app.db).await? > 0;
    let published: Vec<String> = catalogued::Entity::find()
        .select_only()
        .column(catalogued::Column::Id)
        .filter(catalogued::Column::PublishedAt.is_not_null())
        .order_by_asc(catalogued::Column::Id)
        .into_tuple()
        .all(&app.db)
        .await?;
    if !under_way {
        db::retried(|| async {
            let again = step::Entity::update_many()
                .col_expr(step::Column::Target, Expr::value(to.name()))
                .col_expr(step::Column::ClaimedUntil, Expr::value(Option::<i64>::None))
                .col_expr(step::Column::DoneAt, Expr::value(Option::<i64>::None));
            again.exec(&app.db).await?;
            Ok(())
        })
        .await?;
    }
    for release in &published {
        ask_for(&app.db, release, to).await?;
    }
    Ok(published.len() as u64)
}

/// Has one release brought into a mode, once; inside the transaction that publishes it where there is one.
///
/// # Errors
/// As the database says.
pub async fn ask_for(db: &impl ConnectionTrait, release: &str, to: Mode) -> Result<(), Error> {
    let row = step::ActiveModel {
        release_id: Set(release.to_owned()),
        target: Set(to.name().to_owned()),
        claimed_by: Set(None),
        claimed_until: Set(None),
        done_at: Set(None),
    };
    let once =
        OnConflict::column(step::Column::ReleaseId).do_nothing_on([step::Column::ReleaseId]).to_owned();
    step::Entity::insert(row).on_conflict(once).exec_without_returning(db).await?;
    Ok(())
}

/// Does what was asked for until nothing is left of it; gives how many variants could not be made.
///
/// # Errors
/// [`Error`]; what was done is done, and the rest is done by whoever works next.
pub async fn work(app: &App, progress: Progress<'_>) -> Result<u64, Error> {
    let mut failed = 0;
    while let Some((id, to)) = claim(app).await? {
        let Some(manifest) = render::release(app, &id).await? else {
            step::Entity::delete_by_id(id).exec(&app.db).await?;
            continue;
        };
        failed += match to {
            Mode::OnDemand => release::to_on_demand(app, &id, &manifest).await?,
            Mode::Prebuilt => release::to_prebuilt(app, &manifest).await?,
        };
        let done = step::Entity::update_many()
            .col_expr(step::Column::DoneAt, Expr::value(app.clock.now_ms()))
            .filter(step::Column::ReleaseId.eq(id.as_str()))
            .filter(step::Column::Target.eq(to.name()));
        done.exec(&app.db).await?;
        let all = step::Entity::find().count(&app.db).await?;
        progress(all - step::Entity::find().filter(waiting()).count(&app.db).await?, all);
    }
    Ok(failed)
}

fn waiting() -> Condition {
    Condition::all().add(step::Column::DoneAt.is_null())
}

/// A release to work on: one that nobody has, else one that somebody else has, since the last may have died, and twice is as good as once.
async fn claim(app: &App) -> Result<Option<(String, Mode)>, Error> {
    let ours = app.random.uuid()?.to_string();
    loop {
        let now = app.clock.now_ms();
        let free = Condition::any()
            .add(step::Column::ClaimedUntil.is_null())
            .add(step::Column::ClaimedUntil.lte(now));
        let found = step::Entity::find().filter(waiting()).filter(free).order_by_asc(step::Column::ReleaseId);
        let Some(row) = found.one(&app.db).await? else { break };
        let taken = step::Entity::update_many()
            .col_expr(step::Column::ClaimedBy, Expr::value(ours.as_str()))
            .col_expr(step::Column::ClaimedUntil, Expr::value(now.saturating_add(LEASE_MS)))
            .filter(step::Column::ReleaseId.eq(row.release_id.as_str()))
            .filter(waiting())
            .filter(match row.claimed_until {
                None => step::Column::ClaimedUntil.is_null(),
                Some(until) => step::Column::ClaimedUntil.eq(until),
            });
        if taken.exec(&app.db).await?.rows_affected == 1 {
            return Ok(Mode::parse(&row.target).map(|to| (row.release_id, to)));
        }
    }
    let others = step::Entity::find().filter(waiting()).order_by_asc(step::Column::ClaimedUntil);
    let row = others.one(&app.db).await?;
    Ok(row.and_then(|row| Mode::parse(&row.target).map(|to| (row.release_id, to))))
}

/// A large animated pack takes minutes.
const LEASE_MS: i64 = 600_000;

/// What the catalogue's objects come to at this moment.
///
/// # Errors
/// As the database says.
pub async fn report(app: &App) -> Result<Report, Error> {
    let mut listed: BTreeMap<Sha256, u64> = BTreeMap::new();
    let mut last = String::new();
    loop {
        let some = catalogued::Entity::find()
            .filter(catalogued::Column::PublishedAt.is_not_null())
            .filter(catalogued::Column::Id.gt(last.as_str()))
            .order_by_asc(catalogued::Column::Id)
            .limit(AT_ONCE)
            .all(&app.db)
            .await?;
        let Some(end) = some.last() else { break };
        last.clone_from(&end.id);
        for row in &some {
            let manifest = Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?;
            listed.extend(manifest.files.iter().map(|file| (file.sha256, file.size)));
        }
    }
    let mut report = Report::default();
    let mut states: BTreeMap<Sha256, State> = BTreeMap::new();
    for row in variant::Entity::find().all(&app.db).await? {
        if let (Ok(hash), Some(state)) = (row.hash.parse(), State::parse(&row.state)) {
            states.insert(hash, state);
        }
    }
    for (hash, bytes) in listed {
        report.listed.add(bytes);
        match states.get(&hash) {
            Some(State::Absent) => report.saved.add(bytes),
            state => {
                report.stored.add(bytes);
                match state {
                    Some(State::Kept) => report.not_reproducible.add(bytes),
                    Some(State::Rendered) => report.rendered.add(bytes),
                    _ => {}
                }
            }
        }
    }
    Ok(report)
}

const AT_ONCE: u64 = 20;
