//! A process that serves downloads alone, without keys, and while the database is away.

use sea_orm::ConnectionTrait as _;
use sticker_protocol::Sha256;
use sticker_store::app::{self, App, Role};

use crate::depot::{Answer, Depot, Listening, asks};

/// Downloads alone, as `serve --only delivery` routes them.
async fn delivers(app: &App, path: &str) -> Answer {
    use tower::ServiceExt as _;
    let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    let router = app::router_of(App::clone(app), &[Role::Delivery]);
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

async fn state(app: &App) -> (u16, String) {
    let answer = delivers(app, "/health/ready").await;
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, told["status"].as_str().unwrap().to_owned())
}

/// Waits until a process that delivers knows the releases.
async fn knows(app: &App) {
    while app_knows(app).await.is_none() {
        tokio::task::yield_now().await;
    }
}

async fn app_knows(app: &App) -> Option<u64> {
    let answer = delivers(app, "/health/ready").await;
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    told["parts"]["releases"]["packs"].as_u64()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_process_routes_downloads_health_and_metrics_and_needs_no_master_key() {
    let depot = Depot::new(&[]).await;
    std::fs::remove_file(depot.folder.path().join("master.key")).unwrap();
    let app = depot.delivers_beside(&[]).await;
    let answer = delivers(&app, &depot.sticker_path()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(delivers(&app, "/metrics").await.status, 200);
    assert_eq!(delivers(&app, "/health/live").await.status, 200);
    for other in
        ["/", "/packs/depot", "/v1/library", "/v1/keyring", "/library", "/assets/store.css", "/openapi.json"]
    {
        assert_eq!(delivers(&app, other).await.status, 404, "{other}");
    }
    assert!(!depot.folder.path().join("master.key").exists(), "none is made");
    let store_alone = app::router_of(App::clone(&depot.app), &[Role::Store]);
    let request = axum::http::Request::get(depot.sticker_path()).body(axum::body::Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(store_alone, request).await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_delivered_while_the_database_is_away_and_what_was_not_is_503() {
    let depot = Depot::new(&[]).await;
    let path = depot.sticker_path();
    let seen = depot.gets(&path).await;
    assert_eq!(seen.status, 200);
    sticker_tests::closes(&depot.app.db).await;
    depot.later(86_400_000);
    let still = depot.gets(&(path + "?density=120")).await;
    assert_eq!((still.status, Sha256::of(&still.body)), (200, depot.variants()[0].sha256));
    let other = format!("/dl/{}.sticker", depot.release.stickers[1].id);
    let unseen = depot.gets(&other).await;
    let told = (unseen.status, unseen.code(), unseen.header("cache-control").to_owned());
    assert_eq!(told, (503, "unavailable".to_owned(), "no-store".to_owned()));
    assert!(!unseen.header("retry-after").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_process_that_is_started_while_the_database_is_away_delivers_everything_that_was_published()
 {
    let depot = Depot::new(&[]).await;
    let before = depot.delivers_beside(&[]).await;
    assert_eq!(state(&before).await, (200, "ok".to_owned()));
    let listening = Listening::serves(&before, &[Role::Delivery]).await;
    knows(&before).await;
    drop(listening);

    // Nobody listens there.
    let nowhere = "postgres://nobody@127.0.0.1:1/none";
    let app = depot.delivers_beside(&[("DATABASE__URL", nowhere)]).await;
    assert_eq!(state(&app).await, (200, "degraded".to_owned()));
    for sticker in &depot.release.stickers {
        let answer = delivers(&app, &format!("/dl/{}.sticker", sticker.id)).await;
        let file = depot.release.files.iter().find(|file| file.sha256 == Sha256::of(&answer.body)).unwrap();
        assert_eq!((answer.status, file.sticker), (200, Some(sticker.id)));
    }
    assert_eq!(delivers(&app, &format!("/dl/{}.zip", depot.release.pack)).await.status, 200);
    assert_eq!(delivers(&app, "/dl/1.sticker").await.status, 503, "it may be one that was just published");

    std::fs::remove_file(depot.folder.path().join("delivery.json")).unwrap();
    let knows_nothing = depot.delivers_beside(&[("DATABASE__URL", nowhere)]).await;
    assert_eq!(state(&knows_nothing).await, (503, "failing".to_owned()));
    let canonical = depot.canonical_path(depot.variants()[0]);
    assert_eq!(delivers(&knows_nothing, &canonical).await.status, 200, "an object needs no database");
    assert_eq!(delivers(&knows_nothing, &depot.sticker_path()).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_is_seen_by_other_processes_within_five_seconds() {
    let depot = Depot::new(&[]).await;
    let beside = depot.delivers_beside(&[]).await;
    assert_eq!(asks(&beside, "GET", &depot.sticker_path(), &[]).await.status, 200);
    let sticker = depot.release.stickers[0].id;
    let other = depot.release.stickers[1].id;
    // As if the sticker's latest release had gone: the row is what counts.
    let gone = format!("DELETE FROM stickers WHERE id = {sticker}");
    depot.app.db.execute_unprepared(&gone).await.unwrap();
    depot.later(4_999);
    assert_eq!(asks(&beside, "GET", &depot.sticker_path(), &[]).await.status, 200);
    depot.later(1);
    assert_eq!(asks(&beside, "GET", &depot.sticker_path(), &[]).await.status, 404);
    assert_eq!(asks(&beside, "GET", &format!("/dl/{other}.sticker"), &[]).await.status, 200);
}
