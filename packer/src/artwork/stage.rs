//! Frames of animation files as whole pictures.

use sticker_protocol::sticker::Frame;

use crate::compose::Canvas;
use crate::picture::Picture;

/// A canvas that can also go back to what it was before a frame, as GIF and APNG have it.
pub(super) struct Stage {
    canvas: Canvas,
}

impl Stage {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { canvas: Canvas::new(width, height) }
    }

    /// The whole picture while this frame is shown; where it `returns`, the next frame finds what this one found.
    pub(super) fn shows(&mut self, image: &Picture, frame: Frame, returns: bool) -> Picture {
        if !returns {
            return self.canvas.shows(image, frame);
        }
        let before = self.canvas.clone();
        let shown = self.canvas.shows(image, frame);
        self.canvas = before;
        shown
    }
}
