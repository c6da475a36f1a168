//! Variants that are not stored: a release's masters and one density are, and the other sticker files and all bundles are made of them
//! when somebody asks, the same bytes as the packer built.
//!
//! A row of `variants` says so of each object that may be missing; what has none is stored. An object is let go of only after it was made
//! once here and came out as the manifest lists it, and what is made later is compared again before anybody gets it. Order makes every
//! step safe to be cut off anywhere: a row says that an object may be missing before it goes, and that it is kept before it comes.

mod entity;
mod keep;
mod migrate;
pub mod picture;
mod render;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
};
use sticker_packer::rerender::RENDERER;
use sticker_protocol::Sha256;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::config;
use crate::web::error::Error;
use entity::{State, variant};
pub use migrate::{Progress, Report, Sum, ask, ask_for, report, work};

/// What rendering needs in memory.
#[derive(Debug)]
pub struct Variants {
    /// Renders under way, each on all cores.
    at_once: Arc<Semaphore>,
    /// Those and the ones that wait.
    places: Arc<Semaphore>,
    /// Rendered objects that were read from where objects are since the last look, so that they are not taken for unused.
    used: Mutex<HashSet<Sha256>>,
    pictures: picture::Pictures,
}

impl Variants {
    pub(crate) fn new(settings: &config::Delivery) -> Self {
        let at_once = settings.renders_at_once as usize;
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once.saturating_add(settings.renders_waiting as usize))),
            used: Mutex::default(),
            pictures: picture::Pictures::new(),
        }
    }
}

/// The object that has this hash, made of its master and kept; `None` where the hash is of nothing that is made.
///
/// # Errors
/// 503 `too_many_renders` where others wait already, 503 `not_rendered` where something else comes out than the manifest lists.
pub async fn rendered(app: &App, hash: Sha256) -> Result<Option<Vec<u8>>, Error> {
    let Some(row) = variant::Entity::find_by_id(hash.to_string()).one(&app.db).await? else {
        return Ok(None);
    };
    if State::parse(&row.state) == Some(State::Kept) {
        return Ok(None);
    }
    let Some(release) = render::release(app, &row.release_id).await? else { return Ok(None) };
    let Some(file) = release.files.iter().find(|file| file.sha256 == hash) else { return Ok(None) };
    let content = render::file(app, &release, file).await?;
    keep::keep(app, hash, &content).await?;
    Ok(Some(content))
}

/// Takes a damaged object away that is made again when somebody asks; `false` where it is not made, and has to be put back.
///
/// # Errors
/// As the database or the objects say.
pub async fn heal(app: &App, hash: Sha256) -> Result<bool, Error> {
    let row = variant::Entity::find_by_id(hash.to_string()).one(&app.db).await?;
    let Some(row) = row.filter(|row| State::parse(&row.state) != Some(State::Kept)) else { return Ok(false) };
    keep::let_go(app, &row).await?;
    tracing::warn!(object.hash = %hash, "a variant was damaged; it is made again");
    Ok(true)
}

/// Notes that an object was read from where objects are: of those that are rendered the least recently used go first.
pub fn used(app: &App, hash: Sha256) {
    let mut used = app.variants.used.lock().unwrap_or_else(PoisonError::into_inner);
    // More than are kept in most stores; what is beyond may be rendered once more.
    if used.len() < USED {
        used.insert(hash);
    }
}

const USED: usize = 100_000;

/// Writes down what this process used.
///
/// # Errors
/// As the database says; what was not written is forgotten.
pub async fn note_used(app: &App) -> Result<(), Error> {
    keep::note_used(app).await
}

/// What comes round: releases that are to be brought into a mode, and what was rendered and is beyond the bound.
///
/// # Errors
/// [`Error`]; the rest is done the next time.
pub async fn round(app: &App) -> Result<(), Error> {
    keep::round(app).await?;
    migrate::work(app, &|_, _| {}).await.map(drop)
}

/// Those of these objects that need not be there, since they are made when somebody asks, each with a published release that lists it.
///
/// # Errors
/// As the database says.
pub async fn may_be_missing(
    db: &impl ConnectionTrait,
    hashes: &[Sha256],
) -> Result<HashMap<Sha256, String>, DbErr> {
    let mut found = HashMap::new();
    for some in hashes.chunks(500) {
        let rows = variant::Entity::find()
            .filter(variant::Column::Hash.is_in(some.iter().map(Sha256::to_string)))
            .filter(variant::Column::State.ne(State::Kept.name()))
            .all(db)
            .await?;
        found.extend(rows.into_iter().filter_map(|row| Some((row.hash.parse().ok()?, row.release_id))));
    }
    Ok(found)
}

/// How many objects are let go of that another version of the packer made when it was proven that they can be made.
///
/// # Errors
/// As the database says.
pub async fn of_another_renderer(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    variant::Entity::find()
        .filter(variant::Column::State.ne(State::Kept.name()))
        .filter(variant::Column::Renderer.ne(RENDERER))
        .count(db)
        .await
}
