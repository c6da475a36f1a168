//! What has to be coded of an animation: each picture once, and of a picture only what has changed.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use sticker_protocol::sticker::{Blend, Dispose};

use crate::picture::Picture;

/// Pictures to be coded, and how they make up the frames.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) images: Vec<PlannedImage>,
    pub(crate) frames: Vec<PlannedFrame>,
}

/// One picture to be coded.
#[derive(Debug, PartialEq)]
pub(crate) struct PlannedImage {
    pub(crate) picture: Picture,
    /// The same with everything left transparent that is on the canvas already, where drawing that over the canvas gives the same.
    pub(crate) sparse: Option<Picture>,
}

/// One frame, but for its duration; an image with a sparse form is drawn over the canvas when that form is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFrame {
    pub(crate) image: usize,
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) dispose: Dispose,
}

/// How a frame with this image meets the canvas.
pub(crate) fn blend(sparse: bool) -> Blend {
    if sparse { Blend::Over } else { Blend::Replace }
}

/// The plan for pictures of one size that are shown one after the other, beginning on an empty canvas: whole pictures, or changed
/// rectangles where these are smaller by a tenth or more.
pub(crate) fn plan(pictures: Vec<Picture>) -> Plan {
    if pictures.len() < 2 {
        return whole(pictures);
    }
    let parts = parts(&pictures);
    if parts.pixels() * 10 < distinct_pixels(&pictures) * 9 {
        return parts;
    }
    drop(parts);
    whole(pictures)
}

impl Plan {
    fn pixels(&self) -> u64 {
        self.images.iter().map(|it| u64::from(it.picture.width) * u64::from(it.picture.height)).sum()
    }
}

/// What whole pictures come to, each once.
fn distinct_pixels(pictures: &[Picture]) -> u64 {
    let hashes: HashSet<u64> = pictures.iter().map(hash).collect();
    let one = pictures.first().map_or(0, |it| u64::from(it.width) * u64::from(it.height));
    one * hashes.len() as u64
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn whole(pictures: Vec<Picture>) -> Plan {
    let mut images = Images::default();
    let frames = pictures.into_iter().map(|picture| PlannedFrame {
        image: images.index_of(picture, None),
        x: 0,
        y: 0,
        dispose: Dispose::None,
    });
    let frames = frames.collect();
    Plan { images: images.all, frames }
}

fn parts(pictures: &[Picture]) -> Plan {
    let mut images = Images::default();
    let mut frames: Vec<PlannedFrame> = Vec::with_capacity(pictures.len());
    let mut before: Option<(&Picture, Rectangle)> = None;
    for picture in pictures {
        let everything = Rectangle { left: 0, top: 0, right: picture.width, bottom: picture.height };
        let Some((shown, drawn)) = before else {
            let image = images.index_of(picture.clone(), None);
            frames.push(PlannedFrame { image, x: 0, y: 0, dispose: Dispose::None });
            before = Some((picture, everything));
            continue;
        };
        let kept = changed(shown, picture, None);
        let cleared = changed(shown, picture, Some(drawn));
        // Clearing costs the frame before nothing, but what it showed elsewhere in its rectangle must be drawn again.
        let clears = cleared.area() * 4 < kept.area() * 3;
        let rectangle = if clears { cleared } else { kept };
        if let (true, Some(last)) = (clears, frames.last_mut()) {
            last.dispose = Dispose::Background;
        }
        let canvas = |x, y| if clears && drawn.holds(x, y) { [0; 4] } else { pixel(shown, x, y) };
        let part = crop(picture, rectangle);
        let sparse = sparse(&part, rectangle, canvas);
        let image = images.index_of(part, sparse);
        frames.push(PlannedFrame { image, x: rectangle.left, y: rectangle.top, dispose: Dispose::None });
        before = Some((picture, rectangle));
    }
    Plan { images: images.all, frames }
}

/// Images without repetition.
#[derive(Default)]
struct Images {
    all: Vec<PlannedImage>,
    /// Where those with a hash are.
    known: HashMap<u64, Vec<usize>>,
}

impl Images {
    fn index_of(&mut self, picture: Picture, sparse: Option<Picture>) -> usize {
        let image = PlannedImage { picture, sparse };
        let places = self.known.entry(hash(&(&image.picture, &image.sparse))).or_default();
        if let Some(&known) = places.iter().find(|&&at| self.all.get(at) == Some(&image)) {
            return known;
        }
        places.push(self.all.len());
        self.all.push(image);
        self.all.len() - 1
    }
}

/// In px; right and bottom are outside.
#[derive(Clone, Copy)]
struct Rectangle {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
}

impl Rectangle {
    fn area(self) -> u64 {
        u64::from(self.right - self.left) * u64::from(self.bottom - self.top)
    }

    fn holds(self, x: u32, y: u32) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}

/// The smallest rectangle outside of which `after` is what is on the canvas: `before`, with `cleared` made transparent. Left and top
/// are even, as an animated WebP has them; where nothing changes it is the first 2 x 2 px.
fn changed(before: &Picture, after: &Picture, cleared: Option<Rectangle>) -> Rectangle {
    let (width, height) = (after.width, after.height);
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    let rows = before.rgba.chunks_exact(width as usize * 4).zip(after.rgba.chunks_exact(width as usize * 4));
    for (y, (old, new)) in (0..height).zip(rows) {
        let in_rows = cleared.filter(|it| (it.top..it.bottom).contains(&y));
        if old == new && in_rows.is_none() {
            continue;
        }
        let pixels = old.as_chunks::<4>().0.iter().zip(new.as_chunks::<4>().0);
        for (x, (old, new)) in (0..width).zip(pixels) {
            let is_cleared = in_rows.is_some_and(|it| (it.left..it.right).contains(&x));
            if new != if is_cleared { &[0; 4] } else { old } {
                (left, right) = (left.min(x), right.max(x + 1));
                (top, bottom) = (top.min(y), y + 1);
            }
        }
    }
    if right == 0 {
        return Rectangle { left: 0, top: 0, right: width.min(2), bottom: height.min(2) };
    }
    Rectangle { left: left & !1, top: top & !1, right, bottom }
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
    let at = y as usize * picture.width as usize + x as usize;
    picture.rgba.as_chunks::<4>().0.get(at).copied().unwrap_or_default()
}

fn crop(picture: &Picture, part: Rectangle) -> Picture {
    let row = picture.width as usize * 4;
    let rows = picture.rgba.chunks_exact(row).skip(part.top as usize);
    let columns = part.left as usize * 4..part.right as usize * 4;
    let rgba = rows
        .take((part.bottom - part.top) as usize)
        .flat_map(|row| row.get(columns.clone()).unwrap_or_default())
        .copied()
        .collect();
    Picture { width: part.right - part.left, height: part.bottom - part.top, rgba }
}

/// `part` with what the canvas shows already left out, where a pixel drawn over the canvas can give every other one: it is opaque, or
/// nothing is below. `None` too where less than a quarter would be left out.
fn sparse(part: &Picture, at: Rectangle, canvas: impl Fn(u32, u32) -> [u8; 4]) -> Option<Picture> {
    let mut rgba = Vec::with_capacity(part.rgba.len());
    let mut left_out = 0;
    let places = (at.top..at.bottom).flat_map(|y| (at.left..at.right).map(move |x| (x, y)));
    for ((x, y), &new) in places.zip(part.rgba.as_chunks::<4>().0) {
        let old = canvas(x, y);
        if old == new {
            left_out += 4;
            rgba.extend([0; 4]);
        } else if new[3] == 255 || old[3] == 0 {
            rgba.extend(new);
        } else {
            return None;
        }
    }
    (left_out * 4 >= rgba.len()).then_some(Picture { width: part.width, height: part.height, rgba })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Canvas;
    use sticker_protocol::sticker::Frame;

    /// What the plan shows, with each image in one of its forms.
    fn shown(plan: &Plan, size: (u32, u32), sparse: bool) -> Vec<Picture> {
        let mut canvas = Canvas::new(size.0, size.1);
        let frames = plan.frames.iter().map(|frame| {
            let image = &plan.images[frame.image];
            let chosen = image.sparse.as_ref().filter(|_| sparse);
            let placed = Frame {
                image: 0,
                x: frame.x,
                y: frame.y,
                duration_ms: 1,
                blend: blend(chosen.is_some()),
                dispose: frame.dispose,
            };
            canvas.shows(chosen.unwrap_or(&image.picture), placed)
        });
        frames.collect()
    }

    /// Numbers that look random and are the same each time (xorshift32).
    fn numbers(seed: u32) -> impl FnMut(u32) -> u32 {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        move |below| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % below
        }
    }

    /// A few rectangles of few colours and alphas, some of them kept from frame to frame.
    fn animation(seed: u32) -> Vec<Picture> {
        let mut number = numbers(seed);
        let (width, height) = (6 + number(20), 6 + number(20));
        let mut picture = Picture { width, height, rgba: vec![0; (width * height * 4) as usize] };
        let mut frames = Vec::new();
        for _ in 0..2 + number(6) {
            for _ in 0..number(3) {
                let (x, y) = (number(width), number(height));
                let (right, bottom) = (x + 1 + number(width - x), y + 1 + number(height - y));
                let colour =
                    [[0; 4], [200, 10, 10, 255], [10, 10, 200, 255], [90, 90, 90, 128]][number(4) as usize];
                for (at, pixel) in (0..).zip(picture.rgba.as_chunks_mut::<4>().0) {
                    let (column, row) = (at % width, at / width);
                    if (x..right).contains(&column) && (y..bottom).contains(&row) {
                        *pixel = colour;
                    }
                }
            }
            frames.push(picture.clone());
        }
        frames
    }

    #[test]
    fn frames_made_of_parts_are_the_frames_that_were_planned() {
        for seed in 1..2_000 {
            let frames = animation(seed);
            let size = (frames[0].width, frames[0].height);
            for plan in [parts(&frames), whole(frames.clone())] {
                assert!(shown(&plan, size, false) == frames, "seed {seed}, replaced");
                assert!(shown(&plan, size, true) == frames, "seed {seed}, drawn over");
            }
        }
    }

    #[test]
    fn every_way_of_showing_a_part_is_used() {
        let plans: Vec<_> = (1..2_000).map(|seed| parts(&animation(seed))).collect();
        assert!(plans.iter().any(|plan| plan.frames.iter().any(|it| it.dispose == Dispose::Background)));
        assert!(plans.iter().any(|plan| plan.images.iter().any(|it| it.sparse.is_some())));
        assert!(plans.iter().any(|plan| plan.images.len() < plan.frames.len()));
    }

    #[test]
    fn a_face_that_moves_on_a_body_that_does_not_costs_the_face_alone() {
        let body = Picture { width: 64, height: 64, rgba: [90, 60, 30, 255].repeat(64 * 64) };
        let mut blink = body.clone();
        for pixel in blink.rgba.as_chunks_mut::<4>().0.iter_mut().skip(64 * 20 + 20).take(10) {
            *pixel = [0, 0, 0, 255];
        }
        let plan = plan(vec![body.clone(), blink, body]);
        let sizes: Vec<_> = plan.images.iter().map(|it| (it.picture.width, it.picture.height)).collect();
        assert_eq!(sizes, [(64, 64), (10, 1), (10, 1)]);
        assert!(plan.frames.iter().all(|frame| frame.x % 2 == 0 && frame.y % 2 == 0));
    }

    #[test]
    fn frames_that_change_everywhere_are_stored_whole_and_once() {
        let of = |value: u8| Picture { width: 8, height: 8, rgba: [value, value, value, 255].repeat(64) };
        let (one, other) = (of(1), of(2));
        let plan = plan(vec![one.clone(), other.clone(), one, other]);
        assert_eq!(plan.images.len(), 2);
        assert_eq!(plan.frames.iter().map(|frame| frame.image).collect::<Vec<_>>(), [0, 1, 0, 1]);
    }
}
