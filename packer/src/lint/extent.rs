//! Where the visible part of a sticker is: nowhere, far from the edges, or everywhere.

use std::path::Path;

use sticker_protocol::release::Canvas;

use crate::finding::Finding;
use crate::picture::Picture;

/// Alpha below which a pixel is next to invisible.
const VISIBLE: u8 = 16;
/// Parts of the canvas in thousandths, along its fuller side.
const SMALL: u64 = 500;
const SPARE: u64 = 700;

/// The visible part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) left: u32,
    pub(super) top: u32,
    /// Past the last visible px.
    pub(super) right: u32,
    pub(super) bottom: u32,
    /// Of the whole picture.
    pub(super) size: (u32, u32),
    /// Number of visible px.
    pub(super) pixels: u64,
    /// Whether any px can be seen through.
    pub(super) transparent: bool,
}

impl Extent {
    /// None where nothing is visible.
    pub(super) fn of(picture: &Picture) -> Option<Self> {
        let mut extent = Self {
            left: u32::MAX,
            top: u32::MAX,
            right: 0,
            bottom: 0,
            size: (picture.width, picture.height),
            pixels: 0,
            transparent: false,
        };
        let rows = picture.rgba.chunks_exact(picture.width.max(1) as usize * 4);
        for (y, row) in (0_u32..).zip(rows) {
            for (x, &[_, _, _, alpha]) in (0_u32..).zip(row.as_chunks::<4>().0) {
                extent.transparent |= alpha < 250;
                if alpha >= VISIBLE {
                    extent.pixels += 1;
                    extent.left = extent.left.min(x);
                    extent.right = extent.right.max(x + 1);
                    extent.top = extent.top.min(y);
                    extent.bottom = y + 1;
                }
            }
        }
        (extent.pixels > 0).then_some(extent)
    }

    fn and(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            size: self.size,
            pixels: self.pixels.max(other.pixels),
            transparent: self.transparent || other.transparent,
        }
    }

    pub(super) fn rectangle(self) -> [u32; 4] {
        [self.left, self.top, self.right - self.left, self.bottom - self.top]
    }

    /// Thousandths of the canvas's fuller side, once the whole picture is fitted into the canvas.
    fn of_canvas(self, canvas: Canvas) -> u64 {
        let (canvas_w, canvas_h) = (u64::from(canvas.width_dp.max(1)), u64::from(canvas.height_dp.max(1)));
        let (width, height) = (u64::from(self.size.0.max(1)), u64::from(self.size.1.max(1)));
        let [_, _, wide, high] = self.rectangle().map(u64::from);
        // Fitted by its width where that reaches the canvas's sides first.
        if width * canvas_h >= height * canvas_w {
            (wide * 1000 / width).max(high * 1000 * canvas_w / (width * canvas_h))
        } else {
            (wide * 1000 * canvas_h / (height * canvas_w)).max(high * 1000 / height)
        }
    }
}

/// Tells of a sticker that is empty, opaque or small, and gives the visible part of all frames together.
pub(super) fn check(
    path: &Path,
    canvas: Canvas,
    frames: &[Option<Extent>],
    poster: usize,
    findings: &mut Vec<Finding>,
) -> Option<Extent> {
    let Some(all) = frames.iter().flatten().copied().reduce(Extent::and) else {
        let hint = "export the picture again with its layers shown, or take the sticker out";
        findings.push(Finding::warning("blank", path, "nothing of it can be seen", hint));
        return None;
    };
    if !all.transparent {
        let hint = "export it with a transparent background, as PNG with alpha";
        findings.push(Finding::warning("no_transparency", path, "no part of it is transparent", hint));
    }
    if frames.first() == Some(&None) {
        let hint =
            "begin with a frame that shows the sticker; the animation loops, so any frame may be the first";
        let finding =
            Finding::warning("blank_first_frame", path, "nothing can be seen in its first frame", hint);
        findings.push(finding.at_frame(0));
    }
    let shown = frames.get(poster).copied().flatten();
    let poster_pixels = shown.map_or(0, |extent| extent.pixels);
    let area = u64::from(all.size.0) * u64::from(all.size.1);
    if poster_pixels * 200 < area || poster_pixels * 20 < all.pixels {
        let message = format!("its poster shows {poster_pixels} of {area} px");
        let hint = match frames.len() {
            1 => "draw it larger, or check that every layer was exported",
            _ => "name a fuller frame, from 0, as the sticker's `poster` in pack.toml",
        };
        let finding = Finding::warning("poster_empty", path, message, hint);
        findings.push(finding.at_frame(u32::try_from(poster).unwrap_or(u32::MAX)));
    }
    let part = all.of_canvas(canvas);
    let message = format!("it takes {} % of the canvas at its widest", part / 10);
    let hint = "crop the empty margins, so that it is drawn as large as the others";
    if part < SMALL {
        findings
            .push(Finding::note("too_small_on_canvas", path, message, hint).at_rectangle(all.rectangle()));
    } else if part < SPARE {
        findings.push(Finding::note("empty_margins", path, message, hint).at_rectangle(all.rectangle()));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Level, Place};
    use crate::lint::drawn::{CANVAS, block, codes, disc, picture, told};

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn look(frames: &[Picture], poster: usize) -> Vec<Finding> {
        let extents: Vec<_> = frames.iter().map(Extent::of).collect();
        told(|path, findings| {
            check(path, CANVAS, &extents, poster, findings);
        })
    }

    #[test]
    fn a_disc_that_fills_its_canvas_is_fine() {
        assert_eq!(look(&[disc(200)], 0), []);
    }

    #[test]
    fn a_box_without_a_hole_is_told_and_one_with_a_hole_is_not() {
        assert_eq!(codes(&look(&[picture(100, |_, _| RED)], 0)), ["no_transparency"]);
        let with_hole = picture(100, |x, y| if (x, y) == (3, 3) { [0; 4] } else { RED });
        assert_eq!(look(&[with_hole], 0), []);
    }

    #[test]
    fn nothing_to_see_is_told_alone() {
        let faint = picture(100, |_, _| [255, 255, 255, 15]);
        assert_eq!(codes(&look(std::slice::from_ref(&faint), 0)), ["blank"]);
        assert_eq!(codes(&look(&[faint.clone(), faint], 0)), ["blank"]);
    }

    #[test]
    fn less_than_half_of_the_canvas_is_told_with_its_place_and_half_is_a_margin() {
        let small = look(&[block(100, [10, 20, 59, 69], RED)], 0);
        assert_eq!((small[0].code, small[0].level), ("too_small_on_canvas", Level::Note));
        assert_eq!(small[0].place, Some(Place { rectangle: Some([10, 20, 49, 49]), ..Place::default() }));
        assert_eq!(codes(&look(&[block(100, [10, 20, 60, 70], RED)], 0)), ["empty_margins"]);
        assert_eq!(codes(&look(&[block(100, [10, 20, 79, 30], RED)], 0)), ["empty_margins"]);
        assert_eq!(look(&[block(100, [10, 20, 80, 30], RED)], 0), []);
    }

    #[test]
    fn artwork_of_another_shape_is_measured_on_the_canvas_that_it_is_fitted_into() {
        let wide = Extent {
            left: 0,
            top: 0,
            right: 200,
            bottom: 50,
            size: (200, 100),
            pixels: 1,
            transparent: true,
        };
        assert_eq!(wide.of_canvas(CANVAS), 1000);
        assert_eq!(Extent { right: 40, bottom: 100, ..wide }.of_canvas(CANVAS), 500);
    }

    #[test]
    fn an_empty_first_frame_is_told_and_an_empty_later_one_is_not() {
        let (empty, full) = (picture(100, |_, _| [0; 4]), disc(100));
        let first = look(&[empty.clone(), full.clone()], 1);
        assert_eq!(codes(&first), ["blank_first_frame"]);
        assert_eq!(first[0].place.unwrap().frame, Some(0));
        assert_eq!(look(&[full, empty], 0), []);
    }

    #[test]
    fn a_poster_that_shows_next_to_nothing_is_told() {
        let dot = block(100, [0, 0, 7, 7], RED);
        assert_eq!(codes(&look(&[disc(100), dot.clone()], 1)), ["poster_empty"]);
        assert_eq!(look(&[disc(100), dot], 0), []);
        assert_eq!(look(&[disc(100), block(100, [0, 0, 20, 20], RED)], 1), []);
    }
}
