//! How far a release is, as its designer is told.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sticker_protocol::Sha256;
use sticker_protocol::release::Manifest;

use super::missing::Files;
use super::web::read;
use crate::app::App;
use crate::catalogue::entity::release;
use crate::web::error::Error;

/// How far a release is: what is missing of it, and where that can be sent straight to, where it need not come through the store.
pub(super) async fn shown(app: &App, found: &release::Model) -> Result<Value, Error> {
    let manifest = read(found)?;
    let state = if found.published_at.is_some() { "published" } else { "uploading" };
    let missing = Files::of(app, &found.id, &manifest).await?.missing();
    let uploads = addresses(app, &found.id, &manifest, &missing).await?;
    let release =
        json!({ "id": found.id, "pack_id": manifest.pack, "slug": manifest.slug.as_str(), "state": state });
    let mut shown = json!({ "release": release, "missing": missing });
    if let (false, Some(fields)) = (uploads.is_empty(), shown.as_object_mut()) {
        fields.insert("uploads".to_owned(), uploads.into());
    }
    Ok(shown)
}

/// For so many of the missing files as fit into an answer; the state has others when these are there.
async fn addresses(
    app: &App,
    id: &str,
    manifest: &Manifest,
    missing: &[Sha256],
) -> Result<Map<String, Value>, Error> {
    let sizes: BTreeMap<Sha256, u64> = manifest.files.iter().map(|file| (file.sha256, file.size)).collect();
    let (seconds, mut uploads) = (app.config.publishing.upload_seconds, Map::new());
    for hash in missing.iter().take(MOST_ADDRESSES) {
        let Some(&size) = sizes.get(hash) else { continue };
        let Some(to) = app.objects.upload_address(id, (*hash, size), seconds).await? else { break };
        let expires_at = app.clock.now_ms() / 1_000 + i64::from(seconds);
        let upload = json!({ "url": to.url, "headers": to.headers, "expires_at": expires_at });
        uploads.insert(hash.to_string(), upload);
    }
    Ok(uploads)
}

/// An address has about a kilobyte.
const MOST_ADDRESSES: usize = 1_000;
