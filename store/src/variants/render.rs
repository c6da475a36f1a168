//! Making a file of a release of what is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use sea_orm::EntityTrait as _;
use sticker_packer::rerender::{self, RerenderError};
use sticker_protocol::release::{FileKind, Manifest, ReleaseFile};

use super::keep;
use crate::app::App;
use crate::catalogue::entity::release as row;
use crate::objects::ObjectError;
use crate::telemetry::metrics;
use crate::web::error::Error;

/// A release's manifest, parsed once.
pub(super) async fn release(app: &App, id: &str) -> Result<Option<Arc<Manifest>>, Error> {
    if let Some(known) = app.manifests.get(id) {
        return Ok(Some(known));
    }
    let Some(row) = row::Entity::find_by_id(id).one(&app.db).await? else { return Ok(None) };
    let manifest = Arc::new(Manifest::read(&row.manifest).map_err(|error| Error::internal(&error))?);
    app.manifests.insert(id.to_owned(), Arc::clone(&manifest));
    Ok(Some(manifest))
}

/// The bytes that the manifest lists, or an error: never others.
pub(super) async fn file(app: &App, release: &Arc<Manifest>, file: &ReleaseFile) -> Result<Vec<u8>, Error> {
    // Whoever asks for a file waits for a place at once or not at all; the files of a bundle wait for each other.
    let place = Arc::clone(&app.variants.places).try_acquire_owned().map_err(|_all_taken| {
        Error::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_renders",
            "too many variants are being rendered",
        )
        .hint("try again in a moment")
        .retry_after(AFTER_OTHERS)
    })?;
    let made = try_file(app, release, file).await;
    drop(place);
    match made {
        Ok(made) => {
            metrics::rendered(true);
            Ok(made)
        }
        Err(Failed::Otherwise(error)) => Err(error),
        Err(Failed::Render(error)) => {
            metrics::rendered(false);
            tracing::error!(
                release.pack = %release.pack,
                file.path = %file.path,
                file.hash = %file.sha256,
                error.source = %error,
                "a variant cannot be rendered; the README, section \"Variants on demand\", says what to do"
            );
            Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "not_rendered", "the variant cannot be rendered")
                .because(&error))
        }
    }
}

/// In seconds.
const AFTER_OTHERS: u32 = 2;

/// Why a file was not made.
pub(super) enum Failed {
    /// It does not come out as it is.
    Render(RerenderError),
    /// What it is made of cannot be had.
    Otherwise(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Otherwise(error.into())
    }
}

/// As [`file`], for who is not to be turned away, and tells why it was not made.
pub(super) async fn try_file(
    app: &App,
    release: &Arc<Manifest>,
    file: &ReleaseFile,
) -> Result<Vec<u8>, Failed> {
    match file.kind {
        FileKind::Sticker => sticker(app, release, file).await,
        FileKind::Bundle => bundle(app, release, file).await,
        _ => Err(Failed::Render(RerenderError::NoRecipe)),
    }
}

async fn sticker(app: &App, release: &Arc<Manifest>, file: &ReleaseFile) -> Result<Vec<u8>, Failed> {
    if file.recipe.is_none() {
        return Err(Failed::Render(RerenderError::NoRecipe));
    }
    let master = release.files_of(FileKind::Master).find(|it| it.sticker == file.sticker);
    let master = master.ok_or(Failed::Render(RerenderError::NotItsMaster))?;
    // Never closed: whoever waits for a turn gets it.
    let turn = Arc::clone(&app.variants.at_once).acquire_owned().await;
    let master = app.objects.get(master.sha256).await?;
    let master = master.ok_or(Failed::Render(RerenderError::NotItsMaster))?;
    let (release, file) = (Arc::clone(release), file.clone());
    // Also when nobody waits any more, the work goes on, and its turn with it.
    let made = tokio::task::spawn_blocking(move || {
        let made = rerender::sticker_file(&master, &release, &file);
        drop(turn);
        made
    });
    made.await.map_err(|error| Error::internal(&error))?.map_err(Failed::Render)
}

/// Of its sticker files, which are kept as they are made: who asks again goes on where it was cut off.
async fn bundle(app: &App, release: &Arc<Manifest>, file: &ReleaseFile) -> Result<Vec<u8>, Failed> {
    let mut files = BTreeMap::new();
    for part in release.files_of(FileKind::Sticker).filter(|it| it.density == file.density) {
        let Some(id) = part.sticker else { continue };
        let content = match app.objects.get(part.sha256).await {
            Ok(Some(stored)) => stored,
            Ok(None) | Err(ObjectError::Altered(_)) => {
                let made = sticker(app, release, part).await?;
                keep::keep(app, part.sha256, &made).await?;
                made
            }
            Err(error) => return Err(error.into()),
        };
        files.insert(id, content);
    }
    let (release, file) = (Arc::clone(release), file.clone());
    let made = tokio::task::spawn_blocking(move || rerender::bundle(&files, &release, &file));
    made.await.map_err(|error| Error::internal(&error))?.map_err(Failed::Render)
}
