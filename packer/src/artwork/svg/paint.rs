//! How much work a drawing is, in px that are touched, so that a small file cannot keep a build busy for minutes.

use resvg::tiny_skia::{PathSegment, Point, Transform};
use resvg::usvg::{Fill, Group, Node, Paint, Path, Rect, Stroke, Tree};

use super::SIMPLIFY;
use crate::artwork::refused::Refused;

/// Times that the whole canvas may be painted; a detailed sticker takes fewer than a hundred.
const MAX_CANVASES: f64 = 250.0;
/// Dashes of all strokes together.
const MAX_DASHES: f64 = 100_000.0;
/// What one step of a filter costs beside a plain fill.
const FILTER_STEP: f64 = 8.0;
/// How many canvases a filter's region may be as large as; each step keeps a picture of it.
const MAX_FILTER_CANVASES: f64 = 4.0;

/// Refuses a drawing that is too much work when its longer side is `side` px.
pub(super) fn check(tree: &Tree, side: f32) -> Result<(), Refused> {
    let (width, height) = (f64::from(tree.size().width()), f64::from(tree.size().height()));
    let mut work =
        Work { width, height, scale: f64::from(side) / width.max(height), pixels: 0.0, dashes: 0.0 };
    let canvas = work.canvas();
    let large = work.group(tree.root(), canvas);
    if large || work.pixels > MAX_CANVASES * canvas || work.dashes > MAX_DASHES {
        return Err(Refused::new("svg_too_complex", "it takes too long to draw", SIMPLIFY));
    }
    Ok(())
}

struct Work {
    width: f64,
    height: f64,
    scale: f64,
    pixels: f64,
    dashes: f64,
}

impl Work {
    fn canvas(&self) -> f64 {
        self.width * self.height * self.scale * self.scale
    }

    /// Counts the group's layers and content, none of which covers more than `most` px. Whether a filter's region is too large.
    fn group(&mut self, group: &Group, most: f64) -> bool {
        let layer = self.area(&group.abs_layer_bounding_box().to_rect()).min(most);
        let mut large = false;
        if group.should_isolate() {
            self.pixels += 2.0 * layer;
        }
        if let Some(region) = group.filters_bounding_box() {
            let scale = group.abs_transform().get_scale();
            let region = f64::from(region.width())
                * f64::from(region.height())
                * square(self.scale)
                * f64::from(scale.0)
                * f64::from(scale.1);
            large = region > MAX_FILTER_CANVASES * self.canvas();
            let steps: usize = group.filters().iter().map(|filter| filter.primitives().len() + 1).sum();
            self.pixels += FILTER_STEP * region * f64::from(u32::try_from(steps).unwrap_or(u32::MAX));
        }
        let mut clip = group.clip_path();
        while let Some(path) = clip {
            large |= self.group(path.root(), layer);
            clip = path.clip_path();
        }
        let mut mask = group.mask();
        while let Some(one) = mask {
            self.pixels += 3.0 * layer;
            large |= self.group(one.root(), layer);
            mask = one.mask();
        }
        for node in group.children() {
            large |= match node {
                Node::Group(group) => self.group(group, most),
                Node::Path(path) => self.path(path, most),
                // Refused before; nothing of them is drawn.
                Node::Image(_) | Node::Text(_) => false,
            };
        }
        large
    }

    fn path(&mut self, path: &Path, most: f64) -> bool {
        let area = self.area(&path.abs_stroke_bounding_box()).min(most);
        let mut large = false;
        let paints = path.fill().map(Fill::paint).into_iter().chain(path.stroke().map(Stroke::paint));
        for paint in paints {
            self.pixels += area;
            if let Paint::Pattern(pattern) = paint {
                let canvas = self.canvas();
                large |= self.group(pattern.root(), canvas);
            }
        }
        let (own, rows) = self.outline(path);
        // Each row that an edge crosses is worked on four times, for smooth edges.
        self.pixels += rows * 4.0;
        if let Some(period) = path.stroke().and_then(Stroke::dasharray) {
            let period: f64 = period.iter().copied().map(f64::from).sum();
            self.dashes += own / period.max(f64::MIN_POSITIVE);
        }
        large
    }

    /// Length of the outline in its own units, and in rows of px where no part counts more than the canvas.
    fn outline(&self, path: &Path) -> (f64, f64) {
        let scale = largest_scale(path.abs_transform()) * self.scale;
        let side = self.width.max(self.height) * self.scale;
        let (mut own, mut rows) = (0.0, 0.0);
        let mut at = Point::zero();
        for segment in path.data().segments() {
            let points: &[Point] = match &segment {
                PathSegment::MoveTo(to) => {
                    at = *to;
                    continue;
                }
                PathSegment::LineTo(to) => &[*to],
                PathSegment::QuadTo(one, to) => &[*one, *to],
                PathSegment::CubicTo(one, two, to) => &[*one, *two, *to],
                PathSegment::Close => continue,
            };
            for &to in points {
                let length = f64::from(at.distance(to));
                own += length;
                rows += (length * scale).min(side) + 1.0;
                at = to;
            }
        }
        (own, rows)
    }

    /// The part of the canvas that a box covers, in px.
    fn area(&self, area: &Rect) -> f64 {
        let part = |start: f32, end: f32, whole: f64| {
            (f64::from(end).min(whole) - f64::from(start).max(0.0)).max(0.0) * self.scale
        };
        part(area.left(), area.right(), self.width) * part(area.top(), area.bottom(), self.height)
    }
}

fn largest_scale(transform: Transform) -> f64 {
    let (x, y) = transform.get_scale();
    f64::from(x.max(y))
}

fn square(value: f64) -> f64 {
    value * value
}
