//! Finding packs, and the releases that they show.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::sea_query::LikeExpr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};
use sticker_protocol::release::{Manifest, ReleaseFile};
use sticker_protocol::{PackId, Sha256, Slug, StickerId};

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
    /// Whether the operator took it down: shown to its owners alone.
    pub taken_down: bool,
    /// Whether who buys it shares it with their partner.
    pub couple_shared: bool,
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
    let rows = in_store().order_by_desc(pack::Column::PublishedAt).order_by_asc(pack::Column::Id);
    all_shown(app, rows.limit(LIST).all(&app.db).await?).await
}

/// Packs whose titles, tags, artist or slug contain every word.
///
/// # Errors
/// [`Error`].
pub async fn search(app: &App, words: &str) -> Result<Vec<Shown>, Error> {
    let mut rows = in_store().order_by_desc(pack::Column::PublishedAt).order_by_asc(pack::Column::Id);
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
    let Ok(slug) = slug.parse::<Slug>() else { return Ok(Vec::new()) };
    let rows = in_store()
        .filter(pack::Column::ArtistSlug.eq(slug.as_str()))
        .order_by_desc(pack::Column::PublishedAt);
    all_shown(app, rows.limit(LIST).all(&app.db).await?).await
}

/// The pack with this name in addresses.
///
/// # Errors
/// [`Error`].
pub async fn by_slug(app: &App, slug: &str) -> Result<Option<Shown>, Error> {
    let Ok(slug) = slug.parse::<Slug>() else { return Ok(None) };
    let row = in_store().filter(pack::Column::Slug.eq(slug.as_str())).one(&app.db).await?;
    Ok(all_shown(app, row.into_iter().collect()).await?.pop())
}

/// These packs, in this order, those that were taken down among them; those that are not there are left out.
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

/// The packs that these stickers belong to; stickers that are not there are left out.
///
/// # Errors
/// As the database says.
pub async fn packs_of(
    db: &impl ConnectionTrait,
    stickers: &[StickerId],
) -> Result<BTreeMap<StickerId, PackId>, DbErr> {
    let ids = stickers.iter().map(|id| id.signed());
    let rows = sticker::Entity::find().filter(sticker::Column::Id.is_in(ids)).all(db).await?;
    let ids = |row: sticker::Model| StickerId::try_from(row.id).ok().zip(PackId::try_from(row.pack_id).ok());
    Ok(rows.into_iter().filter_map(ids).collect())
}

/// Every sticker that ever belonged to the pack, not only those of its latest release.
///
/// # Errors
/// As the database says.
pub async fn stickers_ever_in(db: &impl ConnectionTrait, pack: PackId) -> Result<Vec<StickerId>, DbErr> {
    let rows = sticker::Entity::find()
        .filter(sticker::Column::PackId.eq(pack.signed()))
        .order_by_asc(sticker::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|row| StickerId::try_from(row.id).ok()).collect())
}

/// A file of a release by kind, of a sticker or of the pack.
pub fn file_of(
    release: &Manifest,
    kind: sticker_protocol::release::FileKind,
    sticker: Option<StickerId>,
) -> Option<&ReleaseFile> {
    release.files.iter().find(|file| file.kind == kind && file.sticker == sticker)
}

/// The packs that were not taken down: the way to every list and page that is for everybody.
fn in_store() -> Select<pack::Entity> {
    pack::Entity::find().filter(pack::Column::TakenDownAt.is_null())
}

async fn all_shown(app: &App, rows: Vec<pack::Model>) -> Result<Vec<Shown>, Error> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let id = PackId::try_from(row.id).map_err(|error| Error::internal(&error))?;
        if let Some(release) = manifest(app, &row.release_id).await? {
            let (taken_down, couple_shared) = (row.taken_down_at.is_some(), row.couple_shared != 0);
            shown.push(Shown { id, price_tier: row.price_tier, taken_down, couple_shared, release });
        }
    }
    Ok(shown)
}

/// A pack and the release that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The pack.
    pub pack: PackId,
    /// The release's id.
    pub release: Sha256,
}

/// Every pack with the release that it shows, those that were taken down among them.
///
/// # Errors
/// As the database says.
pub async fn showing(db: &impl ConnectionTrait) -> Result<Vec<Showing>, DbErr> {
    let columns = [pack::Column::Id, pack::Column::ReleaseId];
    let rows: Vec<(i64, String)> =
        pack::Entity::find().select_only().columns(columns).into_tuple().all(db).await?;
    let read = |(pack, release): (i64, String)| {
        Some(Showing { pack: PackId::try_from(pack).ok()?, release: release.parse().ok()? })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Every sticker that ever belonged to these packs, with its pack and the latest release that holds it.
///
/// # Errors
/// As the database says.
pub async fn releases_of_stickers(
    db: &impl ConnectionTrait,
    packs: &[PackId],
) -> Result<Vec<(StickerId, PackId, Sha256)>, DbErr> {
    let ids = packs.iter().map(|id| id.signed());
    let rows = sticker::Entity::find()
        .filter(sticker::Column::PackId.is_in(ids))
        .order_by_asc(sticker::Column::Id)
        .all(db)
        .await?;
    let read = |row: sticker::Model| {
        let (sticker, pack) = (StickerId::try_from(row.id).ok()?, PackId::try_from(row.pack_id).ok()?);
        Some((sticker, pack, row.release_id.parse().ok()?))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The id of the latest release that holds the sticker.
///
/// # Errors
/// As the database says.
pub async fn release_of_sticker(db: &impl ConnectionTrait, id: StickerId) -> Result<Option<String>, DbErr> {
    Ok(sticker::Entity::find_by_id(id.signed()).one(db).await?.map(|row| row.release_id))
}

/// The id of the release that the pack shows, also where it was taken down.
///
/// # Errors
/// As the database says.
pub async fn release_of_pack(db: &impl ConnectionTrait, id: PackId) -> Result<Option<String>, DbErr> {
    let release = pack::Entity::find_by_id(id.signed()).select_only().column(pack::Column::ReleaseId);
    release.into_tuple().one(db).await
}

/// The bytes of a release's manifest as they came from the designer.
///
/// # Errors
/// As the database says.
pub async fn manifest_bytes(db: &impl ConnectionTrait, release: Sha256) -> Result<Option<Vec<u8>>, DbErr> {
    Ok(release::Entity::find_by_id(release.to_string()).one(db).await?.map(|row| row.manifest))
}

/// A published release's manifest, parsed once: releases never change.
///
/// # Errors
/// [`Error`].
pub async fn manifest(app: &App, id: &str) -> Result<Option<Arc<Manifest>>, Error> {
    if let Some(known) = app.manifests.get(id) {
        return Ok(Some(known));
    }
    let Some(row) = release::Entity::find_by_id(id).one(&app.db).await? else { return Ok(None) };
    let manifest = Arc::new(Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?);
    app.manifests.insert(id.to_owned(), Arc::clone(&manifest));
    Ok(Some(manifest))
}
