//! One release, from one mode to the other.

use std::sync::Arc;

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait as _, Set};
use sticker_packer::rerender::{RENDERER, RerenderError};
use sticker_protocol::Density;
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};

use super::super::entity::{State, variant};
use super::super::keep;
use super::super::render::{self, Failed};
use crate::app::App;
use crate::web::error::Error;

/// Lets go of every variant but those of one density, each after it was made here and came out the same. Gives how many are gone and
/// cannot be made any more.
pub(super) async fn to_on_demand(app: &App, id: &str, manifest: &Arc<Manifest>) -> Result<u64, Error> {
    let stored = stored_density(app, manifest);
    let mut failed = 0;
    // Bundles first: what they are made of is there.
    for file in manifest.files_of(FileKind::Bundle) {
        failed += lets_go(app, id, manifest, file).await?;
    }
    for file in manifest.files_of(FileKind::Sticker) {
        failed += if file.density == stored {
            restores(app, manifest, file).await?
        } else {
            lets_go(app, id, manifest, file).await?
        };
    }
    Ok(failed)
}

/// Stores every variant. Gives how many cannot be made any more.
pub(super) async fn to_prebuilt(app: &App, manifest: &Arc<Manifest>) -> Result<u64, Error> {
    let mut failed = 0;
    for kind in [FileKind::Sticker, FileKind::Bundle] {
        for file in manifest.files_of(kind) {
            failed += restores(app, manifest, file).await?;
        }
    }
    Ok(failed)
}

/// The density that is stored of a release: the one that `delivery.stored_density` asks for.
fn stored_density(app: &App, manifest: &Manifest) -> Option<Density> {
    let asked = Density::new(u32::from(app.config.delivery.stored_density)).unwrap_or(Density::DEFAULT);
    Density::choose(manifest.densities.iter().copied(), asked)
}

async fn lets_go(app: &App, id: &str, manifest: &Arc<Manifest>, file: &ReleaseFile) -> Result<u64, Error> {
    let known = variant::Entity::find_by_id(file.sha256.to_string()).one(&app.db).await?;
    let proven = known.as_ref().is_some_and(|row| row.renderer == RENDERER);
    match known.as_ref().and_then(|row| State::parse(&row.state)) {
        Some(State::Kept) if proven => return Ok(0),
        Some(State::Absent) if proven => {
            // Somebody may have uploaded it again.
            app.objects.remove(file.sha256).await?;
            return Ok(0);
        }
        Some(State::Rendered) if proven => {
            // Of one that was used somebody takes care; one that never was is one that was about to go.
            if let Some(row) = known.filter(|row| row.used_at == 0) {
                keep::let_go(app, &row).await?;
            }
            return Ok(0);
        }
        _ => {}
    }
    let made = match render::try_file(app, manifest, file).await {
        Ok(_same) => true,
        Err(Failed::Render(error)) => {
            tells(file, &error);
            false
        }
        Err(Failed::Otherwise(error)) => return Err(error),
    };
    if !made {
        if !app.objects.has(file.sha256).await? {
            return Ok(1);
        }
        notes(app, id, file, State::Kept).await?;
        return Ok(0);
    }
    let row = notes(app, id, file, State::Rendered).await?;
    keep::let_go(app, &row).await?;
    Ok(0)
}

/// Stores what may be missing.
async fn restores(app: &App, manifest: &Arc<Manifest>, file: &ReleaseFile) -> Result<u64, Error> {
    let hash = file.sha256.to_string();
    let Some(row) = variant::Entity::find_by_id(hash.as_str()).one(&app.db).await? else { return Ok(0) };
    if State::parse(&row.state) != Some(State::Kept) && !app.objects.has(file.sha256).await? {
        let made = match render::try_file(app, manifest, file).await {
            Ok(made) => made,
            Err(Failed::Render(error)) => {
                tells(file, &error);
                return Ok(1);
            }
            Err(Failed::Otherwise(error)) => return Err(error),
        };
        app.objects.put(file.sha256, made).await?;
    }
    // Only now nothing says any more that it may go.
    variant::Entity::delete_by_id(hash.as_str()).exec(&app.db).await?;
    // Whoever was about to let go of it as it was restored has looked at the row, and may just have done so.
    if app.objects.has(file.sha256).await? {
        return Ok(0);
    }
    let made = render::try_file(app, manifest, file).await;
    match made {
        Ok(made) => {
            app.objects.put(file.sha256, made).await?;
            Ok(0)
        }
        Err(Failed::Render(_)) => Ok(1),
        Err(Failed::Otherwise(error)) => Err(error),
    }
}

/// Writes the row that says how it is with a file, whatever one said before.
async fn notes(app: &App, id: &str, file: &ReleaseFile, state: State) -> Result<variant::Model, Error> {
    let row = variant::Model {
        hash: file.sha256.to_string(),
        release_id: id.to_owned(),
        kind: if file.kind == FileKind::Bundle { "bundle" } else { "sticker" }.to_owned(),
        bytes: i64::try_from(file.size).unwrap_or(i64::MAX),
        state: state.name().to_owned(),
        renderer: RENDERER.to_owned(),
        used_at: 0,
    };
    let written = variant::ActiveModel {
        hash: Set(row.hash.clone()),
        release_id: Set(row.release_id.clone()),
        kind: Set(row.kind.clone()),
        bytes: Set(row.bytes),
        state: Set(row.state.clone()),
        renderer: Set(row.renderer.clone()),
        used_at: Set(row.used_at),
    };
    let over = OnConflict::column(variant::Column::Hash)
        .update_columns([
            variant::Column::ReleaseId,
            variant::Column::State,
            variant::Column::Renderer,
            variant::Column::UsedAt,
        ])
        .to_owned();
    variant::Entity::insert(written).on_conflict(over).exec_without_returning(&app.db).await?;
    Ok(row)
}

/// Of most it is known before: they were drawn from shapes, or an earlier packer built them.
fn tells(file: &ReleaseFile, error: &RerenderError) {
    match error {
        RerenderError::NoRecipe => tracing::debug!(file.path = %file.path, "a variant has no recipe"),
        error => tracing::warn!(
            file.path = %file.path,
            file.hash = %file.sha256,
            error.source = %error,
            "a variant does not come out of its master as it is"
        ),
    }
}
