//! Which files of a release the store has, and which it needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Set};
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};
use sticker_protocol::{Sha256, StickerId};

use super::entity::damage;
use crate::app::App;
use crate::catalogue;
use crate::variants;
use crate::web::error::Error;

/// How it is with the files of a release.
#[derive(Debug)]
pub(super) struct Files {
    listed: BTreeSet<Sha256>,
    /// They stand under their name, and nobody found them damaged.
    stored: HashSet<Sha256>,
    /// They are made when somebody asks, and were checked for a release that is published.
    made: HashSet<Sha256>,
    /// They were uploaded for this release; nobody has looked at them.
    arrived: HashSet<Sha256>,
}

impl Files {
    pub(super) async fn of(app: &App, id: &str, manifest: &Manifest) -> Result<Self, Error> {
        let listed: BTreeSet<Sha256> = manifest.files.iter().map(|file| file.sha256).collect();
        let all: Vec<Sha256> = listed.iter().copied().collect();
        let mut stored = app.objects.which(&all).await?;
        for hash in damaged(&app.db, &all).await? {
            stored.remove(&hash);
        }
        let made = made(app, manifest, &all).await?;
        let sizes: HashMap<Sha256, u64> =
            manifest.files.iter().map(|file| (file.sha256, file.size)).collect();
        let arrived = if all.iter().all(|hash| stored.contains(hash) || made.contains(hash)) {
            HashSet::new()
        } else {
            let arrived = app.objects.arrived(id).await?.into_iter();
            arrived.filter(|(hash, bytes)| sizes.get(hash) == Some(bytes)).map(|(hash, _)| hash).collect()
        };
        Ok(Self { listed, stored, made, arrived })
    }

    /// Those that have to be uploaded.
    pub(super) fn missing(&self) -> Vec<Sha256> {
        self.lost().filter(|hash| !self.arrived.contains(hash)).collect()
    }

    /// Those that have to be looked at before the release is shown.
    pub(super) fn to_check(&self) -> BTreeSet<Sha256> {
        self.listed.iter().copied().filter(|hash| !self.made.contains(hash)).collect()
    }

    /// Those that were uploaded again for a release that is shown already.
    pub(super) fn to_heal(&self) -> BTreeSet<Sha256> {
        self.lost().filter(|hash| self.arrived.contains(hash)).collect()
    }

    fn lost(&self) -> impl Iterator<Item = Sha256> {
        let is_lost = |hash: &Sha256| !self.stored.contains(hash) && !self.made.contains(hash);
        self.listed.iter().copied().filter(is_lost)
    }
}

/// Those that need not be there, where the release that they were checked for says the same of them.
async fn made(app: &App, manifest: &Manifest, hashes: &[Sha256]) -> Result<HashSet<Sha256>, Error> {
    let rows = variants::may_be_missing(&app.db, hashes).await?;
    let mut good: HashSet<Sha256> = rows.keys().copied().collect();
    for file in manifest.files.iter().filter(|file| rows.contains_key(&file.sha256)) {
        let Some(id) = rows.get(&file.sha256) else { continue };
        let checked = catalogue::query::manifest(app, id).await?;
        if !checked.is_some_and(|checked| is_alike(manifest, &checked, file)) {
            good.remove(&file.sha256);
        }
    }
    Ok(good)
}

/// Whether what was checked of a file for another release holds for this one: it is the same in both, and so is what it must agree with.
fn is_alike(ours: &Manifest, theirs: &Manifest, file: &ReleaseFile) -> bool {
    let is_same = |it: &&ReleaseFile| {
        (it.sha256, it.size, it.kind, it.sticker, it.density, it.format, it.width, it.height)
            == (
                file.sha256,
                file.size,
                file.kind,
                file.sticker,
                file.density,
                file.format,
                file.width,
                file.height,
            )
    };
    if ours.pack != theirs.pack || !theirs.files.iter().any(|it| is_same(&it)) {
        return false;
    }
    let order = |manifest: &Manifest| manifest.stickers.iter().map(|it| it.id).collect::<Vec<_>>();
    file.kind != FileKind::Bundle
        || (order(ours) == order(theirs) && parts(ours, file) == parts(theirs, file))
}

/// What is in a bundle.
fn parts(manifest: &Manifest, bundle: &ReleaseFile) -> BTreeSet<(Option<StickerId>, Sha256)> {
    let files = manifest.files_of(FileKind::Sticker).filter(|it| it.density == bundle.density);
    files.map(|it| (it.sticker, it.sha256)).collect()
}

/// Those of these objects that were found damaged.
pub(super) async fn damaged(db: &impl ConnectionTrait, hashes: &[Sha256]) -> Result<BTreeSet<Sha256>, DbErr> {
    let mut found = BTreeSet::new();
    for some in hashes.chunks(AT_ONCE) {
        let rows = damage::Entity::find()
            .filter(damage::Column::Hash.is_in(some.iter().map(Sha256::to_string)))
            .all(db)
            .await?;
        found.extend(rows.iter().filter_map(|row| row.hash.parse::<Sha256>().ok()));
    }
    Ok(found)
}

/// Notes that an object is damaged, so that it counts as missing.
pub(super) async fn note_damage(app: &App, hash: Sha256) -> Result<(), DbErr> {
    let row = damage::ActiveModel { hash: Set(hash.to_string()), found_at: Set(app.clock.now_ms()) };
    let once = sea_orm::sea_query::OnConflict::column(damage::Column::Hash)
        .do_nothing_on([damage::Column::Hash])
        .to_owned();
    damage::Entity::insert(row).on_conflict(once).exec_without_returning(&app.db).await.map(drop)
}

/// Takes back that these objects are damaged, since somebody has just read them.
pub(super) async fn note_whole(
    db: &impl ConnectionTrait,
    hashes: impl IntoIterator<Item = Sha256>,
) -> Result<(), DbErr> {
    let hashes: Vec<Sha256> = hashes.into_iter().collect();
    for hash in damaged(db, &hashes).await? {
        damage::Entity::delete_by_id(hash.to_string()).exec(db).await?;
    }
    Ok(())
}

pub(super) const AT_ONCE: usize = 500;
