//! A release that the packer built, published as a designer does.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use sticker_packer::{BuildOptions, Effort, build};
use sticker_protocol::release::{MANIFEST_FILE, Manifest};
use sticker_store::account::client::{self, Scope};
use sticker_store::app::{App, router};
use sticker_store::random::Random;
use sticker_tests::Artwork;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// Builds a pack of two stickers into a folder of its own.
pub(crate) fn built(slug: &str) -> TempDir {
    let (artwork, out) = (Artwork::project(slug, "tier1", 2, 0), tempfile::tempdir().unwrap());
    builds(artwork.path(), &out.path().join("release"));
    out
}

/// Builds a project; at the least effort, since what is tested is what becomes of it.
pub(crate) fn builds(project: &Path, out: &Path) {
    let random = Random::system();
    let options = BuildOptions { effort: Effort::Fast, ..BuildOptions::new(random.secure()) };
    build(project, out, &options, &()).unwrap();
}

/// Publishes what was built.
pub(crate) async fn published(app: &App, out: &Path) -> Manifest {
    let secret = client::add(app, "studio", &[Scope::Publish]).await.unwrap().secret;
    published_by(app, &secret, out).await
}

/// The same by a designer who is known already.
pub(crate) async fn published_by(app: &App, secret: &str, out: &Path) -> Manifest {
    let folder = out.join("release");
    let bytes = std::fs::read(folder.join(MANIFEST_FILE)).unwrap();
    let manifest = Manifest::read(&bytes).unwrap();
    let request = |method: Method, path: String, body: Vec<u8>| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .body(Body::from(body))
            .unwrap()
    };
    let begun = send(app, request(Method::POST, "/v1/releases".to_owned(), bytes)).await;
    let begun = axum::body::to_bytes(begun.into_body(), usize::MAX).await.unwrap();
    let begun: serde_json::Value = serde_json::from_slice(&begun).unwrap();
    let id = begun["release"]["id"].as_str().unwrap().to_owned();
    for file in &manifest.files {
        let bytes = std::fs::read(folder.join(file.path.as_str())).unwrap();
        let path = format!("/v1/releases/{id}/objects/{}", file.sha256);
        let put = send(app, request(Method::PUT, path, bytes)).await;
        assert_eq!(put.status(), StatusCode::NO_CONTENT);
    }
    let shown = send(app, request(Method::POST, format!("/v1/releases/{id}/publish"), Vec::new())).await;
    assert_eq!(shown.status(), StatusCode::OK);
    manifest
}

/// Sends a request through the store's whole router.
pub(crate) async fn send(app: &App, request: Request<Body>) -> Response {
    router(App::clone(app)).oneshot(request).await.unwrap()
}
