//! What releases name: every published one for ever, one that is being published while it is, and one that is being uploaded for a time.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use sticker_protocol::Sha256;
use sticker_protocol::release::Manifest;

use super::entity::hold;
use crate::catalogue::entity::release;
use crate::web::error::Error;

/// The objects that have to stay. Variants and pictures that are made are made under names that a published release lists.
#[derive(Debug)]
pub(super) struct Named {
    /// Uploads that began at this or later count.
    since: i64,
    read: HashSet<String>,
    hashes: HashSet<Sha256>,
}

impl Named {
    pub(super) fn since(since: i64) -> Self {
        Self { since, read: HashSet::new(), hashes: HashSet::new() }
    }

    pub(super) fn has(&self, hash: &Sha256) -> bool {
        self.hashes.contains(hash)
    }

    /// Reads the manifests that were not read before.
    ///
    /// # Errors
    /// As the database says, or for a manifest that cannot be read: what it names is not known, and may be anything.
    pub(super) async fn catch_up(&mut self, db: &impl ConnectionTrait, now: i64) -> Result<(), Error> {
        let mut new = self.counting(db, now).await?;
        new.retain(|id| !self.read.contains(id));
        for some in new.chunks(AT_ONCE) {
            let rows = release::Entity::find()
                .filter(release::Column::Id.is_in(some.iter().map(String::as_str)))
                .all(db)
                .await?;
            for row in rows {
                let manifest = Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?;
                self.hashes.extend(manifest.files.iter().map(|file| file.sha256));
                // Its own bytes are an object where a process delivers alone.
                self.hashes.extend(row.id.parse::<Sha256>().ok());
                self.read.insert(row.id);
            }
        }
        Ok(())
    }

    async fn counting(&self, db: &impl ConnectionTrait, now: i64) -> Result<Vec<String>, DbErr> {
        // A hold ends in the commit that publishes: read first, so that what is no longer held is published by the time of the second question.
        let held = hold::Entity::find().filter(hold::Column::HeldUntil.gt(now)).all(db).await?;
        let counts = Condition::any()
            .add(release::Column::PublishedAt.is_not_null())
            .add(release::Column::CreatedAt.gte(self.since));
        let releases = release::Entity::find().select_only().column(release::Column::Id).filter(counts);
        let mut ids: Vec<String> = releases.into_tuple().all(db).await?;
        ids.extend(held.into_iter().map(|row| row.release_id));
        Ok(ids)
    }
}

/// Manifests have up to a megabyte.
const AT_ONCE: usize = 20;
