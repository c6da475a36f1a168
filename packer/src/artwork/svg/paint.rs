//! How much work a drawing is, in px that are touched and kept, so that a small file cannot keep a build busy for minutes or fill
//! the memory. What is counted follows `resvg::render`, which makes a picture of its own for each layer, mask, clip and pattern.

use resvg::tiny_skia::{PathSegment, Point, Transform};
use resvg::usvg::{Fill, Group, Node, Paint, Path, Pattern, Rect, Stroke, Tree};

use super::SIMPLIFY;
use crate::artwork::refused::Refused;

/// Times that the whole canvas may be painted; a detailed sticker takes fewer than a hundred.
const MAX_CANVASES: f64 = 250.0;
/// Canvases that may be kept at once, each 4 MiB for a square; every thread that draws keeps as many.
const MAX_KEPT_CANVASES: f64 = 16.0;
/// How many canvases a pattern's tile may be as large as.
const MAX_TILE_CANVASES: f64 = 4.0;
/// Dashes of all strokes together.
const MAX_DASHES: f64 = 100_000.0;
/// What one step of a filter costs beside a plain fill.
const FILTER_STEP: f64 = 8.0;
/// How many canvases a filter's region may be as large as; each step keeps a picture of it.
const MAX_FILTER_CANVASES: f64 = 4.0;
/// A layer reaches as many sides beyond the picture at most, and one more because the drawing may stand anywhere in it.
const BEYOND: f32 = 3.0;
/// How many sides a layer has at most.
const MAX_LAYER_SIDES: f64 = 5.0;

/// Refuses a drawing that is too much work when its longer side is `side` px.
pub(super) fn check(tree: &Tree, side: f32) -> Result<(), Refused> {
    let scale = side / tree.size().width().max(tree.size().height());
    let width = f64::from(tree.size().width() * scale);
    let height = f64::from(tree.size().height() * scale);
    let canvas = width * height;
    let mut work = Work { side, canvas, pixels: 0.0, dashes: 0.0, large: false };
    let transform = Transform::from_scale(scale, scale);
    work.nodes(tree.root(), Surface { transform, width, height, kept: canvas, is_clip: false });
    let fits = work.pixels <= MAX_CANVASES * canvas && work.dashes <= MAX_DASHES;
    if work.large || !fits {
        return Err(Refused::new(
            "svg_too_complex",
            "it takes too long or too much memory to draw",
            SIMPLIFY,
        ));
    }
    Ok(())
}

struct Work {
    /// The longer side in px.
    side: f32,
    /// Of the whole drawing in px.
    canvas: f64,
    pixels: f64,
    dashes: f64,
    /// Whether one thing alone, or all that is kept at once, is too large.
    large: bool,
}

/// The picture that something is painted on.
#[derive(Clone, Copy)]
struct Surface {
    /// From the units of what is painted to px.
    transform: Transform,
    width: f64,
    height: f64,
    /// Px of all pictures that exist meanwhile, this one included.
    kept: f64,
    /// Whether it is made for a clip, where groups have layers as large as it.
    is_clip: bool,
}

impl Work {
    fn nodes(&mut self, group: &Group, on: Surface) {
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, on),
                Node::Path(path) => self.path(path, on),
                // Refused before; nothing of them is drawn.
                Node::Image(_) | Node::Text(_) => {}
            }
        }
    }

    /// Counts the group's layers and content.
    fn group(&mut self, group: &Group, on: Surface) {
        let on = Surface { transform: on.transform.pre_concat(group.transform()), ..on };
        if !group.should_isolate() {
            return self.nodes(group, on);
        }
        let Some(layer) = (if on.is_clip { Some(on.another()) } else { self.layer(group, on) }) else {
            return;
        };
        self.keep(layer);
        self.pixels += 2.0 * layer.area();
        self.filters(group, on);
        self.nodes(group, layer);
        let (mut clip, mut above) = (group.clip_path(), layer);
        while let Some(path) = clip {
            above = above.another();
            self.keep(above);
            let transform = layer.transform.pre_concat(path.transform());
            self.nodes(path.root(), Surface { transform, is_clip: true, ..above });
            clip = path.clip_path();
        }
        let (mut mask, mut above) = (group.mask(), layer);
        while let Some(one) = mask {
            above = above.another();
            self.keep(above);
            self.pixels += 3.0 * layer.area();
            self.nodes(one.root(), above);
            mask = one.mask();
        }
    }

    /// The picture of an isolated group; `None` where it lies too far away to be drawn.
    fn layer(&self, group: &Group, on: Surface) -> Option<Surface> {
        let own = group.layer_bounding_box();
        let (near, far) = (-BEYOND * self.side, (BEYOND + 1.0) * self.side);
        let (transform, bounds) = if group.filters().is_empty() {
            let bounds = own.transform(on.transform)?.to_rect().outset(2.0, 2.0)?;
            let (left, top) = (bounds.left().floor().max(near), bounds.top().floor().max(near));
            (on.transform.post_translate(-left, -top), bounds)
        } else {
            // Filters see their content upright, and the finished layer is turned.
            let (x, y) = columns(on.transform);
            let upright = Transform::from_scale(x, y);
            let bounds = own.transform(upright)?.to_rect();
            (upright.post_translate(-bounds.left(), -bounds.top()), bounds)
        };
        let most = MAX_LAYER_SIDES * f64::from(self.side);
        let (width, height) = if group.filters().is_empty() {
            (part(bounds.left(), bounds.right(), near, far), part(bounds.top(), bounds.bottom(), near, far))
        } else {
            (f64::from(bounds.width()), f64::from(bounds.height()))
        };
        let (width, height) = (width.min(most), height.min(most));
        let kept = on.kept + width * height;
        (width > 0.0 && height > 0.0).then_some(Surface { transform, width, height, kept, is_clip: false })
    }

    fn filters(&mut self, group: &Group, on: Surface) {
        let Some(region) = group.filters_bounding_box() else { return };
        let (x, y) = columns(on.transform);
        let region = f64::from(region.width()) * f64::from(region.height()) * f64::from(x) * f64::from(y);
        self.large |= region > MAX_FILTER_CANVASES * self.canvas;
        let steps: usize = group.filters().iter().map(|filter| filter.primitives().len() + 1).sum();
        self.pixels += FILTER_STEP * region * f64::from(u32::try_from(steps).unwrap_or(u32::MAX));
    }

    fn path(&mut self, path: &Path, on: Surface) {
        let area = path.stroke_bounding_box().transform(on.transform).map_or(on.area(), |it| on.covered(&it));
        let paints = path.fill().map(Fill::paint).into_iter().chain(path.stroke().map(Stroke::paint));
        for paint in paints {
            self.pixels += area;
            if let Paint::Pattern(pattern) = paint {
                self.pattern(pattern, on);
            }
        }
        let (own, rows) = outline(path, on);
        // Each row that an edge crosses is worked on four times, for smooth edges.
        self.pixels += rows * 4.0;
        if let Some(period) = path.stroke().and_then(Stroke::dasharray) {
            let period: f64 = period.iter().copied().map(f64::from).sum();
            self.dashes += own / period.max(f64::MIN_POSITIVE);
        }
    }

    /// Counts the tile, which is drawn whole however little of it is seen (`render_pattern_pixmap` in resvg).
    fn pattern(&mut self, pattern: &Pattern, on: Surface) {
        let (x, y) = on.transform.pre_concat(pattern.transform()).get_scale();
        let width = f64::from(pattern.rect().width() * x).round();
        let height = f64::from(pattern.rect().height() * y).round();
        let (transform, kept) = (Transform::from_scale(x, y), on.kept + width * height);
        let tile = Surface { transform, width, height, kept, is_clip: false };
        self.keep(tile);
        self.large |= tile.area() > MAX_TILE_CANVASES * self.canvas;
        self.pixels += tile.area();
        self.nodes(pattern.root(), tile);
    }

    fn keep(&mut self, surface: Surface) {
        self.large |= surface.kept > MAX_KEPT_CANVASES * self.canvas;
    }
}

impl Surface {
    fn area(&self) -> f64 {
        self.width * self.height
    }

    /// A second picture of the same size beside it.
    fn another(self) -> Self {
        Self { kept: self.kept + self.area(), ..self }
    }

    /// The px of it that a box covers.
    fn covered(&self, area: &Rect) -> f64 {
        let part = |start: f32, end: f32, whole: f64| {
            (f64::from(end).min(whole) - f64::from(start).max(0.0)).max(0.0)
        };
        part(area.left(), area.right(), self.width) * part(area.top(), area.bottom(), self.height)
    }
}

/// Length of the outline in its own units, and in rows of px where no part counts more than the surface.
fn outline(path: &Path, on: Surface) -> (f64, f64) {
    let (x, y) = on.transform.get_scale();
    let (scale, side) = (f64::from(x.max(y)), on.width.max(on.height));
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

/// How much of a stretch lies between two places.
fn part(start: f32, end: f32, near: f32, far: f32) -> f64 {
    (f64::from(end.min(far)) - f64::from(start.max(near))).max(0.0)
}

/// How long one unit across and one unit down become.
fn columns(transform: Transform) -> (f32, f32) {
    (transform.sx.hypot(transform.ky), transform.kx.hypot(transform.sy))
}
