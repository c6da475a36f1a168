//! What is done beside requests: the jobs of the outbox, and what comes round. It runs inside `serve`, or alone as `sticker-store worker`,
//! in as many processes as there are.

pub mod rounds;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};

use crate::app::App;
use crate::outbox::run::{Handlers, Providers};
use crate::outbox::{self, Claimed};
use rounds::Round;

/// Does the store's jobs and rounds until the store stops, then finishes what is under way.
pub async fn work(app: App) {
    let rounds = rounds::usual(&app.config);
    work_with(app, Arc::new(Providers), rounds).await;
}

/// The same with these handlers and rounds. What is under way when the store stops is finished, for at most 15 s; what is not
/// finished then is let go of, for another process to do.
pub async fn work_with(app: App, handlers: Arc<dyn Handlers>, rounds: Vec<Round>) {
    let mut turning = JoinSet::new();
    for round in rounds {
        turning.spawn(rounds::come_round(App::clone(&app), round));
    }
    do_jobs(&app, handlers).await;
    while turning.join_next().await.is_some() {}
}

/// Less than a server gives its requests, so that it waits for nothing more.
const DRAIN: Duration = Duration::from_secs(15);

async fn do_jobs(app: &App, handlers: Arc<dyn Handlers>) {
    let poll = Duration::from_millis(app.config.worker.poll_milliseconds.into());
    let concurrency = app.config.worker.concurrency as usize;
    let mut stopping = app.stopping.subscribe();
    let (mut running, mut under_way, mut failing) = (JoinSet::new(), HashMap::<Id, Claimed>::new(), false);
    while !*stopping.borrow() {
        match claimed(app, concurrency - running.len(), &mut failing).await {
            jobs if *stopping.borrow() => {
                let_go(app, &jobs).await;
                break;
            }
            jobs => {
                for job in jobs {
                    let doing = outbox::run_claimed(App::clone(app), Arc::clone(&handlers), job.clone());
                    under_way.insert(running.spawn(doing).id(), job);
                }
            }
        }
        tokio::select! {
            Some(done) = running.join_next_with_id() => {
                under_way.remove(&done.map_or_else(|failed| failed.id(), |(id, ())| id));
            }
            () = tokio::time::sleep(poll) => {}
            _ = stopping.wait_for(|&stopping| stopping) => {}
        }
    }
    let finished = async {
        while let Some(done) = running.join_next_with_id().await {
            under_way.remove(&done.map_or_else(|failed| failed.id(), |(id, ())| id));
        }
    };
    if tokio::time::timeout(DRAIN, finished).await.is_err() {
        running.shutdown().await;
        let left: Vec<Claimed> = under_way.into_values().collect();
        tracing::warn!(jobs = left.len(), "jobs were not finished in time; another process does them");
        let_go(app, &left).await;
    }
}

/// Jobs that are due, at most so many. What goes wrong is logged once until it goes well again.
async fn claimed(app: &App, at_most: usize, failing: &mut bool) -> Vec<Claimed> {
    if at_most == 0 {
        return Vec::new();
    }
    let claimed = outbox::claim(app, u64::try_from(at_most).unwrap_or(u64::MAX)).await;
    let was_failing = std::mem::replace(failing, claimed.is_err());
    claimed.unwrap_or_else(|error| {
        if !was_failing {
            let cause = error.cause().unwrap_or_default();
            tracing::warn!(
                error.code = error.code(),
                error.source = cause,
                "the outbox cannot be read; trying on"
            );
        }
        Vec::new()
    })
}

async fn let_go(app: &App, jobs: &[Claimed]) {
    if let Err(error) = outbox::let_go(app, jobs).await {
        tracing::warn!(error.source = %error, "jobs are let go of only when their claims end");
    }
}

/// Keeps the metrics of the outbox fresh, for ever, in every process that shows metrics.
pub async fn keep_measuring(app: App) {
    loop {
        // Where the database is away, the metrics of other things say so.
        let _ = tokio::time::timeout(MEASURED, outbox::operate::measure(&app)).await;
        tokio::time::sleep(MEASURED).await;
    }
}

const MEASURED: Duration = Duration::from_secs(15);
