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
    /// It goes on behind its end, or ends before it.
    #[error("its last byte is not the end of the picture")]
    End,
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
    let picture = match format {
        ImageFormat::Png => decode_png(file)?,
        ImageFormat::WebP => decode_webp(file)?,
    };
    if (picture.width, picture.height) != (header.width, header.height) {
        return Err(ImageHeaderError::Broken.into());
    }
    Ok(picture)
}

/// Whether the chunk `IEND`, which is empty, is the last one and nothing follows it: a decoder does not look behind it. PNG, third
/// edition, section 5.
fn ends_with_iend(file: &[u8]) -> bool {
    let mut rest = file.get(8..).unwrap_or_default();
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [length, name] = header.as_chunks::<4>().0 else { return false };
        let length = u32::from_be_bytes(*length) as usize;
        // After the content come four bytes of checksum.
        let Some(next) = length.checked_add(4).and_then(|length| after.get(length..)) else { return false };
        if name == b"IEND" {
            return length == 0 && next.is_empty();
        }
        rest = next;
    }
    false
}

fn decode_png(file: &[u8]) -> Result<Picture, DecodeError> {
    if !ends_with_iend(file) {
        return Err(DecodeError::End);
    }
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(
        png::Transformations::ALPHA | png::Transformations::EXPAND | png::Transformations::STRIP_16,
    );
    let mut reader = decoder.read_info()?;
    if reader.info().animation_control.is_some() {
        return Err(ImageHeaderError::Animated.into());
    }
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

/// Whether a WebP file is chunks from its first byte to its last, each as long as it says. RFC 9649, sections 2.3 and 2.4.
fn is_all_chunks(file: &[u8]) -> bool {
    let riff = file.get(4..8).and_then(|size| size.first_chunk()).map(|size| u32::from_le_bytes(*size));
    if riff.is_none_or(|riff| u64::from(riff) + 8 != file.len() as u64) {
        return false;
    }
    let mut rest = file.get(12..).unwrap_or_default();
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [_, length] = header.as_chunks::<4>().0 else { return false };
        let length = u32::from_le_bytes(*length) as usize;
        let padded = length.checked_next_multiple_of(2);
        let Some(next) = padded.and_then(|padded| after.get(padded..)) else { return false };
        rest = next;
    }
    rest.is_empty()
}

fn decode_webp(file: &[u8]) -> Result<Picture, DecodeError> {
    if !is_all_chunks(file) {
        return Err(DecodeError::End);
    }
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

/// Decodes every frame of an animated WebP file, one at a time; a still one counts as one frame.
///
/// # Errors
/// [`DecodeError`] says what is wrong; nothing large was allocated for a file that claims too much.
pub fn decode_animation(file: &[u8]) -> Result<Animation, DecodeError> {
    if !is_all_chunks(file) {
        return Err(DecodeError::End);
    }
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file))?;
    if !decoder.is_animated() {
        let Picture { width, height, .. } = decode(file, ImageFormat::WebP)?;
        return Ok(Animation { width, height, frames: 1, duration_ms: 0 });
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The animation control and a frame's too where it is one, as another encoder would write them.
    fn png(frames: Option<u32>) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 3);
        encoder.set_color(png::ColorType::Rgba);
        if let Some(frames) = frames {
            encoder.set_animated(frames, 0).unwrap();
        }
        let mut writer = encoder.write_header().unwrap();
        for _ in 0..frames.unwrap_or(1) {
            writer.write_image_data(&[7; 2 * 3 * 4]).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    fn webp() -> Vec<u8> {
        let mut file = Vec::new();
        let pixels = [7; 2 * 3 * 4];
        image_webp::WebPEncoder::new(&mut file).encode(&pixels, 2, 3, image_webp::ColorType::Rgba8).unwrap();
        file
    }

    #[test]
    fn a_picture_that_goes_on_behind_its_end_is_refused() {
        for (file, format) in [(png(None), ImageFormat::Png), (webp(), ImageFormat::WebP)] {
            assert_eq!(decode(&file, format).unwrap().rgba, [7; 2 * 3 * 4]);
            for more in [&b"\0"[..], b"PK\x03\x04 another file", &file] {
                assert!(
                    decode(&[&file, more].concat(), format).is_err(),
                    "{format} and {} bytes",
                    more.len()
                );
            }
        }
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_is_refused() {
        for (file, format) in [(png(None), ImageFormat::Png), (webp(), ImageFormat::WebP)] {
            for length in 0..file.len() {
                assert!(decode(&file[..length], format).is_err(), "{format} of {length} bytes");
            }
        }
    }

    #[test]
    fn an_animation_is_no_still() {
        let animated = decode(&png(Some(2)), ImageFormat::Png);
        assert!(matches!(animated, Err(DecodeError::Header(ImageHeaderError::Animated))), "{animated:?}");
    }
}
