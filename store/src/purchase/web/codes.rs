//! Codes of gifts and promotions: `/v1/codes`, and the page to type one.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::session::Buyer;
use crate::app::App;
use crate::catalogue;
use crate::library;
use crate::purchase::page::{RedeemPage, RedeemProblem, RedeemStep};
use crate::purchase::redeem as codes;
use crate::web::error::{Error, Json};
use crate::web::layout;
use crate::web::page::{Html, Layout};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeRequest {
    code: String,
}

pub(super) async fn redeem(
    State(app): State<App>,
    buyer: Buyer,
    Json(request): Json<CodeRequest>,
) -> Result<axum::Json<Value>, Error> {
    let given = codes::redeem(&app, &buyer.user, &request.code, buyer.platform.as_deref()).await?;
    Ok(axum::Json(json!({ "kind": given.kind.name(), "pack_id": given.pack })))
}

#[derive(Deserialize)]
pub(super) struct RedeemQuery {
    pack: Option<String>,
}

/// With `?pack=` what a code has just given, where the user owns it.
pub(super) async fn page(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Option<Buyer>,
    Query(asked): Query<RedeemQuery>,
) -> Result<Html<RedeemPage>, Error> {
    let layout = layout(&uri, &headers, buyer.as_ref());
    let step = match (&buyer, asked.pack) {
        (None, _) => RedeemStep::SignedOut,
        (Some(_), None) => empty_form(),
        (Some(buyer), Some(pack)) => given(&app, buyer, &pack, &layout).await?.unwrap_or_else(empty_form),
    };
    Ok(Html(RedeemPage { layout, step }))
}

fn empty_form() -> RedeemStep {
    RedeemStep::Form { typed: String::new(), problem: None }
}

async fn given(app: &App, buyer: &Buyer, pack: &str, layout: &Layout) -> Result<Option<RedeemStep>, Error> {
    let Ok(id) = pack.parse() else { return Ok(None) };
    if !library::query::owns(&app.db, &buyer.user, id).await? {
        return Ok(None);
    }
    let shown = catalogue::query::by_id(app, id).await?;
    Ok(shown.map(|shown| RedeemStep::Done {
        pack: Box::new(catalogue::web::card(app, &shown, layout.locale, true)),
    }))
}

pub(super) async fn submit(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Buyer,
    Form(form): Form<CodeRequest>,
) -> Result<Response, Error> {
    let error = match codes::redeem(&app, &buyer.user, &form.code, buyer.platform.as_deref()).await {
        Ok(given) => return Ok(Redirect::to(&format!("/redeem?pack={}", given.pack)).into_response()),
        Err(error) => error,
    };
    let Some(problem) = RedeemProblem::of(error.code()) else { return Err(error) };
    let typed = form.code.chars().take(60).collect();
    let layout = layout(&uri, &headers, Some(&buyer));
    let page = RedeemPage { layout, step: RedeemStep::Form { typed, problem: Some(problem) } };
    let mut response = Html(page).into_response();
    if let Some(seconds) = error.try_again_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}
