//! What the user owns, for apps and as a page.

use std::collections::HashMap;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use serde_json::{Value, json};

use super::page::{LibraryPage, OwnedPack};
use super::query::{self, Grant};
use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue;
use crate::catalogue::query::Shown;
use crate::purchase::order::{self, Origin};
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
    let (grants, origins) = owned(&app, &buyer).await?;
    let ids: Vec<_> = grants.iter().map(|grant| grant.pack).collect();
    let packs: Vec<Value> = catalogue::query::by_ids(&app, &ids)
        .await?
        .iter()
        .map(|shown| {
            let release = &shown.release;
            let grant = grants.iter().find(|grant| grant.pack == shown.id);
            let granted_at = grant.map(|grant| grant.granted_at / 1000);
            let origin = origin_of(grant, &origins);
            let stickers: Vec<_> = release.stickers.iter().map(|sticker| sticker.id).collect();
            json!({
                "pack_id": shown.id, "slug": release.slug.as_str(), "titles": release.titles,
                "granted_at": granted_at, "densities": release.densities, "sticker_ids": stickers,
                "taken_down": shown.taken_down, "origin": origin.name(),
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
    let (grants, origins) = owned(&app, &buyer).await?;
    let ids: Vec<_> = grants.iter().map(|grant| grant.pack).collect();
    let pack = |shown: &Shown| OwnedPack {
        card: catalogue::web::card(&app, shown, layout.locale, true),
        origin: origin_of(grants.iter().find(|grant| grant.pack == shown.id), &origins),
    };
    let packs = catalogue::query::by_ids(&app, &ids).await?.iter().map(pack).collect();
    Ok(Html(LibraryPage { layout, packs }))
}

/// What the user owns, latest first, and how they came to it by the order's id.
async fn owned(app: &App, buyer: &Buyer) -> Result<(Vec<Grant>, HashMap<String, Origin>), Error> {
    let grants = query::of(&app.db, &buyer.user).await?;
    let orders: Vec<&str> = grants.iter().map(|grant| grant.order_id.as_str()).collect();
    let origins = order::origins(app, &buyer.user, &orders).await?;
    Ok((grants, origins))
}

fn origin_of(grant: Option<&Grant>, origins: &HashMap<String, Origin>) -> Origin {
    grant.and_then(|grant| origins.get(&grant.order_id)).copied().unwrap_or(Origin::Own)
}
