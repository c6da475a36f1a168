//! `POST /v1/tokens`: tokens for what the user owns.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::token::Version;
use sticker_protocol::{PackId, StickerId};

use crate::account::session::Buyer;
use crate::app::App;
use crate::token::issue::{Wanted, issue};
use crate::web::error::{Error, Json};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/tokens", post(tokens))
}

/// Stickers in one request: as many as a pack may have.
const MAX_STICKERS: usize = sticker_protocol::limits::MAX_STICKERS;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueRequest {
    pack_id: Option<PackId>,
    sticker_ids: Option<Vec<StickerId>>,
    version: Option<u8>,
}

async fn tokens(
    State(app): State<App>,
    buyer: Buyer,
    Json(request): Json<IssueRequest>,
) -> Result<axum::Json<Value>, Error> {
    let wanted = match (request.pack_id, request.sticker_ids) {
        (Some(pack), None) => Wanted::Pack(pack),
        (None, Some(ids)) if (1..=MAX_STICKERS).contains(&ids.len()) => Wanted::Stickers(ids),
        (None, Some(_)) => {
            return Err(Error::refused("too_many", format!("`sticker_ids` has 1 to {MAX_STICKERS} ids")));
        }
        _ => return Err(Error::refused("invalid_body", "give `pack_id` or `sticker_ids`")),
    };
    let version = Version::from_number(request.version.unwrap_or(1))
        .ok_or_else(|| Error::refused("invalid_body", "`version` is 1 or 2"))?;
    let issued = issue(&app, &buyer.user, &wanted, version).await?;
    let tokens = issued.iter().map(|issued| {
        json!({
            "sticker_id": issued.sticker, "token": issued.token.as_str(),
            "expires_at": issued.expires_at, "renew_at": issued.renew_at,
        })
    });
    Ok(axum::Json(json!({ "tokens": tokens.collect::<Vec<_>>() })))
}
