//! Artwork that was cut off by the edge of its own picture.

use std::path::Path;

use crate::finding::Finding;
use crate::picture::Picture;

/// Alpha from which a pixel hides what is behind it.
const OPAQUE: u8 = 200;
/// The stretch that is told, in thousandths of the edge.
const STRETCH: usize = 150;
/// How far inside the picture is compared, in thousandths of the other side.
const INSIDE: usize = 20;

/// A stretch of opaque pixels along one edge, in px: where it begins and how long it is.
type Stretch = (usize, usize);

/// Tells of the longest cut in the poster. What flies in and out in other frames is left alone.
pub(super) fn check(path: &Path, pictures: &[Picture], poster: usize, findings: &mut Vec<Finding>) {
    let Some(picture) = pictures.get(poster) else { return };
    // A picture that fills every edge has no outline to cut.
    let cuts = EDGES.map(|edge| (edge, cut(picture, edge)));
    if cuts.iter().all(|(_, cut)| cut.is_some()) {
        return;
    }
    let longest = cuts.into_iter().filter_map(|(edge, cut)| Some((edge, cut?))).max_by_key(|(_, cut)| cut.1);
    let Some((edge, (start, length))) = longest else { return };
    let (start, length) = (u32::try_from(start).unwrap_or(0), u32::try_from(length).unwrap_or(u32::MAX));
    let rectangle = match edge {
        Edge::Left => [0, start, 1, length],
        Edge::Right => [picture.width.saturating_sub(1), start, 1, length],
        Edge::Top => [start, 0, length, 1],
        Edge::Bottom => [start, picture.height.saturating_sub(1), length, 1],
    };
    let message = format!("it is cut along {length} px of the {} edge", edge.name());
    let hint = "move it inwards or draw the rest of it; a thin transparent margin all around is enough";
    let finding = Finding::warning("cut_at_edge", path, message, hint).at_rectangle(rectangle);
    findings.push(match pictures.len() {
        1 => finding,
        _ => finding.at_frame(u32::try_from(poster).unwrap_or(u32::MAX)),
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Left,
    Right,
    Top,
    Bottom,
}

const EDGES: [Edge; 4] = [Edge::Left, Edge::Right, Edge::Top, Edge::Bottom];

impl Edge {
    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Top => "top",
            Self::Bottom => "bottom",
        }
    }

    /// Alpha along the edge, or along the line `inside` px further in.
    fn line(self, picture: &Picture, inside: usize) -> impl Iterator<Item = u8> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (first, step, length) = match self {
            Self::Left => (inside, width, height),
            Self::Right => ((width - 1).saturating_sub(inside), width, height),
            Self::Top => (inside * width, 1, width),
            Self::Bottom => ((height - 1).saturating_sub(inside) * width, 1, width),
        };
        let at = move |index: usize| picture.rgba.get((first + index * step) * 4 + 3).copied().unwrap_or(0);
        (0..length).map(at)
    }

    /// How deep the picture is from this edge, in px.
    fn depth(self, picture: &Picture) -> usize {
        match self {
            Self::Left | Self::Right => picture.width as usize,
            Self::Top | Self::Bottom => picture.height as usize,
        }
    }
}

/// A long stretch that goes on inside as it is at the edge. What only touches the edge, as a circle does, is much wider a little further in;
/// what ends at the edge with a round corner is too.
fn cut(picture: &Picture, edge: Edge) -> Option<Stretch> {
    let stretch = longest(edge.line(picture, 0))?;
    let (start, length) = stretch;
    let whole = edge.line(picture, 0).count();
    if length * 1000 < whole * STRETCH {
        return None;
    }
    let inside = (edge.depth(picture) * INSIDE / 1000).max(1);
    let line: Vec<u8> = edge.line(picture, inside).collect();
    let opaque = |index: &usize| line.get(*index).is_some_and(|&alpha| alpha >= OPAQUE);
    let (middle, last) = (start + length / 2, line.len());
    let to_left = (0..=middle).rev().take_while(opaque).count();
    let to_right = (middle + 1..last).take_while(opaque).count();
    let wider = to_left + to_right;
    (wider * 4 <= length * 5 && wider * 2 >= length).then_some(stretch)
}

fn longest(line: impl Iterator<Item = u8>) -> Option<Stretch> {
    let mut best: Option<Stretch> = None;
    let mut current: Option<Stretch> = None;
    for (index, alpha) in line.enumerate() {
        current =
            (alpha >= OPAQUE).then(|| current.map_or((index, 1), |(start, length)| (start, length + 1)));
        if current.map(|it| it.1) > best.map(|it| it.1) {
            best = current;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::{block, disc, picture, told};

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn look(picture: Picture) -> Option<[u32; 4]> {
        let findings = told(|path, findings| check(path, &[picture], 0, findings));
        assert!(findings.len() < 2 && findings.iter().all(|finding| finding.code == "cut_at_edge"));
        findings.first()?.place?.rectangle
    }

    #[test]
    fn a_disc_that_touches_the_edges_is_whole_and_one_that_goes_on_is_cut() {
        for side in [64, 128, 512] {
            assert_eq!(look(disc(side)), None, "{side}");
        }
        let away = |at: u32, middle: f64| f64::from(at) + 0.5 - middle;
        let low = picture(200, |x, y| if away(x, 100.0).hypot(away(y, 130.0)) < 90.0 { RED } else { [0; 4] });
        let [left, top, width, height] = look(low).unwrap();
        assert_eq!((top, height), (199, 1));
        assert!(left.abs_diff(44) < 3 && width.abs_diff(112) < 6, "{left} {width}");
    }

    #[test]
    fn a_stretch_of_a_seventh_of_the_edge_is_told_and_a_shorter_one_is_not() {
        assert_eq!(look(block(200, [50, 100, 80, 200], RED)), Some([50, 199, 30, 1]));
        assert_eq!(look(block(200, [50, 100, 79, 200], RED)), None);
        assert_eq!(look(block(200, [0, 50, 100, 90], RED)), Some([0, 50, 1, 40]));
        assert_eq!(look(block(200, [100, 50, 200, 90], RED)), Some([199, 50, 1, 40]));
        assert_eq!(look(block(200, [50, 0, 90, 100], RED)), Some([50, 0, 40, 1]));
        assert_eq!(look(block(200, [50, 1, 90, 199], RED)), None);
    }

    #[test]
    fn a_picture_that_fills_its_canvas_has_no_outline_to_cut() {
        assert_eq!(look(picture(100, |_, _| RED)), None);
    }

    #[test]
    fn a_shadow_that_fades_out_at_the_edge_is_no_cut() {
        assert_eq!(look(block(200, [50, 100, 150, 200], [0, 0, 0, 120])), None);
    }
}
