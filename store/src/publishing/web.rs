//! The publishing API. Every step can be repeated; nothing is visible before the last.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde_json::{Value, json};
use sticker_protocol::Sha256;
use sticker_protocol::limits::{MAX_BUNDLE, MAX_METADATA};
use sticker_protocol::release::Manifest;

use super::missing::Files;
use super::state::shown;
use super::{check, hold};
use crate::account::client::Designer;
use crate::app::App;
use crate::audit;
use crate::catalogue::entity::{pack, release, sticker};
use crate::config;
use crate::db;
use crate::delivery;
use crate::objects::{Name, ObjectError};
use crate::signing;
use crate::variants;
use crate::web::error::Error;
use crate::web::extract::Path;

pub(crate) fn api() -> Router<App> {
    Router::new()
        .route("/v1/releases", post(begin).layer(DefaultBodyLimit::max(MAX_METADATA)))
        .route("/v1/releases/{id}", get(state))
        .route("/v1/releases/{id}/objects/{hash}", put(upload).layer(DefaultBodyLimit::max(MAX_BUNDLE)))
        .route("/v1/releases/{id}/publish", post(publish))
}

async fn begin(
    State(app): State<App>,
    designer: Designer,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, axum::Json<Value>), Error> {
    let body = body?;
    let id = Sha256::of(&body).to_string();
    if let Some(known) = release::Entity::find_by_id(id.clone()).one(&app.db).await? {
        let known = own(known, &designer)?;
        return Ok((StatusCode::OK, axum::Json(shown(&app, &known).await?)));
    }
    let manifest = Manifest::read(&body).map_err(|error| {
        Error::refused("invalid_manifest", causes(&error))
            .hint("build it with sticker-packer and publish it unchanged")
    })?;
    check::names(&app, &manifest, &designer.client_id).await?;
    let row = release::ActiveModel {
        id: Set(id.clone()),
        pack_id: Set(manifest.pack.signed()),
        client_id: Set(designer.client_id.clone()),
        manifest: Set(body.to_vec()),
        created_at: Set(app.clock.now_ms()),
        published_at: Set(None),
    };
    match db::insert(&app.db, row).await {
        Ok(new) => Ok((StatusCode::CREATED, axum::Json(shown(&app, &new).await?))),
        // Two at the same moment are one release.
        Err(error) if db::is_duplicate(&error) => {
            Ok((StatusCode::OK, axum::Json(shown(&app, &find(&app, &id, &designer).await?).await?)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn state(
    State(app): State<App>,
    designer: Designer,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, Error> {
    Ok(axum::Json(shown(&app, &find(&app, &id, &designer).await?).await?))
}

async fn upload(
    State(app): State<App>,
    designer: Designer,
    Path((id, hash)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Error> {
    let found = find(&app, &id, &designer).await?;
    let body = body?;
    let manifest = read(&found)?;
    let hash: Sha256 =
        hash.parse().map_err(|_not_a_hash| Error::not_found("the release lists no such file"))?;
    let listed = manifest.files.iter().find(|file| file.sha256 == hash);
    let listed = listed.ok_or_else(|| Error::not_found("the release lists no such file"))?;
    let wrong = if listed.size != body.len() as u64 {
        let message = format!("{} bytes came; the manifest says {}", body.len(), listed.size);
        Some(Error::refused("size_mismatch", message))
    } else if Sha256::of(&body) != hash {
        Some(Error::refused("hash_mismatch", "the bytes have another SHA-256"))
    } else {
        None
    };
    if let Some(wrong) = wrong {
        let published =
            || Error::conflict("published_otherwise", "other bytes were published under this name");
        let wrong = if found.published_at.is_some() { published() } else { wrong };
        return Err(wrong.hint("upload the file that was built"));
    }
    app.objects.receive(&found.id, hash, body.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn publish(
    State(app): State<App>,
    designer: Designer,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<Value>), Error> {
    let found = find(&app, &id, &designer).await?;
    let manifest = read(&found)?;
    // It goes on when whoever asked hangs up, and who asks again joins it.
    let flight: Sha256 = found.id.parse().map_err(|error| Error::internal(&error))?;
    let brings = || bring_or_mend(App::clone(&app), found.clone());
    let brought = tokio::time::timeout(PATIENCE, app.bringing.join(flight, || None, brings)).await;
    let Ok(brought) = brought else {
        let checking = json!({
            "id": found.id, "pack_id": manifest.pack, "slug": manifest.slug.as_str(), "state": "checking",
        });
        return Ok((StatusCode::ACCEPTED, axum::Json(json!({ "release": checking, "missing": [] }))));
    };
    brought?;
    let found = find(&app, &id, &designer).await?;
    let mut answer = shown(&app, &found).await?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert(
            "pack_url".to_owned(),
            format!("{}/packs/{}", app.config.public_url(), manifest.slug).into(),
        );
    }
    Ok((StatusCode::OK, axum::Json(answer)))
}

/// How long an answer may take: less than what a CDN or a proxy in front waits.
const PATIENCE: Duration = Duration::from_secs(45);

async fn bring_or_mend(app: App, found: release::Model) -> Result<(), Error> {
    let manifest = read(&found)?;
    // Others may have published it since.
    let row = release::Entity::find_by_id(found.id.as_str()).one(&app.db).await?;
    if row.is_some_and(|row| row.published_at.is_some()) {
        return mend(&app, &found, &manifest).await;
    }
    bring(&app, &found, &manifest).await
}

/// Checks a release and shows it.
async fn bring(app: &App, found: &release::Model, manifest: &Manifest) -> Result<(), Error> {
    check::names(app, manifest, &found.client_id).await?;
    let turn = app.checks.turn(&app.config.publishing).await?;
    hold::take(app, &found.id, manifest).await?;
    let files = Files::of(app, &found.id, manifest).await?;
    if !files.missing().is_empty() {
        return Err(check::files_missing());
    }
    check::files(app, found, manifest, files.to_check(), turn).await?;
    signing::keys::make_first(app).await?;
    db::retried(|| show(app, found, manifest)).await?;
    delivery::published(app, manifest);
    clear_up(app, &found.id).await;
    Ok(())
}

/// Puts back what was lost or damaged of a release that is shown, where it was uploaded again.
async fn mend(app: &App, found: &release::Model, manifest: &Manifest) -> Result<(), Error> {
    let files = Files::of(app, &found.id, manifest).await?.to_heal();
    if files.is_empty() {
        return Ok(());
    }
    let (turn, count) = (app.checks.turn(&app.config.publishing).await?, files.len());
    check::files(app, found, manifest, files, turn).await?;
    tracing::info!(release.id = found.id, objects.count = count, "objects of a release were mended");
    clear_up(app, &found.id).await;
    Ok(())
}

/// What was uploaded for a release is not needed any more. What stays is removed with other old uploads.
async fn clear_up(app: &App, id: &str) {
    let cleared = async {
        for hash in app.objects.arrived(id).await?.into_keys() {
            app.objects.take_away(&Name::Incoming(id.to_owned(), hash)).await?;
        }
        Ok::<_, ObjectError>(())
    };
    if let Err(error) = cleared.await {
        tracing::warn!(release.id = id, error.source = %causes(&error), "uploads stay until objects gc");
    }
}

/// Makes the release the one that the pack shows: pack, stickers, release, signature and trace in one transaction.
async fn show(app: &App, found: &release::Model, manifest: &Manifest) -> Result<(), Error> {
    let name_taken = || {
        Error::conflict(
            "name_taken",
            "somebody else took the pack's id, its slug or a sticker's id at the same moment",
        )
    };
    let taken = |error: sea_orm::DbErr| if db::is_duplicate(&error) { name_taken() } else { error.into() };
    let now = app.clock.now_ms();
    let transaction = db::begin(&app.db).await?;
    // Two at the same moment are one release: the second waits here for the first, and finds it shown.
    let published = release::Entity::update_many()
        .col_expr(release::Column::PublishedAt, Expr::value(now))
        .filter(release::Column::Id.eq(found.id.as_str()))
        .filter(release::Column::PublishedAt.is_null());
    if published.exec(&transaction).await?.rows_affected == 0 {
        return Ok(());
    }
    hold::ends(&transaction, &found.id, now).await?;
    let known = pack::Entity::find_by_id(manifest.pack.signed()).one(&transaction).await?;
    if known.as_ref().is_some_and(|known| known.client_id != found.client_id) {
        return Err(name_taken());
    }
    let row = pack::ActiveModel {
        id: Set(manifest.pack.signed()),
        slug: Set(manifest.slug.to_string()),
        client_id: Set(found.client_id.clone()),
        artist_slug: Set(manifest.artist.slug.to_string()),
        price_tier: Set(manifest.price_tier.clone()),
        release_id: Set(found.id.clone()),
        words: Set(words(manifest)),
        published_at: Set(known.as_ref().map_or(now, |known| known.published_at)),
        ..<pack::ActiveModel as Default>::default()
    };
    match known {
        Some(_) => row.update(&transaction).await.map_err(taken)?,
        None => row.insert(&transaction).await.map_err(taken)?,
    };
    let ids: Vec<i64> = manifest.stickers.iter().map(|sticker| sticker.id.signed()).collect();
    let before =
        sticker::Entity::find().filter(sticker::Column::Id.is_in(ids.clone())).all(&transaction).await?;
    if before.iter().any(|sticker| sticker.pack_id != manifest.pack.signed()) {
        return Err(name_taken());
    }
    let before: BTreeSet<i64> = before.into_iter().map(|sticker| sticker.id).collect();
    for id in ids {
        let (pack_id, release_id) = (Set(manifest.pack.signed()), Set(found.id.clone()));
        let row = sticker::ActiveModel { id: Set(id), pack_id, release_id };
        if before.contains(&id) {
            row.update(&transaction).await?;
        } else {
            row.insert(&transaction).await.map_err(taken)?;
        }
    }
    signing::envelope::sign(app, &transaction, manifest.pack, &found.manifest).await?;
    if app.config.delivery.variants == config::Variants::OnDemand {
        variants::ask_for(&transaction, &found.id, config::Variants::OnDemand).await?;
    }
    let detail = json!({
        "release": found.id, "slug": manifest.slug.as_str(), "price_tier": manifest.price_tier,
    });
    audit::note(
        app,
        &transaction,
        &format!("client:{}", found.client_id),
        "publish",
        &manifest.pack.to_string(),
        &detail,
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// What a search looks through, in lower case.
pub(super) fn words(manifest: &Manifest) -> String {
    let titles = manifest.titles.values().map(String::as_str);
    let names = [manifest.artist.name.as_str(), manifest.slug.as_str()];
    let emoji = manifest.stickers.iter().flat_map(|sticker| sticker.emoji.iter().map(String::as_str));
    let all: Vec<&str> =
        titles.chain(manifest.tags.iter().map(String::as_str)).chain(names).chain(emoji).collect();
    all.join("\n").to_lowercase()
}

async fn find(app: &App, id: &str, designer: &Designer) -> Result<release::Model, Error> {
    let found = release::Entity::find_by_id(id).one(&app.db).await?;
    own(found.ok_or_else(|| Error::not_found("there is no such release"))?, designer)
}

/// A release of somebody else is nobody's business.
fn own(found: release::Model, designer: &Designer) -> Result<release::Model, Error> {
    if found.client_id == designer.client_id {
        return Ok(found);
    }
    Err(Error::new(StatusCode::FORBIDDEN, "not_yours", "another client began this release"))
}

pub(super) fn read(found: &release::Model) -> Result<Manifest, Error> {
    Manifest::read(&found.manifest).map_err(|error| Error::internal(&error))
}

/// An error with its causes in one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
