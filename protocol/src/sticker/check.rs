//! The rules that metadata, packs and manifests keep, and the steps from Thrift's integers to ours.

use std::collections::BTreeMap;

use super::metadata::{Metadata, Rgb};
use crate::generated::sticker as wire;
use crate::limits::{
    MAX_EMOJI, MAX_FRAME_MS, MAX_FRAMES, MAX_IMAGE_PIXELS, MAX_LOCALES, MAX_LOOPS, MAX_SHORT_TEXT,
    MAX_STICKER_FILE,
};
use crate::{Density, ImageFormat};

/// Why metadata make no sense. Each names the field by its path in the Thrift IDL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A number, or a number of elements, outside what the field allows.
    #[error("`{field}` is outside {min} to {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The smallest value allowed.
        min: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// An enum value of a later version.
    #[error("`{0}` has a value that this reader does not know")]
    UnknownValue(&'static str),
    /// A frame names an image that is not there.
    #[error("frame {0} names an image that is not there")]
    NoSuchImage(usize),
    /// A text is empty where one is needed, or longer than the field allows, in bytes.
    #[error("`{field}` is not a text of {min} to {max} bytes")]
    TextLength {
        /// The field.
        field: &'static str,
        /// Fewest bytes.
        min: usize,
        /// Most bytes.
        max: usize,
    },
    /// A locale that is no language tag like `en` or `zh-Hant`.
    #[error("`{0}` has a key that is no language tag like `en` or `zh-Hant`")]
    NotALocale(&'static str),
    /// The same thing twice.
    #[error("`{0}` names the same thing twice")]
    Duplicate(&'static str),
    /// A slug, a path or a hash that is not in its one valid form.
    #[error("`{field}` is not {form}")]
    Form {
        /// The field.
        field: &'static str,
        /// The form that it must have.
        form: &'static str,
    },
}

impl Metadata {
    pub(super) fn check(&self, images: usize) -> Result<(), MetadataError> {
        let canvas = u64::from(self.width) * u64::from(self.height);
        within("width * height", canvas, 1, MAX_IMAGE_PIXELS)?;
        within("frames", self.frames.len() as u64, 1, MAX_FRAMES as u64)?;
        within("image_lengths", images as u64, 1, self.frames.len() as u64)?;
        within("poster_frame", self.poster_frame.into(), 0, self.frames.len() as u64 - 1)?;
        within("loop_count", self.loop_count.into(), 0, MAX_LOOPS.into())?;
        // A still is shown for as long as one looks at it; a step of an animation takes some time.
        let shortest = u64::from(self.frames.len() > 1);
        for (at, frame) in self.frames.iter().enumerate() {
            within("frames.duration_ms", frame.duration_ms.into(), shortest, MAX_FRAME_MS.into())?;
            if frame.image as usize >= images {
                return Err(MetadataError::NoSuchImage(at));
            }
        }
        within("emoji", self.emoji.len() as u64, 0, MAX_EMOJI as u64)?;
        self.emoji.iter().try_for_each(|emoji| text("emoji", emoji, 1, MAX_SHORT_TEXT))?;
        texts("alt_texts", &self.alt_texts, 0, MAX_SHORT_TEXT)
    }
}

/// The lengths of the images, each at least one byte and together no longer than a file.
pub(super) fn image_lengths(stored: &wire::StickerMetadata) -> Result<Vec<usize>, MetadataError> {
    stored
        .image_lengths
        .iter()
        .map(|&length| {
            let length = unsigned("image_lengths", length)?;
            within("image_lengths", length.into(), 1, MAX_STICKER_FILE as u64)?;
            Ok(length as usize)
        })
        .collect()
}

pub(crate) fn within(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), MetadataError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(MetadataError::OutOfRange { field, min, max }) }
}

pub(crate) fn text(field: &'static str, text: &str, min: usize, max: usize) -> Result<(), MetadataError> {
    if (min..=max).contains(&text.len()) {
        Ok(())
    } else {
        Err(MetadataError::TextLength { field, min, max })
    }
}

/// Texts by locale: at least `at_least`, each of 1 to `max` bytes, under keys that are language tags.
pub(crate) fn texts(
    field: &'static str,
    texts: &BTreeMap<String, String>,
    at_least: u64,
    max: usize,
) -> Result<(), MetadataError> {
    within(field, texts.len() as u64, at_least, MAX_LOCALES as u64)?;
    for (locale, value) in texts {
        if !is_language_tag(locale) {
            return Err(MetadataError::NotALocale(field));
        }
        text(field, value, 1, max)?;
    }
    Ok(())
}

/// Whether a locale has the shape of BCP 47, which is all that a reader needs: a language of 2 or 3 letters and up to three
/// subtags.
pub fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language =
        matches!(language.len(), 2..=3) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_subtag =
        |part: &str| matches!(part.len(), 2..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_language && parts.clone().count() <= 3 && parts.all(is_subtag)
}

pub(crate) fn id<T: TryFrom<i64>>(field: &'static str, value: i64) -> Result<T, MetadataError> {
    T::try_from(value).ok().ok_or(MetadataError::OutOfRange { field, min: 1, max: crate::MAX_ID })
}

pub(crate) fn density(field: &'static str, value: i32) -> Result<Density, MetadataError> {
    let (min, max) = (u64::from(Density::MIN.get()), u64::from(Density::MAX.get()));
    let density = u32::try_from(value).ok().and_then(|value| Density::new(value).ok());
    density.ok_or(MetadataError::OutOfRange { field, min, max })
}

pub(crate) fn format(field: &'static str, value: wire::ImageFormat) -> Result<ImageFormat, MetadataError> {
    match value {
        wire::ImageFormat::PNG => Ok(ImageFormat::Png),
        wire::ImageFormat::WEBP => Ok(ImageFormat::WebP),
        _ => Err(MetadataError::UnknownValue(field)),
    }
}

pub(crate) fn colour(field: &'static str, value: i32) -> Result<Rgb, MetadataError> {
    Rgb::from_wire(value).ok_or(MetadataError::OutOfRange { field, min: 0, max: 0xff_ffff })
}

pub(crate) fn unsigned(field: &'static str, value: i32) -> Result<u32, MetadataError> {
    let max = i32::MAX.cast_unsigned().into();
    u32::try_from(value).ok().ok_or(MetadataError::OutOfRange { field, min: 0, max })
}

/// Every field was checked against a limit far below 2^31 before it is written.
pub(crate) fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
