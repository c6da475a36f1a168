//! Whether the store lives, whether it can work, and what it counts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::account::client::MetricsReader;
use crate::app::App;
use crate::db;
use crate::telemetry::metrics;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(counted))
}

async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Asks the database and the objects, each for something that costs nothing.
async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let (database, objects) = (db::ping(&app.db).await, app.objects.probe().await);
    let word = |works: bool| if works { "ok" } else { "failing" };
    let works = database.is_ok() && objects.is_ok();
    let status = if works { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let parts = json!({ "database": word(database.is_ok()), "objects": word(objects.is_ok()) });
    (status, Json(json!({ "status": word(works), "parts": parts })))
}

async fn counted(_: MetricsReader) -> impl IntoResponse {
    metrics::render()
}
