//! Downloads: the client says how dense its screen is, and gets the bytes that suit it.

pub mod web;

use std::sync::Arc;

use sticker_protocol::Sha256;

use crate::app::App;
use crate::web::error::Error;

/// An object's content, shared between requests.
pub(crate) type Bytes = axum::body::Bytes;

/// What an object weighs in the cache, in bytes.
pub(crate) fn weight(_: &Sha256, content: &Bytes) -> u32 {
    u32::try_from(content.len()).unwrap_or(u32::MAX)
}

/// An object from memory, else from where objects are; its hash was checked when it came in.
pub(crate) async fn object(app: &App, hash: Sha256) -> Result<Option<Bytes>, Error> {
    if let Some(hot) = app.hot.get(&hash) {
        return Ok(Some(hot));
    }
    let app = Arc::clone(app);
    let Some(content) = app.objects.get(hash).await? else { return Ok(None) };
    let content = Bytes::from(content);
    app.hot.insert(hash, content.clone());
    Ok(Some(content))
}
