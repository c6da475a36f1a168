//! Decoded pictures. The decoders are memory-safe Rust, and sizes are checked from headers before anything is allocated.

use std::io::Cursor;

use sticker_protocol::limits::{MAX_DECODED_PIXELS, MAX_FRAMES, MAX_IMAGE_PIXELS};
use sticker_protocol::{ImageFormat, ImageHeader, ImageHeaderError};

/// Straight (not premultiplied) sRGB with alpha, 8 bits a channel, rows from the top.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Picture {
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Four bytes a pixel: red, green, blue, alpha.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Whether any pixel is not fully transparent.
    pub(crate) fn shows_something(&self) -> bool {
        self.rgba.as_chunks::<4>().0.iter().any(|&[.., alpha]| alpha > 0)
    }
}

/// Why an image was not decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No header of a still PNG or WebP.
    #[error(transparent)]
    Header(#[from] ImageHeaderError),
    /// The other format.
    #[error("it is a {0} file")]
    OtherFormat(ImageFormat),
    /// More than [`MAX_IMAGE_PIXELS`].
    #[error("it has {width} x {height} px; at most {MAX_IMAGE_PIXELS} px are allowed")]
    TooLarge {
        /// Width in px.
        width: u32,
        /// Height in px.
        height: u32,
    },
    /// The PNG decoder refused.
    #[error("it is no valid PNG")]
    Png(#[from] png::DecodingError),
    /// The WebP decoder refused.
    #[error("it is no valid WebP")]
    WebP(#[from] image_webp::DecodingError),
}

/// Decodes a whole image file of this format.
///
/// # Errors
/// [`DecodeError`] says what is wrong; nothing large was allocated for a file that claims too much.
pub fn decode(file: &[u8], format: ImageFormat) -> Result<Picture, DecodeError> {
    let header = ImageHeader::read(file)?;
    if header.format != format {
        return Err(DecodeError::OtherFormat(header.format));
    }
    if header.pixels() > MAX_IMAGE_PIXELS {
        return Err(DecodeError::TooLarge { width: header.width, height: header.height });
    }
    match format {
        ImageFormat::Png => decode_png(file),
        ImageFormat::WebP => decode_webp(file),
    }
}

fn decode_png(file: &[u8]) -> Result<Picture, DecodeError> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(
        png::Transformations::ALPHA | png::Transformations::EXPAND | png::Transformations::STRIP_16,
    );
    let mut reader = decoder.read_info()?;
    let size = reader.output_buffer_size().ok_or(png::DecodingError::LimitsExceeded)?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels)?;
    reader.finish()?;
    pixels.truncate(frame.buffer_size());
    let rgba = match frame.color_type {
        png::ColorType::GrayscaleAlpha => {
            pixels.as_chunks::<2>().0.iter().flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()
        }
        _ => pixels,
    };
    Ok(Picture { width: frame.width, height: frame.height, rgba })
}

fn decode_webp(file: &[u8]) -> Result<Picture, DecodeError> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file))?;
    let (width, height) = decoder.dimensions();
    let size = decoder.output_buffer_size().ok_or(image_webp::DecodingError::ImageTooLarge)?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels)?;
    let rgba = if decoder.has_alpha() {
        pixels
    } else {
        pixels.as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect()
    };
    Ok(Picture { width, height, rgba })
}

/// What an animated WebP file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Animation {
    /// Width of the canvas in px.
    pub width: u32,
    /// Height of the canvas in px.
    pub height: u32,
    /// Number of frames.
    pub frames: u32,
    /// How long one loop lasts, in ms.
    pub duration_ms: u64,
}

/// Decodes every frame of an animated WebP file, one at a time.
///
/// # Errors
/// [`DecodeError`] says what is wrong; nothing large was allocated for a file that claims too much.
pub fn decode_animation(file: &[u8]) -> Result<Animation, DecodeError> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file))?;
    let (width, height) = decoder.dimensions();
    let frames = decoder.num_frames();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_IMAGE_PIXELS
        || pixels * u64::from(frames) > MAX_DECODED_PIXELS
        || frames as usize > MAX_FRAMES
    {
        return Err(DecodeError::TooLarge { width, height });
    }
    let size = decoder.output_buffer_size().ok_or(image_webp::DecodingError::ImageTooLarge)?;
    let mut canvas = vec![0; size];
    let mut duration_ms = 0;
    for _ in 0..frames {
        duration_ms += u64::from(decoder.read_frame(&mut canvas)?);
    }
    Ok(Animation { width, height, frames, duration_ms })
}
