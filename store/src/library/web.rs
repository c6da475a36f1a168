//! What the user owns, for apps and as a page.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use serde_json::{Value, json};

use super::page::LibraryPage;
use super::query;
use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue;
use crate::web::error::Error;
use crate::web::layout;
use crate::web::page::Html;

pub(crate) fn api() -> Router<App> {
    Router::new().route("/v1/library", get(library))
}

pub(crate) fn pages() -> Router<App> {
    Router::new().route("/library", get(page))
}

async fn library(State(app): State<App>, buyer: Buyer) -> Result<axum::Json<Value>, Error> {
    let grants = query::of(&app.db, &buyer.user).await?;
    let ids: Vec<_> = grants.iter().map(|grant| grant.pack).collect();
    let packs: Vec<Value> = catalogue::query::by_ids(&app, &ids)
        .await?
        .iter()
        .map(|shown| {
            let release = &shown.release;
            let granted_at =
                grants.iter().find(|grant| grant.pack == shown.id).map(|grant| grant.granted_at / 1000);
            let stickers: Vec<_> = release.stickers.iter().map(|sticker| sticker.id).collect();
            json!({
                "pack_id": shown.id, "slug": release.slug.as_str(), "titles": release.titles,
                "granted_at": granted_at, "densities": release.densities, "sticker_ids": stickers,
                "taken_down": shown.taken_down,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "packs": packs })))
}

async fn page(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
) -> Result<Html<LibraryPage>, Error> {
    let layout = layout(&uri, &headers, Some(&buyer));
    let ids: Vec<_> = query::of(&app.db, &buyer.user).await?.iter().map(|grant| grant.pack).collect();
    let shown = catalogue::query::by_ids(&app, &ids).await?;
    let packs = shown.iter().map(|shown| catalogue::web::card(&app, shown, layout.locale, true)).collect();
    Ok(Html(LibraryPage { layout, packs }))
}
