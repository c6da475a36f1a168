//! The addresses of tokens, one operation a file.

mod issue;
mod keyring;
mod revocations;
mod verify;

use axum::Router;

pub(crate) use verify::json_answer;

use crate::app::App;

pub(crate) fn api() -> Router<App> {
    Router::new()
        .merge(issue::routes())
        .merge(keyring::routes())
        .merge(revocations::routes())
        .merge(verify::routes())
}
