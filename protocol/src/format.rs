//! The two image formats, and their sizes as the header says, so that nothing large is decoded by surprise.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bytes::{be_u32, le_u16, le_u24};

/// A format in which an image of a sticker file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    /// PNG without animation chunks: fast to decode on old, low-density phones.
    Png,
    /// A still WebP file.
    WebP,
}

impl ImageFormat {
    /// The ending of file names and the name in addresses: `png` or `webp`.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// The media type of one image.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// Reads the name that [`Self::extension`] gives.
    pub fn from_extension(name: &str) -> Option<Self> {
        match name {
            "png" => Some(Self::Png),
            "webp" => Some(Self::WebP),
            _ => None,
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

/// What the first bytes of an image file say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    /// The format, from the magic bytes.
    pub format: ImageFormat,
    /// Width in px, at least 1.
    pub width: u32,
    /// Height in px, at least 1.
    pub height: u32,
}

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageHeaderError {
    /// Neither a PNG nor a WebP file.
    #[error("it is neither a PNG nor a WebP file")]
    UnknownFormat,
    /// The header is cut, or its length fields do not fit the bytes.
    #[error("its header is cut or contradicts itself")]
    Broken,
    /// Width or height is zero.
    #[error("its width or height is zero")]
    Empty,
    /// An animated WebP: a sticker file holds still images and says itself when each is shown.
    #[error("it is an animation, where a still image belongs")]
    Animated,
}

impl ImageHeader {
    /// Reads format and size from the start of a whole image file. Decodes nothing.
    ///
    /// # Errors
    /// [`ImageHeaderError`] says what is wrong with the header.
    pub fn read(file: &[u8]) -> Result<Self, ImageHeaderError> {
        let header = if file.starts_with(PNG_MAGIC) {
            read_png(file).ok_or(ImageHeaderError::Broken)?
        } else if file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP") {
            read_webp(file)?
        } else {
            return Err(ImageHeaderError::UnknownFormat);
        };
        if header.width == 0 || header.height == 0 { Err(ImageHeaderError::Empty) } else { Ok(header) }
    }

    /// Width times height.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// PNG, third edition, section 11.2.1: IHDR is the first chunk and 13 bytes long.
fn read_png(file: &[u8]) -> Option<ImageHeader> {
    let is_ihdr = be_u32(file, 8)? == 13 && file.get(12..16)? == b"IHDR";
    let header =
        ImageHeader { format: ImageFormat::Png, width: be_u32(file, 16)?, height: be_u32(file, 20)? };
    (is_ihdr && header.width <= MAX_PNG_SIDE && header.height <= MAX_PNG_SIDE).then_some(header)
}

const MAX_PNG_SIDE: u32 = i32::MAX.cast_unsigned();

/// RFC 9649, sections 2.4 to 2.7: `VP8 `, `VP8L` or `VP8X` is the first chunk, and the RIFF size covers the file.
fn read_webp(file: &[u8]) -> Result<ImageHeader, ImageHeaderError> {
    let size = (|| {
        let riff = u64::from(u32::from_le_bytes(file.get(4..8)?.try_into().ok()?));
        if riff + 8 != file.len() as u64 {
            return None;
        }
        match file.get(12..16)? {
            b"VP8 " => {
                let is_key_frame = file.get(20)? & 1 == 0 && file.get(23..26)? == b"\x9d\x01\x2a";
                is_key_frame.then_some(())?;
                Some((u32::from(le_u16(file, 26)? & 0x3fff), u32::from(le_u16(file, 28)? & 0x3fff), false))
            }
            b"VP8L" => {
                (*file.get(20)? == 0x2f).then_some(())?;
                let bits = u32::from_le_bytes(file.get(21..25)?.try_into().ok()?);
                Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, false))
            }
            b"VP8X" => Some((le_u24(file, 24)? + 1, le_u24(file, 27)? + 1, file.get(20)? & 0b10 != 0)),
            _ => None,
        }
    })();
    match size {
        None => Err(ImageHeaderError::Broken),
        Some((_, _, true)) => Err(ImageHeaderError::Animated),
        Some((width, height, false)) => Ok(ImageHeader { format: ImageFormat::WebP, width, height }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The smallest bytes that read as a PNG of this size. No decoder would take them.
    pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
        [
            PNG_MAGIC,
            &13_u32.to_be_bytes(),
            b"IHDR",
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            &[8, 6, 0, 0, 0],
        ]
        .concat()
    }

    /// The smallest bytes that read as a lossless WebP of this size. No decoder would take them.
    pub(crate) fn webp_header(width: u32, height: u32) -> Vec<u8> {
        let bits = (width - 1) | ((height - 1) << 14);
        let chunk = [b"VP8L", &5_u32.to_le_bytes()[..], &[0x2f], &bits.to_le_bytes(), &[0]].concat();
        let size = u32::try_from(chunk.len() + 4).unwrap();
        [b"RIFF", &size.to_le_bytes()[..], b"WEBP", &chunk].concat()
    }

    #[test]
    fn sizes_are_read_from_the_header_alone() {
        let png = ImageHeader::read(&png_header(512, 3)).unwrap();
        assert_eq!(png, ImageHeader { format: ImageFormat::Png, width: 512, height: 3 });
        let webp = ImageHeader::read(&webp_header(16_384, 1)).unwrap();
        assert_eq!(webp, ImageHeader { format: ImageFormat::WebP, width: 16_384, height: 1 });
    }

    #[test]
    fn a_header_cut_anywhere_is_refused() {
        for whole in [png_header(5, 7), webp_header(5, 7)] {
            let needed = if whole.starts_with(PNG_MAGIC) { 24 } else { whole.len() };
            for length in 0..needed {
                assert!(ImageHeader::read(&whole[..length]).is_err(), "{length} bytes of {}", whole.len());
            }
        }
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        assert_eq!(ImageHeader::read(&png_header(0, 7)), Err(ImageHeaderError::Empty));
    }

    #[test]
    fn a_webp_whose_length_field_lies_is_refused() {
        let mut longer = webp_header(5, 7);
        longer.push(0);
        assert_eq!(ImageHeader::read(&longer), Err(ImageHeaderError::Broken));
    }
}
