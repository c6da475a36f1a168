//! Style sheet, scripts and the store's own pictures: compiled in, named by their content, kept for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sticker_protocol::Sha256;

/// `GET /assets/{name}.{hash}.{extension}`, in whatever state the application has.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(serve))
}

/// The address of an asset by its file name: `store.css` is at `/assets/store.0123456789abcdef.css`.
/// `None` if there is no such asset.
pub fn url(name: &str) -> Option<&'static str> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.url.as_str())
}

/// Every asset, for tests and for pages that are written to a folder.
pub fn all() -> &'static [Asset] {
    &*ASSETS
}

/// A compiled-in file.
#[derive(Debug)]
pub struct Asset {
    /// The file name in `templates/assets`.
    pub name: &'static str,
    /// The address, with the first 16 hex digits of the SHA-256 of the bytes.
    pub url: String,
    /// The value of `Content-Type`.
    pub media_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

async fn serve(Path(file): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(&file)) else {
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, asset.bytes).into_response()
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        named(
            $name,
            $media_type,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/assets/", $name)),
        )
    };
}

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    [
        asset!("bridge.js", JAVASCRIPT),
        asset!("icon.svg", SVG),
        asset!("launch.js", JAVASCRIPT),
        asset!("redeem.js", JAVASCRIPT),
        asset!("store.css", CSS),
        asset!("store.js", JAVASCRIPT),
    ]
});

fn named(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let hash: String = Sha256::of(bytes).to_string().chars().take(16).collect();
    Asset { name, url: format!("/assets/{stem}.{hash}.{extension}"), media_type, bytes }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(path: &str) -> Response {
        router::<()>().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn an_asset_is_kept_for_ever_under_the_hash_of_its_content() {
        let response = answer(url("store.css").unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], CSS);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    }

    #[tokio::test]
    async fn an_outdated_hash_is_not_found_and_not_kept() {
        let response = answer("/assets/store.0000000000000000.css").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/assets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let names: Vec<&str> = all().iter().map(|asset| asset.name).collect();
        assert_eq!(files, names);
    }
}
