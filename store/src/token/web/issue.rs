//! `POST /v1/tokens`: tokens for what the user owns.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::token::{Claims, Token, Version};
use sticker_protocol::{Expiry, PackId, StickerId};

use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue;
use crate::library;
use crate::token::ring;
use crate::web::error::{Error, Json};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/tokens", post(issue))
}

/// Stickers in one request: as many as a pack may have.
const MAX_STICKERS: usize = sticker_protocol::limits::MAX_STICKERS;
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueRequest {
    pack_id: Option<PackId>,
    sticker_ids: Option<Vec<StickerId>>,
}

async fn issue(
    State(app): State<App>,
    buyer: Buyer,
    Json(request): Json<IssueRequest>,
) -> Result<axum::Json<Value>, Error> {
    let stickers = match (request.pack_id, request.sticker_ids) {
        (Some(pack), None) => of_pack(&app, &buyer, pack).await?,
        (None, Some(ids)) if (1..=MAX_STICKERS).contains(&ids.len()) => owned(&app, &buyer, ids).await?,
        (None, Some(_)) => {
            return Err(Error::refused("too_many", format!("`sticker_ids` has 1 to {MAX_STICKERS} ids")));
        }
        _ => return Err(Error::refused("invalid_body", "give `pack_id` or `sticker_ids`")),
    };
    let expires = u64::from(app.config.token.lifetime_seconds).saturating_add(app.clock.now().0);
    let expires = Expiry(u32::try_from(expires).unwrap_or(u32::MAX));
    let claims: Vec<_> =
        stickers.iter().map(|&sticker| Claims { sticker, user: buyer.user, expires }).collect();
    let signed = ring::sign(&app, Version::V1, expires, &claims).await?;
    let token = |(sticker, token): (&StickerId, &Token)| json!({ "sticker_id": sticker, "token": token.as_str(), "expires_at": expires });
    let tokens: Vec<_> = stickers.iter().zip(&signed).map(token).collect();
    Ok(axum::Json(json!({ "tokens": tokens })))
}

async fn of_pack(app: &App, buyer: &Buyer, pack: PackId) -> Result<Vec<StickerId>, Error> {
    if !library::query::owns(&app.db, &buyer.user, pack).await? {
        return Err(not_owned());
    }
    let shown = catalogue::query::by_id(app, pack).await?.ok_or_else(not_owned)?;
    Ok(shown.release.stickers.iter().map(|sticker| sticker.id).collect())
}

async fn owned(app: &App, buyer: &Buyer, ids: Vec<StickerId>) -> Result<Vec<StickerId>, Error> {
    let grants = library::query::of(&app.db, &buyer.user).await?;
    for &id in &ids {
        let pack = catalogue::query::of_sticker(app, id).await?.map(|(pack, _)| pack);
        if !grants.iter().any(|grant| Some(grant.pack) == pack) {
            return Err(not_owned());
        }
    }
    Ok(ids)
}

/// The same answer for what exists and what does not.
fn not_owned() -> Error {
    Error::new(StatusCode::FORBIDDEN, "not_owned", "the user does not own this")
}
