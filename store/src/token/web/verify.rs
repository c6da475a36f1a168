//! `POST /v1/tokens/verify`: checks for chat servers that prefer to ask.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::StickerId;
use sticker_protocol::token::Expected;

use crate::account::client::VerifyClient;
use crate::account::web::user_of;
use crate::app::App;
use crate::web::error::{Error, Json};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/tokens/verify", post(verify))
}

/// Checks in one request.
const MAX_CHECKS: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    token: String,
    sticker_id: StickerId,
    user: Option<String>,
    user_hex: Option<String>,
}

async fn verify(
    State(app): State<App>,
    _: VerifyClient,
    Json(request): Json<VerifyRequest>,
) -> Result<axum::Json<Value>, Error> {
    if request.checks.len() > MAX_CHECKS {
        return Err(Error::refused("too_many", format!("at most {MAX_CHECKS} checks go into one request")));
    }
    let (now, ring, denied) = (app.clock.now(), app.tokens.ring(), app.tokens.denied());
    let mut results = Vec::with_capacity(request.checks.len());
    for check in request.checks {
        let user = user_of("user", check.user.as_deref(), check.user_hex.as_deref())?
            .ok_or_else(|| Error::refused("invalid_user", "`user` or `user_hex` is missing"))?;
        let expected = Expected { sticker: check.sticker_id, user };
        results.push(match ring.keyring.verify(&check.token, now, &expected, &denied) {
            Ok(expires) => json!({ "accepted": true, "expires_at": expires }),
            Err(refusal) => json!({ "accepted": false, "code": refusal.code() }),
        });
    }
    Ok(axum::Json(json!({ "results": results })))
}
