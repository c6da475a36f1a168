//! Whether every object that the catalogue names is there and is what its name says.

use std::collections::HashSet;

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use sticker_protocol::Sha256;
use sticker_protocol::release::{Manifest, ReleaseFile};

use super::missing::{note_damage, note_whole};
use crate::app::App;
use crate::catalogue::entity::release;
use crate::objects::ObjectError;
use crate::variants;
use crate::web::error::Error;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects that are named.
    pub named: u64,
    /// Those of them that were read and are right.
    pub whole: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Those that are made when somebody asks, and are not there.
    pub made: u64,
    /// Those that should be there and are not.
    pub missing: u64,
    /// Those that are other bytes than their name says.
    pub damaged: u64,
}

/// What is wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there.
    Missing,
    /// It is other bytes than its name says.
    Damaged,
}

/// Reads and hashes every object that a published release names, each once, and tells of what is wrong: in which release, and where
/// that has it. What is damaged counts as missing from then on, and is asked for when its release is published again.
///
/// # Errors
/// [`Error`] where the database or the place of the objects does not answer.
pub async fn verify(app: &App, tell: &mut dyn FnMut(Wrong, &str, &ReleaseFile)) -> Result<Report, Error> {
    let (mut report, mut seen, mut last) = (Report::default(), HashSet::new(), String::new());
    loop {
        let next = release::Entity::find()
            .filter(release::Column::PublishedAt.is_not_null())
            .filter(release::Column::Id.gt(last.as_str()))
            .order_by_asc(release::Column::Id)
            .limit(1);
        let Some(row) = next.one(&app.db).await? else { return Ok(report) };
        last = row.id;
        let manifest = Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?;
        for file in manifest.files.iter().filter(|file| seen.insert(file.sha256)) {
            report.named += 1;
            match app.objects.get(file.sha256).await {
                Ok(Some(content)) => {
                    report.whole += 1;
                    report.bytes += content.len() as u64;
                    note_whole(&app.db, [file.sha256]).await?;
                }
                Ok(None) if is_made(app, file.sha256).await? => report.made += 1,
                Ok(None) => {
                    report.missing += 1;
                    tell(Wrong::Missing, &last, file);
                }
                // It is not missed: whoever asks has it made.
                Err(ObjectError::Altered(hash)) if variants::heal(app, hash).await? => report.made += 1,
                Err(ObjectError::Altered(hash)) => {
                    report.damaged += 1;
                    note_damage(app, hash).await?;
                    tell(Wrong::Damaged, &last, file);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Asked after the object was not there: a row says that it may be missing before it goes.
async fn is_made(app: &App, hash: Sha256) -> Result<bool, Error> {
    Ok(variants::may_be_missing(&app.db, &[hash]).await?.contains_key(&hash))
}
