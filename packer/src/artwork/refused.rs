//! Why a file is no artwork, in the words of a finding.

use std::path::Path;

use sticker_protocol::limits::{MAX_DECODED_PIXELS, MAX_FRAMES, MAX_IMAGE_PIXELS};

use crate::finding::Finding;

/// What is wrong with a file's content; becomes a [`Finding`] once the path is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Refused {
    pub(super) fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }

    /// The decoder's words, causes included.
    pub(super) fn damaged(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::damage(message)
    }

    pub(super) fn damage(message: impl Into<String>) -> Self {
        Self::new("picture_damaged", message, "export the picture again; a viewer may hide the damage")
    }

    pub(super) fn error(self, path: &Path) -> Finding {
        Finding::error(self.code, path, self.message, self.hint)
    }

    pub(super) fn warning(self, path: &Path) -> Finding {
        Finding::warning(self.code, path, self.message, self.hint)
    }
}

/// Whether a picture of so many px, shown in so many frames, is within the limits.
pub(super) fn check_size(width: u32, height: u32, frames: usize) -> Result<(), Refused> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Refused::damage(format!("it has {width} x {height} px")));
    }
    if pixels > MAX_IMAGE_PIXELS {
        return Err(Refused::new(
            "picture_too_large",
            format!("it has {width} x {height} px"),
            format!("a picture has at most {MAX_IMAGE_PIXELS} px; 512 x 512 fills every density"),
        ));
    }
    if frames > MAX_FRAMES {
        return Err(Refused::new(
            "too_many_frames",
            format!("it has {frames} frames"),
            format!("an animation has at most {MAX_FRAMES}"),
        ));
    }
    if pixels * frames as u64 > MAX_DECODED_PIXELS {
        return Err(Refused::new(
            "too_many_pixels",
            format!("its {frames} frames have {} px together", pixels * frames as u64),
            format!("a sticker has at most {MAX_DECODED_PIXELS} px: use fewer or smaller frames"),
        ));
    }
    Ok(())
}
