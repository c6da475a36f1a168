//! Store-page pictures at other widths, from a fixed list: as many files as the list has, whatever is asked for.

use axum::http::StatusCode;
use moka::sync::Cache;
use std::sync::Arc;
use sticker_packer::rerender;
use sticker_protocol::{ImageHeader, ImageHeaderError, Sha256};

use crate::app::App;
use crate::delivery::Bytes;
use crate::web::error::Error;

/// The widths in px that may be asked for.
pub const WIDTHS: [u32; 7] = [96, 160, 240, 320, 480, 640, 960];

/// Pictures that were made, by the picture that they were made of and their width.
#[derive(Debug)]
pub(super) struct Pictures(Cache<(Sha256, u32), Bytes>);

impl Pictures {
    pub(super) fn new() -> Self {
        let weight = |_: &(Sha256, u32), picture: &Bytes| u32::try_from(picture.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(IN_MEMORY).weigher(weight).build())
    }
}

/// Bytes: some thousands of pictures.
const IN_MEMORY: u64 = 32 << 20;

/// The width that a query asks for; none where it asks for none.
///
/// # Errors
/// 400 `invalid_width` for one that is not on the list, or given twice.
pub(crate) fn asked_width(query: &str) -> Result<Option<u32>, Error> {
    let mut asked = query.split('&').filter_map(|pair| pair.strip_prefix("width="));
    let Some(width) = asked.next() else { return Ok(None) };
    let listed = WIDTHS.into_iter().find(|listed| listed.to_string() == width);
    listed.filter(|_| asked.next().is_none()).map(Some).ok_or_else(not_listed)
}

fn not_listed() -> Error {
    Error::bad_request("invalid_width", "`width` is 96, 160, 240, 320, 480, 640 or 960, once")
}

/// A WebP of this width made of a still WebP, or that one where it is not wider. `hash` is its own.
///
/// # Errors
/// 400 `invalid_width` for an animation; 503 `too_many_renders`.
pub(crate) async fn at_width(app: &App, hash: Sha256, picture: Bytes, width: u32) -> Result<Bytes, Error> {
    let native = match ImageHeader::read(&picture) {
        Ok(header) => header.width,
        Err(ImageHeaderError::Animated) => {
            return Err(Error::bad_request("invalid_width", "an animation has no other widths"));
        }
        Err(_) => return Err(Error::not_found("there is no such picture")),
    };
    if native <= width {
        return Ok(picture);
    }
    if let Some(made) = app.variants.pictures.0.get(&(hash, width)) {
        return Ok(made);
    }
    let place = Arc::clone(&app.variants.places).try_acquire_owned().map_err(|_all_taken| {
        Error::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_renders", "too many pictures are being made")
            .retry_after(2)
    })?;
    // Never closed: whoever waits for a turn gets it.
    let turn = Arc::clone(&app.variants.at_once).acquire_owned().await;
    // Meanwhile somebody else may have made it.
    if let Some(made) = app.variants.pictures.0.get(&(hash, width)) {
        return Ok(made);
    }
    let made = tokio::task::spawn_blocking(move || {
        let made = rerender::at_width(&picture, width);
        drop((turn, place));
        made
    });
    let made =
        made.await.map_err(|error| Error::internal(&error))?.map_err(|error| Error::internal(&error))?;
    let made = Bytes::from(made);
    app.variants.pictures.0.insert((hash, width), made.clone());
    Ok(made)
}
