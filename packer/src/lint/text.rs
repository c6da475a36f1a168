//! Letters too small to read on an ordinary screen. Nobody reads the words: seven or more marks of strong contrast in a row, of one height and
//! several widths, are most likely letters.

use std::path::Path;

use sticker_protocol::release::Canvas;

use crate::finding::Finding;
use crate::picture::Picture;

/// Below this height letters are a blur at density 160, where 1 dp is 1 px.
const SMALL_DP: f32 = 6.0;
/// Below this they are most likely grain or a pattern.
const GRAIN_DP: f32 = 1.5;
/// Marks in a row that are taken for a word.
const WORD: usize = 7;
/// Difference from the mean around it by which a mark stands out, of 1.
const CONTRAST: f32 = 0.2;
/// Px per dp at which marks are looked for.
const SCALE: f32 = 4.0;
/// More marks than this are a texture.
const MAX_MARKS: usize = 400;

/// Tells of the longest row of small letters in the picture.
pub(super) fn check(path: &Path, picture: &Picture, canvas: Canvas, findings: &mut Vec<Finding>) {
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures, far below 2^23")]
    let per_dp = f32::max(
        picture.width as f32 / canvas.width_dp.max(1) as f32,
        picture.height as f32 / canvas.height_dp.max(1) as f32,
    );
    let step = (1..=16_u16).rev().find(|&step| f32::from(step) * SCALE <= per_dp).unwrap_or(1);
    let plane = Plane::of(picture, usize::from(step));
    let dp = per_dp / f32::from(step);
    if dp < SCALE / 2.0 {
        return;
    }
    let mut longest: Vec<Mark> = Vec::new();
    for mask in plane.masks(dp) {
        let marks = marks(&mask, plane.width);
        let letters: Vec<_> = marks.into_iter().filter(|mark| mark.is_letter(dp)).collect();
        let row = row(letters);
        if row.len() > longest.len() {
            longest = row;
        }
    }
    let narrow = longest.iter().map(Mark::width).min().unwrap_or_default();
    let wide = longest.iter().map(Mark::width).max().unwrap_or_default();
    if longest.len() < WORD || wide * 2 < narrow * 3 {
        return;
    }
    let Some(all) = longest.iter().copied().reduce(Mark::and) else { return };
    let px = |at: usize| u32::try_from(at * usize::from(step)).unwrap_or(u32::MAX);
    let height = longest.iter().map(Mark::height).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures, far below 2^23")]
    let height = height as f32 / dp;
    let message = format!("what look like {} letters are {height:.1} dp high", longest.len());
    let hint = "write fewer words, larger: letters of 8 dp and more are read with ease";
    let finding = Finding::note("text_small", path, message, hint);
    findings.push(finding.at_rectangle([px(all.left), px(all.top), px(all.width()), px(all.height())]));
}

/// Brightness on a mid-grey ground, 0 to 1.
struct Plane {
    width: usize,
    height: usize,
    luma: Vec<f32>,
}

impl Plane {
    /// The mean of every `step` x `step` px.
    fn of(picture: &Picture, step: usize) -> Self {
        let (width, height) = (picture.width as usize / step, picture.height as usize / step);
        let mut sums = vec![0.0_f32; width * height];
        for (y, row) in picture.rgba.chunks_exact(picture.width.max(1) as usize * 4).enumerate() {
            for (x, pixel) in row.as_chunks::<4>().0.iter().enumerate() {
                let [red, green, blue, alpha] = pixel.map(|value| f32::from(value) / 255.0);
                let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
                let inside = x / step < width && y / step < height;
                if let Some(sum) = sums.get_mut(y / step * width + x / step).filter(|_| inside) {
                    *sum += luma * alpha + 0.5 * (1.0 - alpha);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 16 x 16")]
        let count = (step * step) as f32;
        Self { width, height, luma: sums.into_iter().map(|sum| sum / count).collect() }
    }

    /// What is darker than its surroundings, and what is brighter.
    fn masks(&self, dp: f32) -> [Vec<bool>; 2] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "6 to 100 px")]
        let reach = (SMALL_DP * dp) as usize;
        let (width, height) = (self.width, self.height);
        // Sums of everything above and to the left.
        let mut sums = vec![0.0_f64; (width + 1) * (height + 1)];
        for (y, row) in self.luma.chunks_exact(width.max(1)).enumerate() {
            let mut of_row = 0.0;
            for (x, &luma) in row.iter().enumerate() {
                of_row += f64::from(luma);
                let above = sums.get(y * (width + 1) + x + 1).copied().unwrap_or_default();
                if let Some(sum) = sums.get_mut((y + 1) * (width + 1) + x + 1) {
                    *sum = above + of_row;
                }
            }
        }
        let sum = |x: usize, y: usize| sums.get(y * (width + 1) + x).copied().unwrap_or_default();
        let differences: Vec<f32> = (self.luma.iter().enumerate())
            .map(|(index, &luma)| {
                let (x, y) = (index % width, index / width);
                let (left, top) = (x.saturating_sub(reach), y.saturating_sub(reach));
                let (right, bottom) = ((x + reach + 1).min(width), (y + reach + 1).min(height));
                let total = sum(right, bottom) - sum(left, bottom) - sum(right, top) + sum(left, top);
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    reason = "means of 0 to 1"
                )]
                let mean = (total / ((right - left) * (bottom - top)) as f64) as f32;
                luma - mean
            })
            .collect();
        let mask = |stands_out: fn(f32) -> bool| differences.iter().map(|&it| stands_out(it)).collect();
        [mask(|difference| difference < -CONTRAST), mask(|difference| difference > CONTRAST)]
    }
}

/// Pixels that hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    pixels: usize,
}

impl Mark {
    fn width(&self) -> usize {
        self.right - self.left
    }

    fn height(&self) -> usize {
        self.bottom - self.top
    }

    fn and(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            pixels: self.pixels + other.pixels,
        }
    }

    /// Of a letter's shape: not much wider than high, neither a dot nor a hair.
    fn is_letter(&self, dp: f32) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "sides of pictures, far below 2^23")]
        let (width, height) = (self.width() as f32, self.height() as f32);
        (GRAIN_DP * dp..SMALL_DP * dp).contains(&height)
            && width <= height * 1.6
            && self.pixels * 6 >= self.width() * self.height()
    }

    /// Whether the other may be the next letter of the same word.
    fn is_before(&self, other: &Self) -> bool {
        let (one, next) = (self.height(), other.height());
        let middle = (self.top + self.bottom).abs_diff(other.top + other.bottom);
        other.left >= self.right
            && (other.left - self.right) * 5 <= one.max(next) * 4
            && middle * 2 <= one.max(next)
            && one.max(next) * 5 <= one.min(next) * 8
    }
}

/// The parts of a mask that hang together, side by side or corner to corner.
fn marks(mask: &[bool], width: usize) -> Vec<Mark> {
    let mut left_over = mask.to_vec();
    let mut marks = Vec::new();
    let mut stack = Vec::new();
    for start in 0..mask.len() {
        stack.push(start);
        let mut mark: Option<Mark> = None;
        while let Some(at) = stack.pop() {
            let Some(cell) = left_over.get_mut(at).filter(|cell| **cell) else { continue };
            *cell = false;
            let (x, y) = (at % width, at / width);
            let pixel = Mark { left: x, top: y, right: x + 1, bottom: y + 1, pixels: 1 };
            mark = Some(mark.map_or(pixel, |mark| mark.and(pixel)));
            for row in y.saturating_sub(1)..=y + 1 {
                let columns = x.saturating_sub(1)..=(x + 1).min(width - 1);
                stack.extend(columns.map(|column| row * width + column));
            }
        }
        marks.extend(mark);
    }
    marks
}

/// The longest row of marks of which each may be the next letter after the one before.
fn row(mut letters: Vec<Mark>) -> Vec<Mark> {
    if letters.len() > MAX_MARKS {
        return Vec::new();
    }
    letters.sort_by_key(|mark| (mark.left, mark.top));
    let mut rows: Vec<Vec<Mark>> = Vec::with_capacity(letters.len());
    for letter in letters {
        let before = rows.iter().filter(|row| row.last().is_some_and(|last| last.is_before(&letter)));
        let mut row = before.max_by_key(|row| row.len()).cloned().unwrap_or_default();
        row.push(letter);
        rows.push(row);
    }
    rows.into_iter().max_by_key(Vec::len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::{CANVAS, codes, disc, picture, told};

    /// 5 x 7 dots each, from H to L.
    const LETTERS: [[u8; 7]; 5] = [
        [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        [0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
    ];

    /// So many letters in a row on a white disc, each dot so many px of a picture of 1024.
    fn written(count: u32, dot: u32) -> Picture {
        let disc = disc(1024);
        picture(1024, |x, y| {
            let (column, line) = (x.wrapping_sub(200) / dot, y.wrapping_sub(500) / dot);
            let (letter, column) = (column / 7, column % 7);
            let dots = LETTERS[letter as usize % 5].get(line as usize).copied().unwrap_or(0);
            match disc.rgba.as_chunks::<4>().0[(y * 1024 + x) as usize] {
                [_, _, _, 0] => [0; 4],
                _ if letter < count && column < 5 && dots >> (4 - column) & 1 == 1 => [20, 20, 60, 255],
                _ => [255; 4],
            }
        })
    }

    fn look(picture: &Picture) -> Vec<Finding> {
        told(|path, findings| check(path, picture, CANVAS, findings))
    }

    #[test]
    fn a_line_of_letters_of_five_dp_is_told_with_its_place_and_one_of_seven_is_not() {
        // 8 px are 1 dp.
        let small = look(&written(10, 6));
        assert_eq!(codes(&small), ["text_small"]);
        let [left, top, width, height] = small[0].place.unwrap().rectangle.unwrap();
        assert!(left.abs_diff(200) < 4 && top.abs_diff(500) < 4, "{left} {top}");
        assert!(width.abs_diff(68 * 6) < 8 && height.abs_diff(42) < 6, "{width} {height}");
        assert_eq!(look(&written(10, 8)), []);
    }

    #[test]
    fn a_few_marks_are_no_word_and_a_row_of_dots_is_none_either() {
        assert_eq!(look(&written(5, 6)), []);
        let dots = picture(1024, |x, y| match (y.wrapping_sub(500) < 30, x % 60 < 30) {
            (true, true) => [20, 20, 60, 255],
            _ => [255; 4],
        });
        assert_eq!(look(&dots), []);
    }
}
