//! What a giver does about their gift: `/v1/orders/{id}/gift`, and the buttons of the order's page.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use serde::Deserialize;
use serde_json::Value;

use super::orders::described;
use crate::account::session::Buyer;
use crate::app::App;
use crate::purchase::gift::giver::{self, Action};
use crate::web::error::{Error, Json};
use crate::web::extract::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GiftRequest {
    action: String,
}

impl GiftRequest {
    fn action(&self) -> Result<Action, Error> {
        Action::parse(&self.action)
            .ok_or_else(|| Error::refused("invalid_body", "`action` is take_back, new_code or keep"))
    }
}

pub(super) async fn act(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
    Json(request): Json<GiftRequest>,
) -> Result<axum::Json<Value>, Error> {
    let order = giver::act(&app, &buyer.user, &id, request.action()?).await?;
    described(&app, &order).await.map(axum::Json)
}

pub(super) async fn submit(
    State(app): State<App>,
    buyer: Buyer,
    Path(id): Path<String>,
    Form(request): Form<GiftRequest>,
) -> Result<Redirect, Error> {
    match giver::act(&app, &buyer.user, &id, request.action()?).await {
        Ok(_) => {}
        // Somebody was faster; the page says how it stands.
        Err(error) if error.status() == StatusCode::CONFLICT => {}
        Err(error) => return Err(error),
    }
    Ok(Redirect::to(&format!("/orders/{id}")))
}
