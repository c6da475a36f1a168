//! Whether the store lives, whether it can work, and what it counts.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::account::client::MetricsReader;
use crate::app::App;
use crate::db;
use crate::delivery::index::Index;
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
///
/// Where downloads alone are served, they live on without the database: such a process is ready as long as it knows the releases, and says
/// that it is `degraded` and since when.
async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let (database, objects) = tokio::join!(answers(&app), app.objects.probe());
    let objects = objects.is_ok();
    let word = |works: bool| if works { "ok" } else { "failing" };
    let mut parts = json!({ "database": word(database), "objects": word(objects) });
    let known = app.delivery.index.as_ref().map(Index::known);
    if let (Some(known), Some(parts)) = (known, parts.as_object_mut()) {
        let age = |at: i64| app.clock.now_ms().saturating_sub(at).max(0) / 1_000;
        let known = known.map(|(packs, at)| json!({ "packs": packs, "age_seconds": age(at) }));
        parts.insert("releases".to_owned(), json!(known));
    }
    let status = match (database, objects, known.flatten()) {
        (true, true, _) => "ok",
        (false, true, Some(_)) => "degraded",
        _ => "failing",
    };
    let code = if status == "failing" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Json(json!({ "status": status, "parts": parts })))
}

/// A balancer that asks has no more patience than this.
async fn answers(app: &App) -> bool {
    tokio::time::timeout(PATIENCE, db::ping(&app.db)).await.is_ok_and(|answer| answer.is_ok())
}

const PATIENCE: Duration = Duration::from_secs(2);

async fn counted(_: MetricsReader) -> impl IntoResponse {
    metrics::render()
}
