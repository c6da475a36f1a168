//! Pictures as files: PNG for low densities, WebP above.

mod animation;
mod png;
mod webp;

pub(crate) use animation::animated_webp;
use sticker_protocol::{Density, ImageFormat};
pub(crate) use webp::{is_lossless, lossless, smaller_of_lossy_and_lossless};

use crate::error::Error;
use crate::picture::Picture;

/// The densities up to which a sticker is a PNG: such phones are old and slow, and decode PNG faster.
const LAST_PNG_DENSITY: u16 = 160;

/// The format of a density by default.
pub(crate) fn format_for(density: Density) -> ImageFormat {
    if density.get() <= LAST_PNG_DENSITY { ImageFormat::Png } else { ImageFormat::WebP }
}

/// Encodes a still. The same picture gives the same bytes.
pub(crate) fn still(picture: &Picture, format: ImageFormat) -> Result<Vec<u8>, Error> {
    match format {
        ImageFormat::Png => png::encode(picture),
        ImageFormat::WebP => smaller_of_lossy_and_lossless(picture),
    }
}
