//! Has a release checked by a child process with bounds of memory, computing and time, a few at the same time. A child that is killed,
//! runs out of memory or is late costs its release a finding, and nobody else anything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::inspect::{self, Line, Order, Wrong};
use crate::app::App;
use crate::config;
use crate::web::error::Error;

/// Checks under way, and those that wait.
#[derive(Debug)]
pub(crate) struct Turns {
    at_once: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// The right to check one release.
#[derive(Debug)]
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(settings: &config::Publishing) -> Self {
        let at_once = settings.checks_at_once as usize;
        let places = at_once.saturating_add(settings.checks_waiting as usize);
        Self { at_once: Arc::new(Semaphore::new(at_once)), places: Arc::new(Semaphore::new(places)) }
    }

    /// Waits for a turn, no longer than one check takes.
    ///
    /// # Errors
    /// 503 `too_many_checks`.
    pub(super) async fn turn(&self, settings: &config::Publishing) -> Result<Turn, Error> {
        let too_many = || {
            Error::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_checks",
                "too many releases are being checked",
            )
            .hint("publish again in a moment: what was uploaded stays")
            .retry_after(AFTER_OTHERS)
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_all_taken| too_many())?;
        let patience = Duration::from_secs(settings.check_seconds.into());
        let turn = tokio::time::timeout(patience, Arc::clone(&self.at_once).acquire_owned()).await;
        match turn {
            Ok(Ok(turn)) => Ok(Turn { _place: place, _turn: turn }),
            _ => Err(too_many()),
        }
    }
}

/// In seconds.
const AFTER_OTHERS: u32 = 10;

/// What a check told, in its order, with how it ended.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) lines: Vec<Line>,
}

/// Does what the order says in a child of the program that the configuration names, and here where it names none. The turn is
/// given back when the check has ended, also where nobody waits for it any more.
///
/// # Errors
/// 503 where the objects cannot be read, 500 where there is no child.
pub(super) async fn check(app: &App, order: Order, turn: Turn) -> Result<Told, Error> {
    let patience = Duration::from_secs(app.config.publishing.check_seconds.into());
    let program = app.config.publishing.program.clone();
    let (handle, stopping) = (tokio::runtime::Handle::current(), app.stopping.subscribe());
    let working = tokio::task::spawn_blocking(move || {
        let lines = if let Some(program) = program {
            in_child(&program, &order, patience, &stopping)
        } else {
            let mut lines = Vec::new();
            handle.block_on(inspect::run(&order, &mut |line| lines.push(line)));
            Ok(lines)
        };
        drop(turn);
        lines
    });
    let lines = working.await.map_err(|error| Error::internal(&error))?;
    let mut lines = lines.map_err(|error| Error::internal(&error))?;
    match lines.pop() {
        Some(Line::Done) => Ok(Told { lines }),
        Some(Line::Failed(why)) => {
            let failed = std::io::Error::other(why);
            let message = "the store failed; try again later";
            Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).because(&failed))
        }
        last => {
            lines.extend(last);
            Err(Error::internal(&std::io::Error::other("a check of a release told no end")))
        }
    }
}

/// The lines of a child; the last is always an end.
fn in_child(
    program: &Path,
    order: &Order,
    patience: Duration,
    stopping: &watch::Receiver<bool>,
) -> std::io::Result<Vec<Line>> {
    let mut until = Instant::now() + patience;
    let mut child = started(program)?;
    let writing = writes(&mut child, order)?;
    let lines = reads(&mut child);
    let (mut heard, mut is_stopping) = (Vec::new(), false);
    let late = loop {
        if !is_stopping && *stopping.borrow() {
            (is_stopping, until) = (true, until.min(Instant::now() + DRAIN));
        }
        match lines.recv_timeout(LOOK.min(until.saturating_duration_since(Instant::now()))) {
            Ok(line) => heard.push(line),
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(mpsc::RecvTimeoutError::Timeout) => break true,
            Err(mpsc::RecvTimeoutError::Disconnected) => break false,
        }
    };
    let is_over = matches!(heard.last(), Some(Line::Done | Line::Failed(_)));
    let killed = ended(&mut child, late || is_over, until)?;
    // The input was open until here: a child ends when it is closed, and so outlives no store.
    drop(writing.join());
    if is_over {
        return Ok(heard);
    }
    if late && is_stopping {
        heard.push(Line::Failed("the store stops".to_owned()));
        return Ok(heard);
    }
    if !late && !killed {
        return Err(std::io::Error::other("the process that checks releases ended without an answer"));
    }
    let at = heard.iter().rev().find_map(|line| match line {
        Line::Begins(at) => Some(*at),
        _ => None,
    });
    let message = if late { "its check takes too long" } else { "its check takes too much memory or time" };
    heard.push(Line::Found(at.unwrap_or_default(), Wrong::TooCostly, message.to_owned()));
    heard.push(Line::Done);
    Ok(heard)
}

/// How often it is looked whether the store stops.
const LOOK: Duration = Duration::from_millis(200);
/// Less than a server gives its requests, so that it waits for nothing more.
const DRAIN: Duration = Duration::from_secs(15);

/// Writes the order on a thread of its own, for a child that does not read; gives the open input back.
fn writes(child: &mut Child, order: &Order) -> std::io::Result<JoinHandle<Option<ChildStdin>>> {
    let mut order = serde_json::to_vec(order)?;
    order.push(b'\n');
    let mut input = child.stdin.take();
    Ok(std::thread::spawn(move || {
        if let Some(input) = &mut input {
            // A child that is gone says why by its end.
            let _ = input.write_all(&order);
        }
        input
    }))
}

/// What the child tells, until it ends or tells something else.
fn reads(child: &mut Child) -> mpsc::Receiver<Line> {
    let (told, lines) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(output.take(MOST_TOLD)).lines() {
                let line = line.ok().and_then(|line| serde_json::from_str::<Line>(&line).ok());
                if line.is_none_or(|line| told.send(line).is_err()) {
                    return;
                }
            }
        });
    }
    lines
}

/// A child that is not ended by what ends the store's terminal, and knows none of the store's secrets but the way to S3.
fn started(program: &Path) -> std::io::Result<Child> {
    let kept = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("STICKER_"));
    Command::new(program)
        .arg(COMMAND)
        .env_clear()
        .envs(kept)
        // Each thread's own part of the heap reserves addresses, which are bounded.
        .env("MALLOC_ARENA_MAX", "1")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
}

/// The hidden command.
pub(super) const COMMAND: &str = "check-release";
/// Bytes: more than the findings of the largest manifest.
const MOST_TOLD: u64 = 64 << 20;

/// Waits for the child's end, kills it where it is late, and says whether something killed it.
fn ended(child: &mut Child, now: bool, until: Instant) -> std::io::Result<bool> {
    while !now && Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(status.signal().is_some());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // It may have ended already.
    let _ = child.kill();
    Ok(child.wait()?.signal().is_some())
}
