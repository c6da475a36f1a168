//! The frames of a sticker file as a phone shows them.

use sticker_protocol::sticker::{Blend, Dispose, Frame, StickerFile};

use crate::picture::{self, DecodeError, Picture};

/// Every frame of a sticker file as a picture of the whole canvas, in order. Takes 4 bytes for each pixel of each frame:
/// [`frames`] is for files of unknown size.
///
/// # Errors
/// [`DecodeError`] for an image that is no picture.
pub fn compose(sticker: &StickerFile<'_>) -> Result<Vec<Picture>, DecodeError> {
    frames(sticker).map(Iterator::collect)
}

/// The frames of [`compose`], each drawn when it is asked for.
///
/// # Errors
/// [`DecodeError`] for an image that is no picture.
pub fn frames(sticker: &StickerFile<'_>) -> Result<impl Iterator<Item = Picture>, DecodeError> {
    let metadata = sticker.metadata();
    let decoded = sticker.images().iter().map(|image| picture::decode(image, metadata.format));
    let images: Vec<_> = decoded.collect::<Result<_, _>>()?;
    let mut canvas = Canvas::new(metadata.width, metadata.height);
    Ok(metadata.frames.clone().into_iter().filter_map(move |frame| {
        let image = images.get(frame.image as usize)?;
        Some(canvas.shows(image, frame))
    }))
}

/// What frames are drawn on, one after the other; transparent at first.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    shown: Picture,
    /// What the last frame leaves to be cleared: left, top, width and height in px.
    to_clear: Option<(u32, u32, u32, u32)>,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let rgba = vec![0; width as usize * height as usize * 4];
        Self { shown: Picture { width, height, rgba }, to_clear: None }
    }

    /// The canvas while this frame is on it: what the frame before wants cleared is cleared first. What lies outside is cut off.
    pub(crate) fn shows(&mut self, image: &Picture, frame: Frame) -> Picture {
        if let Some((left, top, width, height)) = self.to_clear.take() {
            for y in top..top.saturating_add(height) {
                self.row(left, y, width).iter_mut().for_each(|pixel| *pixel = [0; 4]);
            }
        }
        for (y, row) in (0..).zip(image.rgba.chunks_exact((image.width as usize * 4).max(1))) {
            let below = self.row(frame.x, frame.y.saturating_add(y), image.width);
            for (below, &pixel) in below.iter_mut().zip(row.as_chunks::<4>().0) {
                *below = match frame.blend {
                    Blend::Replace => pixel,
                    Blend::Over => over(pixel, *below),
                };
            }
        }
        if frame.dispose == Dispose::Background {
            self.to_clear = Some((frame.x, frame.y, image.width, image.height));
        }
        self.shown.clone()
    }

    /// The pixels of a row from `left` on, as far as the canvas reaches.
    fn row(&mut self, left: u32, y: u32, width: u32) -> &mut [[u8; 4]] {
        let canvas = self.shown.width;
        if left >= canvas || y >= self.shown.height {
            return &mut [];
        }
        let start = y as usize * canvas as usize + left as usize;
        let end = start + width.min(canvas - left) as usize;
        self.shown.rgba.as_chunks_mut::<4>().0.get_mut(start..end).unwrap_or_default()
    }
}

/// Source over destination with straight alpha, as Porter and Duff have it, rounded once.
fn over(above: [u8; 4], below: [u8; 4]) -> [u8; 4] {
    let (source, rest) = (u32::from(above[3]), 255 - u32::from(above[3]));
    if source == 255 || below[3] == 0 {
        return if source == 0 { [0; 4] } else { above };
    }
    if source == 0 {
        return below;
    }
    // In units of 255 * 255.
    let under = u32::from(below[3]) * rest;
    let alpha = source * 255 + under;
    let channel = |at: usize| {
        let of = |pixel: [u8; 4]| u32::from(pixel.get(at).copied().unwrap_or_default());
        u8::try_from((of(above) * source * 255 + of(below) * under + alpha / 2) / alpha).unwrap_or(255)
    };
    [channel(0), channel(1), channel(2), u8::try_from((alpha + 127) / 255).unwrap_or(255)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(width: u32, height: u32, pixel: [u8; 4]) -> Picture {
        Picture { width, height, rgba: pixel.repeat(width as usize * height as usize) }
    }

    fn at(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
        picture.rgba.as_chunks::<4>().0[(y * picture.width + x) as usize]
    }

    fn frame(x: u32, y: u32, blend: Blend, dispose: Dispose) -> Frame {
        Frame { image: 0, x, y, duration_ms: 1, blend, dispose }
    }

    #[test]
    fn a_frame_replaces_its_rectangle_transparency_included() {
        let mut canvas = Canvas::new(4, 4);
        canvas.shows(&of(4, 4, [9, 9, 9, 255]), frame(0, 0, Blend::Replace, Dispose::None));
        let shown = canvas.shows(&of(2, 2, [0; 4]), frame(2, 0, Blend::Replace, Dispose::None));
        assert_eq!(
            (at(&shown, 1, 1), at(&shown, 2, 1), at(&shown, 2, 2)),
            ([9, 9, 9, 255], [0; 4], [9, 9, 9, 255])
        );
    }

    #[test]
    fn a_frame_drawn_over_lets_shine_through_what_it_does_not_cover() {
        let mut canvas = Canvas::new(1, 1);
        canvas.shows(&of(1, 1, [0, 0, 200, 255]), frame(0, 0, Blend::Replace, Dispose::None));
        let same = canvas.shows(&of(1, 1, [0; 4]), frame(0, 0, Blend::Over, Dispose::None));
        assert_eq!(at(&same, 0, 0), [0, 0, 200, 255]);
        let half = canvas.shows(&of(1, 1, [200, 0, 0, 128]), frame(0, 0, Blend::Over, Dispose::None));
        assert_eq!(at(&half, 0, 0), [100, 0, 100, 255]);
    }

    #[test]
    fn a_half_transparent_pixel_over_a_half_transparent_one_is_three_quarters_there() {
        assert_eq!(over([255, 0, 0, 128], [0, 0, 255, 128]), [170, 0, 85, 192]);
        assert_eq!(over([1, 2, 3, 77], [0; 4]), [1, 2, 3, 77]);
        assert_eq!(over([0; 4], [0; 4]), [0; 4]);
    }

    #[test]
    fn a_frame_that_is_disposed_of_is_gone_when_the_next_one_comes_and_not_before() {
        let mut canvas = Canvas::new(2, 1);
        let red = canvas.shows(&of(1, 1, [255, 0, 0, 255]), frame(0, 0, Blend::Replace, Dispose::Background));
        assert_eq!(at(&red, 0, 0), [255, 0, 0, 255]);
        let next = canvas.shows(&of(1, 1, [0, 255, 0, 255]), frame(1, 0, Blend::Over, Dispose::None));
        assert_eq!((at(&next, 0, 0), at(&next, 1, 0)), ([0; 4], [0, 255, 0, 255]));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut canvas = Canvas::new(2, 2);
        let shown = canvas.shows(&of(3, 3, [7, 7, 7, 255]), frame(1, 1, Blend::Replace, Dispose::Background));
        assert_eq!((at(&shown, 0, 0), at(&shown, 1, 1)), ([0; 4], [7, 7, 7, 255]));
        canvas.shows(&of(1, 1, [0; 4]), frame(9, 9, Blend::Replace, Dispose::None));
    }
}
