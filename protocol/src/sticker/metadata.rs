//! What a sticker file says of itself.

use std::collections::BTreeMap;
use std::fmt;

use super::check::{self, MetadataError};
use crate::generated::sticker as wire;
use crate::{Density, ImageFormat, PackId, StickerId};

/// The metadata of a sticker file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The sticker.
    pub sticker: StickerId,
    /// The pack that it belongs to.
    pub pack: PackId,
    /// The density that it was built for; a master has the density at which its canvas has its native size.
    pub density: Density,
    /// Width of the canvas in px.
    pub width: u32,
    /// Height of the canvas in px.
    pub height: u32,
    /// The format of every image in the file.
    pub format: ImageFormat,
    /// How often the animation plays; 0 = for ever.
    pub loop_count: u32,
    /// What is shown when, at least one frame; a still has exactly one, of duration 0.
    pub frames: Vec<Frame>,
    /// Index of the frame that stands for the sticker where nothing moves.
    pub poster_frame: u32,
    /// The emoji that it answers to.
    pub emoji: Vec<String>,
    /// What it shows, in words, by locale.
    pub alt_texts: BTreeMap<String, String>,
    /// What to paint before the picture is there.
    pub placeholder_colour: Rgb,
}

/// One step of an animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Index of the image; several frames may show the same one.
    pub image: u32,
    /// Left edge on the canvas in px.
    pub x: u32,
    /// Top edge on the canvas in px.
    pub y: u32,
    /// How long it is shown, in ms.
    pub duration_ms: u32,
    /// How it meets what is on the canvas.
    pub blend: Blend,
    /// What happens to its rectangle afterwards.
    pub dispose: Dispose,
}

/// How a frame's pixels meet the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blend {
    /// Alpha-composited over what is there.
    Over,
    /// In the place of what is there, transparency included.
    Replace,
}

/// What happens to a frame's rectangle before the next frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dispose {
    /// It stays.
    None,
    /// It is cleared to transparent.
    Background,
}

/// An opaque sRGB colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    pub(crate) fn to_wire(self) -> i32 {
        let [red, green, blue] = self.0;
        i32::from_be_bytes([0, red, green, blue])
    }

    pub(crate) fn from_wire(value: i32) -> Option<Self> {
        match value.to_be_bytes() {
            [0, red, green, blue] => Some(Self([red, green, blue])),
            _ => None,
        }
    }
}

/// As in CSS: `#rrggbb`.
impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", crate::hex::encode(&self.0))
    }
}

impl Metadata {
    /// How long one loop lasts, in ms; 0 for a still.
    pub fn duration_ms(&self) -> u64 {
        self.frames.iter().map(|frame| u64::from(frame.duration_ms)).sum()
    }

    pub(super) fn from_wire(stored: wire::StickerMetadata) -> Result<Self, MetadataError> {
        let images = stored.image_lengths.len();
        let metadata = Self {
            sticker: check::id("sticker_id", stored.sticker_id)?,
            pack: check::id("pack_id", stored.pack_id)?,
            density: check::density("density", stored.density)?,
            width: check::unsigned("width", stored.width)?,
            height: check::unsigned("height", stored.height)?,
            format: check::format("format", stored.format)?,
            loop_count: check::unsigned("loop_count", stored.loop_count)?,
            frames: stored.frames.iter().map(Frame::from_wire).collect::<Result<_, _>>()?,
            poster_frame: check::unsigned("poster_frame", stored.poster_frame)?,
            emoji: stored.emoji,
            alt_texts: stored.alt_texts,
            placeholder_colour: check::colour("placeholder_colour", stored.placeholder_colour)?,
        };
        metadata.check(images)?;
        Ok(metadata)
    }

    pub(super) fn to_wire(&self, images: &[&[u8]]) -> wire::StickerMetadata {
        wire::StickerMetadata {
            sticker_id: self.sticker.signed(),
            pack_id: self.pack.signed(),
            density: i32::from(self.density.get()),
            width: check::signed(self.width),
            height: check::signed(self.height),
            format: self.format.to_wire(),
            loop_count: check::signed(self.loop_count),
            // A file has at most 16 MiB, so each length fits.
            image_lengths: images
                .iter()
                .map(|image| i32::try_from(image.len()).unwrap_or(i32::MAX))
                .collect(),
            frames: self.frames.iter().copied().map(Frame::to_wire).collect(),
            poster_frame: check::signed(self.poster_frame),
            emoji: self.emoji.clone(),
            alt_texts: self.alt_texts.clone(),
            placeholder_colour: self.placeholder_colour.to_wire(),
        }
    }
}

impl Frame {
    fn from_wire(stored: &wire::Frame) -> Result<Self, MetadataError> {
        Ok(Self {
            image: check::unsigned("frames.image", stored.image)?,
            x: check::unsigned("frames.x", stored.x)?,
            y: check::unsigned("frames.y", stored.y)?,
            duration_ms: check::unsigned("frames.duration_ms", stored.duration_ms)?,
            blend: match stored.blend {
                wire::Blend::OVER => Blend::Over,
                wire::Blend::REPLACE => Blend::Replace,
                _ => return Err(MetadataError::UnknownValue("frames.blend")),
            },
            dispose: match stored.dispose {
                wire::Dispose::NONE => Dispose::None,
                wire::Dispose::BACKGROUND => Dispose::Background,
                _ => return Err(MetadataError::UnknownValue("frames.dispose")),
            },
        })
    }

    fn to_wire(self) -> wire::Frame {
        wire::Frame {
            image: check::signed(self.image),
            x: check::signed(self.x),
            y: check::signed(self.y),
            duration_ms: check::signed(self.duration_ms),
            blend: match self.blend {
                Blend::Over => wire::Blend::OVER,
                Blend::Replace => wire::Blend::REPLACE,
            },
            dispose: match self.dispose {
                Dispose::None => wire::Dispose::NONE,
                Dispose::Background => wire::Dispose::BACKGROUND,
            },
        }
    }
}

impl ImageFormat {
    pub(crate) const fn to_wire(self) -> wire::ImageFormat {
        match self {
            Self::Png => wire::ImageFormat::PNG,
            Self::WebP => wire::ImageFormat::WEBP,
        }
    }
}
