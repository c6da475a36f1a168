//! Finding packs, and the releases that they show.

use std::sync::Arc;

use sea_orm::sea_query::LikeExpr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use sticker_protocol::release::{Manifest, ReleaseFile};
use sticker_protocol::{PackId, StickerId};

use super::entity::{pack, release, sticker};
use crate::app::App;
use crate::web::error::Error;

/// A pack with the release that it shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The pack's id.
    pub id: PackId,
    /// The pack's tier, whose price the configuration says.
    pub price_tier: String,
    /// The release.
    pub release: Arc<Manifest>,
}

/// Packs on one page of a list.
const LIST: u64 = 60;

/// The newest packs.
///
/// # Errors
/// [`Error`].
pub async fn newest(app: &App) -> Result<Vec<Shown>, Error> {
    let rows = pack::Entity::find().order_by_desc(pack::Column::PublishedAt).order_by_asc(pack::Column::Id);
    all_shown(app, rows.limit(LIST).all(&app.db).await?).await
}

/// Packs whose titles, tags, artist or slug contain every word.
///
/// # Errors
/// [`Error`].
pub async fn search(app: &App, words: &str) -> Result<Vec<Shown>, Error> {
    let mut rows =
        pack::Entity::find().order_by_desc(pack::Column::PublishedAt).order_by_asc(pack::Column::Id);
    for word in words.to_lowercase().split_whitespace().take(8) {
        let escaped = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        rows = rows.filter(pack::Column::Words.like(LikeExpr::new(format!("%{escaped}%")).escape('!')));
    }
    all_shown(app, rows.limit(LIST).all(&app.db).await?).await
}

/// The packs of an artist, newest first.
///
/// # Errors
/// [`Error`].
pub async fn of_artist(app: &App, slug: &str) -> Result<Vec<Shown>, Error> {
    let rows = pack::Entity::find()
        .filter(pack::Column::ArtistSlug.eq(slug))
        .order_by_desc(pack::Column::PublishedAt);
    all_shown(app, rows.limit(LIST).all(&app.db).await?).await
}

/// The pack with this name in addresses.
///
/// # Errors
/// [`Error`].
pub async fn by_slug(app: &App, slug: &str) -> Result<Option<Shown>, Error> {
    let row = pack::Entity::find().filter(pack::Column::Slug.eq(slug)).one(&app.db).await?;
    Ok(all_shown(app, row.into_iter().collect()).await?.pop())
}

/// These packs, in this order; those that are not there are left out.
///
/// # Errors
/// [`Error`].
pub async fn by_ids(app: &App, ids: &[PackId]) -> Result<Vec<Shown>, Error> {
    let wanted: Vec<i64> = ids.iter().map(|id| id.signed()).collect();
    let rows = pack::Entity::find().filter(pack::Column::Id.is_in(wanted)).all(&app.db).await?;
    let mut shown = all_shown(app, rows).await?;
    shown.sort_by_key(|shown| ids.iter().position(|&id| id == shown.id));
    Ok(shown)
}

/// The pack with this id.
///
/// # Errors
/// [`Error`].
pub async fn by_id(app: &App, id: PackId) -> Result<Option<Shown>, Error> {
    Ok(by_ids(app, &[id]).await?.pop())
}

/// The pack that a sticker belongs to, and the latest release that holds it.
///
/// # Errors
/// [`Error`].
pub async fn of_sticker(app: &App, id: StickerId) -> Result<Option<(PackId, Arc<Manifest>)>, Error> {
    let Some(row) = sticker::Entity::find_by_id(id.signed()).one(&app.db).await? else { return Ok(None) };
    let release = manifest(app, &row.release_id).await?;
    Ok(PackId::try_from(row.pack_id).ok().zip(release))
}

/// A file of a release by kind, of a sticker or of the pack.
pub fn file_of(
    release: &Manifest,
    kind: sticker_protocol::release::FileKind,
    sticker: Option<StickerId>,
) -> Option<&ReleaseFile> {
    release.files.iter().find(|file| file.kind == kind && file.sticker == sticker)
}

async fn all_shown(app: &App, rows: Vec<pack::Model>) -> Result<Vec<Shown>, Error> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let id = PackId::try_from(row.id).map_err(|error| Error::internal(&error))?;
        if let Some(release) = manifest(app, &row.release_id).await? {
            shown.push(Shown { id, price_tier: row.price_tier, release });
        }
    }
    Ok(shown)
}

/// A published release's manifest, parsed once: releases never change.
async fn manifest(app: &App, id: &str) -> Result<Option<Arc<Manifest>>, Error> {
    if let Some(known) = app.manifests.get(id) {
        return Ok(Some(known));
    }
    let Some(row) = release::Entity::find_by_id(id).one(&app.db).await? else { return Ok(None) };
    let manifest = Arc::new(Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?);
    app.manifests.insert(id.to_owned(), Arc::clone(&manifest));
    Ok(Some(manifest))
}
