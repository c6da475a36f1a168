//! The sticker file: one sticker at one density in one image format. Section 2 of this crate's README.

pub(crate) mod check;
mod metadata;

pub use check::{MetadataError, is_language_tag};
pub use metadata::{Blend, Dispose, Frame, Metadata, Rgb};

use crate::bytes::{be_u16, be_u32};
use crate::codec::{self, CodecError};
use crate::format::{ImageHeader, ImageHeaderError};
use crate::generated::sticker as wire;
use crate::limits::{MAX_DECODED_PIXELS, MAX_IMAGE_PIXELS, MAX_METADATA, MAX_STICKER_FILE};

/// The first eight bytes. The high bit, both line endings and the DOS end-of-file mark show a transfer that mangled text.
pub const MAGIC: [u8; 8] = *b"\x89STKR\r\n\x1a";
/// The format version that this crate writes and reads.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes before the metadata: magic, version, zero, metadata length.
const HEADER: usize = 16;

/// A sticker file that keeps to the format: metadata and images agree, and nothing goes beyond the
/// [limits](crate::limits). The images' headers were read, their pixels were not.
#[derive(Clone, Debug)]
pub struct StickerFile<'a> {
    metadata: Metadata,
    images: Vec<&'a [u8]>,
}

/// Why bytes are no sticker file, or no sticker file can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StickerFileError {
    /// More than [`MAX_STICKER_FILE`] bytes.
    #[error("it has {0} bytes; a sticker file has at most {MAX_STICKER_FILE}")]
    TooLong(usize),
    /// The first eight bytes are others.
    #[error("it does not begin as a sticker file")]
    NotASticker,
    /// A later version of the format, or the reserved field is set.
    #[error("it has format version {0}, which this reader does not know")]
    UnsupportedVersion(u16),
    /// It ends before its header, its metadata or its last image does.
    #[error("it is cut: {needed} bytes are announced and {there} are there")]
    Cut {
        /// Bytes that the header or the metadata announce.
        needed: u64,
        /// Bytes that there are.
        there: u64,
    },
    /// Something follows the last image.
    #[error("{0} bytes follow the last image")]
    TrailingBytes(u64),
    /// The metadata are no Thrift struct of the right kind.
    #[error("its metadata cannot be read")]
    Codec(#[source] CodecError),
    /// The metadata contradict themselves or go beyond a limit.
    #[error("its metadata are wrong")]
    Metadata(#[from] MetadataError),
    /// An image is not what the metadata say.
    #[error("image {index} is wrong")]
    Image {
        /// Which image, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        error: ImageError,
    },
    /// The images together have too many pixels.
    #[error("its images have {0} pixels together; at most {MAX_DECODED_PIXELS} may be decoded")]
    TooManyPixels(u64),
}

/// Why an image does not fit its place in a sticker file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Its header is no header of a still PNG or WebP.
    #[error(transparent)]
    Header(#[from] ImageHeaderError),
    /// It has another format than the metadata say.
    #[error("its format is not the one that the metadata name")]
    WrongFormat,
    /// More than [`MAX_IMAGE_PIXELS`].
    #[error("it has {0} pixels; at most {MAX_IMAGE_PIXELS} are allowed")]
    TooLarge(u64),
    /// A frame puts it partly outside the canvas.
    #[error("frame {0} puts it partly outside the canvas")]
    OutsideCanvas(usize),
    /// No frame shows it.
    #[error("no frame shows it")]
    Unused,
}

impl<'a> StickerFile<'a> {
    /// Reads a whole file, strictly. Allocates no more than its metadata need.
    ///
    /// # Errors
    /// [`StickerFileError`] names the first thing that is wrong.
    pub fn read(file: &'a [u8]) -> Result<Self, StickerFileError> {
        if file.len() > MAX_STICKER_FILE {
            return Err(StickerFileError::TooLong(file.len()));
        }
        if !file.starts_with(&MAGIC) {
            return Err(StickerFileError::NotASticker);
        }
        let cut = |needed: u64| StickerFileError::Cut { needed, there: file.len() as u64 };
        let (Some(version), Some(reserved), Some(length)) =
            (be_u16(file, 8), be_u16(file, 10), be_u32(file, 12))
        else {
            return Err(cut(HEADER as u64));
        };
        if version != FORMAT_VERSION || reserved != 0 {
            return Err(StickerFileError::UnsupportedVersion(version));
        }
        let length = length as usize;
        if length > MAX_METADATA {
            return Err(StickerFileError::Codec(CodecError::TooLong));
        }
        let encoded = file.get(HEADER..HEADER + length).ok_or_else(|| cut((HEADER + length) as u64))?;
        let stored: wire::StickerMetadata = codec::read(encoded).map_err(StickerFileError::Codec)?;
        let lengths = check::image_lengths(&stored)?;
        let metadata = Metadata::from_wire(stored)?;
        let images = split(file, HEADER + length, &lengths)?;
        check_images(&metadata, &images)?;
        Ok(Self { metadata, images })
    }

    /// What the file says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The images, each a complete PNG or WebP file; frames name them by index.
    pub fn images(&self) -> &[&'a [u8]] {
        &self.images
    }

    /// The metadata, without the images.
    pub fn into_metadata(self) -> Metadata {
        self.metadata
    }
}

/// Writes a sticker file. What this function writes, [`StickerFile::read`] reads.
///
/// # Errors
/// [`StickerFileError`] where metadata and images do not agree or go beyond a limit.
pub fn write(metadata: &Metadata, images: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, StickerFileError> {
    metadata.check(images.len())?;
    let images: Vec<&[u8]> = images.iter().map(AsRef::as_ref).collect();
    check_images(metadata, &images)?;
    let total = images.iter().fold(HEADER, |total, image| total.saturating_add(image.len()));
    if total > MAX_STICKER_FILE {
        return Err(StickerFileError::TooLong(total));
    }
    let encoded = codec::write(&metadata.to_wire(&images)).map_err(StickerFileError::Codec)?;
    if total + encoded.len() > MAX_STICKER_FILE {
        return Err(StickerFileError::TooLong(total + encoded.len()));
    }
    let length = u32::try_from(encoded.len()).ok().ok_or(StickerFileError::Codec(CodecError::TooLong))?;

    let mut file = Vec::with_capacity(total + encoded.len());
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
    file.extend_from_slice(&[0, 0]);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&encoded);
    for image in images {
        file.extend_from_slice(image);
    }
    Ok(file)
}

fn split<'a>(file: &'a [u8], start: usize, lengths: &[usize]) -> Result<Vec<&'a [u8]>, StickerFileError> {
    let needed = lengths.iter().fold(start as u64, |sum, &length| sum + length as u64);
    let there = file.len() as u64;
    match needed.cmp(&there) {
        std::cmp::Ordering::Greater => return Err(StickerFileError::Cut { needed, there }),
        std::cmp::Ordering::Less => return Err(StickerFileError::TrailingBytes(there - needed)),
        std::cmp::Ordering::Equal => {}
    }
    let mut rest = file.get(start..).unwrap_or_default();
    let mut images = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (image, after) = rest.split_at_checked(length).ok_or(StickerFileError::Cut { needed, there })?;
        images.push(image);
        rest = after;
    }
    Ok(images)
}

fn check_images(metadata: &Metadata, images: &[&[u8]]) -> Result<(), StickerFileError> {
    let mut pixels = 0;
    for (index, image) in images.iter().enumerate() {
        pixels +=
            check_image(metadata, index, image).map_err(|error| StickerFileError::Image { index, error })?;
    }
    if pixels > MAX_DECODED_PIXELS { Err(StickerFileError::TooManyPixels(pixels)) } else { Ok(()) }
}

fn check_image(metadata: &Metadata, index: usize, image: &[u8]) -> Result<u64, ImageError> {
    let header = ImageHeader::read(image)?;
    if header.format != metadata.format {
        return Err(ImageError::WrongFormat);
    }
    if header.pixels() > MAX_IMAGE_PIXELS {
        return Err(ImageError::TooLarge(header.pixels()));
    }
    let mut used = false;
    for (at, frame) in metadata.frames.iter().enumerate().filter(|(_, frame)| frame.image as usize == index) {
        used = true;
        let fits =
            |offset: u32, length: u32, side: u32| u64::from(offset) + u64::from(length) <= u64::from(side);
        if !fits(frame.x, header.width, metadata.width) || !fits(frame.y, header.height, metadata.height) {
            return Err(ImageError::OutsideCanvas(at));
        }
    }
    if used { Ok(header.pixels()) } else { Err(ImageError::Unused) }
}

#[cfg(test)]
mod tests;
