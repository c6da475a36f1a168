//! What the store has to tell others: written in the transaction that makes it true, done after it is committed, again and again until
//! the other side has taken it. A job may be done twice (a worker that dies does not say how far it was), so that its target has to take
//! the same twice as once.

mod backoff;
mod entity;
pub mod operate;
pub mod run;
mod work;

use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait as _, Set};
use serde_json::Value;

use crate::app::App;
use crate::web::error::Error;
pub(crate) use work::{Claimed, claim, let_go, run as run_claimed};
pub use work::{TIME_LIMIT, work_once};

/// What a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tells Google that a purchase was granted: what nobody acknowledges within three days is refunded.
    GoogleAcknowledge,
    /// Tells Google that a purchase may be bought again.
    GoogleConsume,
    /// Answers Apple's question what became of a purchase whose buyer wants the money back.
    AppleConsumption,
}

impl Kind {
    const ALL: [Self; 3] = [Self::GoogleAcknowledge, Self::GoogleConsume, Self::AppleConsumption];

    /// The name in rows and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GoogleAcknowledge => "google_acknowledge",
            Self::GoogleConsume => "google_consume",
            Self::AppleConsumption => "apple_consumption",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something to be done once a transaction is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What it is.
    pub kind: Kind,
    /// 1 to 200 visible ASCII characters, such as an order's id: of each kind there is one job with a key, until thirty days after it was
    /// done.
    pub key: String,
    /// What its handler needs to know. It is shown to nobody.
    pub payload: Value,
}

/// Puts a job into the outbox, inside the transaction that makes it necessary. One of this kind with this key that is there already,
/// whatever became of it, stays as it is.
///
/// Among the locks of a transaction it comes where [`audit`](crate::audit) says: after what was asked for, before the trace.
///
/// # Errors
/// As the database says.
pub async fn put(app: &App, transaction: &impl ConnectionTrait, job: &Job) -> Result<(), Error> {
    let now = app.clock.now_ms();
    let row = entity::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        kind: Set(job.kind.name().to_owned()),
        job_key: Set(job.key.clone()),
        payload: Set(job.payload.to_string()),
        state: Set(State::Waiting.name().to_owned()),
        attempts: Set(0),
        next_at: Set(now),
        claimed_by: Set(None),
        claimed_until: Set(None),
        last_error: Set(None),
        created_at: Set(now),
        done_at: Set(None),
    };
    let mut once = OnConflict::columns([entity::Column::Kind, entity::Column::JobKey]);
    // A duplicate that the database reports would end the transaction on PostgreSQL.
    let written =
        entity::Entity::insert(row).on_conflict(once.do_nothing_on([entity::Column::Id]).to_owned());
    written.exec_without_returning(transaction).await?;
    Ok(())
}

/// Why a job was not done. The reason is for operators and logs: no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may be done later.
    Retry {
        /// Not before this long, where the other side said so (`Retry-After`).
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// It will never be done: the other side refused it for good.
    Refused {
        /// What the other side said.
        reason: String,
    },
}

impl Failure {
    /// To be tried again after the usual pause.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, reason: reason.into() }
    }

    /// Not to be tried again.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

/// What is not the other side's last word is worth another try.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = format!("{}: {error}", error.code());
        if error.is_fault() {
            let after = error.try_again_after().map(|seconds| Duration::from_secs(seconds.into()));
            return Self::Retry { after, reason };
        }
        Self::Refused { reason }
    }
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be done, or being done.
    Waiting,
    /// The other side has it.
    Done,
    /// It was refused for good, or tried too often: an operator decides.
    Dead,
}

impl State {
    const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Dead];

    /// The name in rows and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_fault_is_tried_again_after_the_pause_that_it_asks_for_and_a_refusal_is_not() {
        let away = || Error::new(StatusCode::SERVICE_UNAVAILABLE, "provider_away", "it is away");
        let retry = |after| Failure::Retry { after, reason: "provider_away: it is away".to_owned() };
        assert_eq!(Failure::from(away()), retry(None));
        assert_eq!(Failure::from(away().retry_after(90)), retry(Some(Duration::from_secs(90))));
        let refused = Error::refused("invalid_job", "no token");
        assert_eq!(Failure::from(refused), Failure::refused("invalid_job: no token"));
    }
}
