//! What comes round: sweeps and the like, each done by one of the processes at a time.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, Set};

use super::DRAIN;
use crate::app::App;
use crate::audit;
use crate::config::Config;
use crate::db;
use crate::outbox;
use crate::purchase::{apple, google};
use crate::signing;
use crate::variants;
use crate::web::error::Error;

/// Something that is done again and again.
pub struct Round {
    name: &'static str,
    every: Duration,
    work: Box<dyn Fn(App) -> Working + Send + Sync>,
}

type Working = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

/// Something that is done this often, by whichever process comes first, and for the first time at once. What fails is tried again after a
/// minute; what takes longer than nine minutes is broken off, which counts as a failure. It may be done twice: by a process that died
/// in the middle, and by another.
pub fn every<F>(name: &'static str, every: Duration, work: impl Fn(App) -> F + Send + Sync + 'static) -> Round
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Round { name, every, work: Box::new(move |app| Box::pin(work(app))) }
}

/// Everything that comes round in a store.
pub fn usual(config: &Config) -> Vec<Round> {
    let of_apple = Duration::from_secs(config.purchase.apple.sweep_seconds.into());
    let of_google = Duration::from_secs(config.purchase.google.sweep_seconds.into());
    vec![
        every("apple_sweep", of_apple, |app| async move { apple::sweep::round(&app).await }),
        every("google_sweep", of_google, |app| async move { google::sweep::round(&app).await }),
        every("outbox_sweep", AN_HOUR, |app| async move { outbox::operate::sweep(&app).await }),
        every("variants", A_MINUTE, |app| async move { variants::round(&app).await }),
        every("signatures", A_MINUTE, |app| async move { signing::due::round(&app).await.map(drop) }),
        every("audit_head", AN_HOUR, |app| async move { audit::tell_head(&app).await }),
    ]
}

const A_MINUTE: Duration = Duration::from_mins(1);
const AN_HOUR: Duration = Duration::from_hours(1);

/// Does a round whenever it is due, until the store stops.
pub(super) async fn come_round(app: App, round: Round) {
    let (mut stopping, mut failing) = (app.stopping.subscribe(), false);
    while !*stopping.borrow() {
        let turned = turn(&app, &round).await;
        let was_failing = std::mem::replace(&mut failing, turned.is_err());
        if let Err(error) = turned
            && !was_failing
        {
            let cause = error.cause().unwrap_or(error.message());
            tracing::warn!(
                round.name = round.name,
                error.code = error.code(),
                error.source = cause,
                "a round failed; trying on"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.wait_for(|&stopping| stopping) => {}
        }
    }
}

/// How often a process looks whether something is due.
const LOOK: Duration = Duration::from_secs(2);

/// Does the round where it is due and no other process is doing it; says whether it did.
///
/// # Errors
/// What the work said, or the database.
pub async fn turn(app: &App, round: &Round) -> Result<bool, Error> {
    let Some(claim) = claimed(app, round).await? else { return Ok(false) };
    let began = app.clock.now_ms();
    let mut working = tokio::task::JoinSet::new();
    working.spawn((round.work)(App::clone(app)));
    let done = tokio::select! {
        done = working.join_next() => match done {
            Some(Ok(done)) => done,
            _ => Err(failed("the work came to no end; the log has more")),
        },
        () = tokio::time::sleep(TIME_LIMIT) => Err(failed("it took longer than nine minutes")),
        () = stopped_for(app, DRAIN) => Err(failed("the store stops")),
    };
    let pause = if done.is_ok() { round.every } else { round.every.min(AFTER_FAILURE) };
    let next_at = began.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
    db::retried(|| put_away(app, round, &claim, next_at)).await?;
    done.map(|()| true)
}

/// The name of our claim, where the round is due and now ours.
async fn claimed(app: &App, round: &Round) -> Result<Option<String>, Error> {
    let now = app.clock.now_ms();
    let found = entity::Entity::find_by_id(round.name).one(&app.db).await?;
    match found {
        Some(row) if row.claimed_until.is_some_and(|until| until > now) => return Ok(None),
        // Further away than it can be: a clock was put back, or the interval was made shorter.
        Some(row) if row.next_at > now && row.next_at.saturating_sub(now) <= millis(round.every) => {
            return Ok(None);
        }
        Some(_) => {}
        None => {
            let new = entity::ActiveModel {
                name: Set(round.name.to_owned()),
                next_at: Set(now),
                claimed_by: Set(None),
                claimed_until: Set(None),
            };
            let once =
                OnConflict::column(entity::Column::Name).do_nothing_on([entity::Column::Name]).to_owned();
            entity::Entity::insert(new).on_conflict(once).exec_without_returning(&app.db).await?;
        }
    }
    let claim = app.random.uuid()?.to_string();
    db::retried(|| async {
        let (now, last) = (app.clock.now_ms(), millis(round.every));
        let free = Condition::any()
            .add(entity::Column::ClaimedUntil.is_null())
            .add(entity::Column::ClaimedUntil.lte(now));
        let due = Condition::any()
            .add(entity::Column::NextAt.lte(now))
            .add(entity::Column::NextAt.gt(now.saturating_add(last)));
        let ours = entity::Entity::update_many()
            .col_expr(entity::Column::ClaimedBy, Expr::value(claim.as_str()))
            .col_expr(entity::Column::ClaimedUntil, Expr::value(now.saturating_add(millis(LEASE))))
            .filter(entity::Column::Name.eq(round.name))
            .filter(free)
            .filter(due);
        let claimed = ours.exec(&app.db).await?.rows_affected == 1;
        Ok(claimed.then(|| claim.clone()))
    })
    .await
}

async fn put_away(app: &App, round: &Round, claim: &str, next_at: i64) -> Result<(), Error> {
    entity::Entity::update_many()
        .col_expr(entity::Column::NextAt, Expr::value(next_at))
        .col_expr(entity::Column::ClaimedBy, Expr::value(Option::<String>::None))
        .col_expr(entity::Column::ClaimedUntil, Expr::value(Option::<i64>::None))
        .filter(entity::Column::Name.eq(round.name))
        .filter(entity::Column::ClaimedBy.eq(claim))
        .exec(&app.db)
        .await?;
    Ok(())
}

/// Longer than [`TIME_LIMIT`], so that no two processes do the same as long as their clocks agree to a minute.
const LEASE: Duration = Duration::from_mins(10);
const TIME_LIMIT: Duration = Duration::from_mins(9);
const AFTER_FAILURE: Duration = Duration::from_mins(1);

async fn stopped_for(app: &App, long: Duration) {
    // The sender lives as long as the store.
    let _ = app.stopping.subscribe().wait_for(|&stopping| stopping).await;
    tokio::time::sleep(long).await;
}

fn failed(what: &'static str) -> Error {
    Error::internal(&std::io::Error::other(what))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rounds")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) name: String,
        pub(super) next_at: i64,
        pub(super) claimed_by: Option<String>,
        pub(super) claimed_until: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
