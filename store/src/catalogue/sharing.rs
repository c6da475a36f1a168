//! Packs that couples share: who buys one shares it with the partner whom the messenger named.

use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, QuerySelect as _, Set};
use serde_json::json;
use sticker_protocol::PackId;

use super::entity::pack;
use super::takedown::no_such_pack;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::web::error::Error;

/// Says whether couples share a pack from now on; orders that were made before stay as they are. `false` where it was so already.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn share(app: &App, actor: Actor<'_>, id: PackId, on: bool) -> Result<bool, Error> {
    db::retried(|| share_once(app, actor, id, on)).await
}

async fn share_once(app: &App, actor: Actor<'_>, id: PackId, on: bool) -> Result<bool, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = pack::Entity::find_by_id(id.signed()).lock_exclusive().one(&transaction).await?;
    let found = found.ok_or_else(no_such_pack)?;
    if (found.couple_shared != 0) == on {
        return Ok(false);
    }
    let mut changed = found.into_active_model();
    changed.couple_shared = Set(i16::from(on));
    let changed = changed.update(&transaction).await?;
    let detail = json!({ "slug": changed.slug });
    let action = if on { "share" } else { "unshare" };
    audit::note(app, &transaction, actor.0, action, &id.to_string(), &detail).await?;
    transaction.commit().await?;
    Ok(true)
}
