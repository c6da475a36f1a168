//! What must hold before a release is shown. Everything that is wrong is told, not the first thing.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use sticker_protocol::Sha256;
use sticker_protocol::release::{Manifest, ReleaseFile};

use super::bounded::{self, Turn};
use super::inspect::{Line, Order, Wrong};
use super::missing;
use super::web::words;
use crate::app::App;
use crate::catalogue::entity::{pack, release, sticker};
use crate::web::error::{Error, Finding};

/// Ids and slug are free or this client's, the price tier exists, and every database can keep the texts.
pub(super) async fn names(app: &App, manifest: &Manifest, client_id: &str) -> Result<(), Error> {
    let mut findings = Vec::new();
    let mut wrong = |code, message: String, hint| {
        findings.push(Finding { path: "release.thrift".to_owned(), code, message, hint });
    };
    let of_pack = pack::Entity::find_by_id(manifest.pack.signed()).one(&app.db).await?;
    if of_pack.is_some_and(|pack| pack.client_id != client_id) {
        wrong("pack_taken", format!("pack {} is another client's", manifest.pack), "keep your own pack.lock");
    }
    let of_slug =
        pack::Entity::find().filter(pack::Column::Slug.eq(manifest.slug.as_str())).one(&app.db).await?;
    if of_slug.is_some_and(|pack| pack.id != manifest.pack.signed()) {
        wrong(
            "slug_taken",
            format!("the slug {} is another pack's", manifest.slug),
            "choose another slug in pack.toml",
        );
    }
    let ids: Vec<i64> = manifest.stickers.iter().map(|sticker| sticker.id.signed()).collect();
    let taken = sticker::Entity::find().filter(sticker::Column::Id.is_in(ids)).all(&app.db).await?;
    for taken in taken.iter().filter(|taken| taken.pack_id != manifest.pack.signed()) {
        wrong("sticker_taken", format!("sticker {} is in another pack", taken.id), "keep your own pack.lock");
    }
    if app.config.price(&manifest.price_tier).is_none() {
        let message = format!("the store has no price tier {}", manifest.price_tier);
        wrong("unknown_tier", message, "use one of the store's tiers in pack.toml, such as free");
    }
    if words(manifest).contains('\0') {
        let message = "a title, a tag, the artist's name or an emoji has a zero byte".to_owned();
        wrong("zero_byte", message, "write the text without it in pack.toml");
    }
    rejected(findings)
}

/// Has these files of a release checked, all of them, in a process with bounds: every one is what the manifest says, and every picture
/// decodes. Where nothing is wrong, every one stands under its name.
pub(super) async fn files(
    app: &App,
    found: &release::Model,
    manifest: &Manifest,
    files: BTreeSet<Sha256>,
    turn: Turn,
) -> Result<(), Error> {
    let order = Order::new(&app.config, (&found.id, &found.manifest), files.clone());
    let told = bounded::check(app, order, turn).await?;
    let (mut findings, mut only_missing) = (Vec::new(), true);
    for line in told.lines {
        match line {
            Line::Found(at, wrong, message) => {
                only_missing &= wrong == Wrong::FileMissing;
                findings.extend(manifest.files.get(at).map(|file| finding(file, wrong, message)));
            }
            Line::Damaged(hash) => {
                tracing::error!(object.hash = %hash, "an object is damaged; publishing its release again mends it");
                missing::note_damage(app, hash).await?;
            }
            Line::Begins(_) | Line::Failed(_) | Line::Done => {}
        }
    }
    if findings.is_empty() {
        missing::note_whole(&app.db, files).await?;
    }
    if only_missing && !findings.is_empty() {
        return Err(files_missing().findings(findings));
    }
    rejected(findings)
}

/// Whoever asks for the state of the release again is told which.
pub(super) fn files_missing() -> Error {
    Error::conflict("files_missing", "files of the release were not uploaded")
        .hint("GET the release: it lists what is missing")
}

fn finding(file: &ReleaseFile, wrong: Wrong, message: String) -> Finding {
    let hint = match wrong {
        Wrong::TooCostly => "make it smaller: fewer frames, or less in one picture",
        Wrong::FileMissing => "publish again: what is missing is sent",
        _ => "build the release again with sticker-packer and publish it unchanged",
    };
    Finding { path: file.path.to_string(), code: wrong.code(), message, hint }
}

fn rejected(findings: Vec<Finding>) -> Result<(), Error> {
    if findings.is_empty() {
        return Ok(());
    }
    let message = match findings.len() {
        1 => "1 thing is wrong with the release".to_owned(),
        count => format!("{count} things are wrong with the release"),
    };
    Err(Error::new(StatusCode::UNPROCESSABLE_ENTITY, "release_rejected", message).findings(findings))
}
