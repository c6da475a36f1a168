//! Two stickers of a pack that look the same.

use super::Seen;
use super::grid::{SIDE, grid};
use crate::finding::Finding;
use crate::picture::Picture;

/// Bits of 480 that may differ between twins.
const DISTANCE: u32 = 12;
/// By how much one part of the picture may differ between twins, of 255: another expression changes a few parts by much.
const PART: i16 = 24;
/// Cells along each side of the hash.
const HASH: usize = SIDE / 2;

/// What is left of a poster when it is seen from far away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Whether each of 16 x 16 parts is brighter than its left neighbour, then whether it is more opaque: a difference hash.
    bits: Vec<bool>,
    /// The mean colour and alpha of 32 x 32 parts.
    parts: Vec<[i16; 4]>,
}

impl Fingerprint {
    pub(super) fn of(picture: &Picture) -> Self {
        let cells = grid(picture);
        let byte = |part: f32| (0..=255_i16).rev().find(|&byte| f32::from(byte) <= part * 255.0).unwrap_or(0);
        let parts: Vec<_> = cells
            .iter()
            .map(|cell| {
                let [red, green, blue] = cell.rgb.map(|light| byte(light.max(0.0).sqrt()));
                [red, green, blue, byte(cell.alpha)]
            })
            .collect();
        let coarse = |row: usize, column: usize| {
            let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(down, right)| {
                parts.get((row * 2 + down) * SIDE + column * 2 + right).copied().unwrap_or_default()
            });
            let sum = |channel: fn(&[i16; 4]) -> i16| four.iter().map(channel).sum::<i16>();
            (sum(|[red, green, blue, _]| (red + 2 * green + blue) / 4), sum(|[_, _, _, alpha]| *alpha))
        };
        let mut bits = Vec::with_capacity(2 * HASH * (HASH - 1));
        for row in 0..HASH {
            for column in 1..HASH {
                let ((left, left_alpha), (light, alpha)) = (coarse(row, column - 1), coarse(row, column));
                bits.extend([light > left + 8, alpha > left_alpha + 8]);
            }
        }
        Self { bits, parts }
    }

    fn distance(&self, other: &Self) -> u32 {
        let differ = self.bits.iter().zip(&other.bits).filter(|(one, other)| one != other).count();
        u32::try_from(differ).unwrap_or(u32::MAX)
    }

    fn looks_like(&self, other: &Self) -> bool {
        let near = |(one, other): (&[i16; 4], &[i16; 4])| {
            one.iter().zip(other).all(|(one, other)| (one - other).abs() <= PART)
        };
        self.distance(other) <= DISTANCE && self.parts.iter().zip(&other.parts).all(near)
    }
}

/// Tells of each sticker that looks like an earlier one. Two animations that only begin alike are left alone.
pub(super) fn check(stickers: &[Seen], findings: &mut Vec<Finding>) {
    for (index, sticker) in stickers.iter().enumerate() {
        let earlier = stickers.iter().take(index).find(|earlier| {
            earlier.extent.is_some()
                && sticker.extent.is_some()
                && earlier.durations_ms.len() == sticker.durations_ms.len()
                && earlier.fingerprint.looks_like(&sticker.fingerprint)
        });
        if let Some(earlier) = earlier {
            let message = format!("`{}` looks almost the same as `{}`", sticker.name, earlier.name);
            let hint = format!(
                "keep one of them, or make the difference larger; the other is {}",
                earlier.path.display()
            );
            findings.push(Finding::warning("almost_twice", &sticker.path, message, hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::{disc, picture};
    use crate::lint::extent::Extent;

    /// A sticker with so many frames of which this is the poster.
    fn seen(name: &str, frames: usize, poster: &Picture) -> Seen {
        Seen {
            path: format!("{name}.png").into(),
            name: name.to_owned(),
            emoji: 1,
            size: (poster.width, poster.height),
            durations_ms: vec![100; frames],
            loop_count: 0,
            extent: Extent::of(poster),
            fingerprint: Fingerprint::of(poster),
        }
    }

    #[test]
    fn a_twin_is_told_with_both_names_and_an_animation_that_begins_like_a_still_is_none() {
        let (one, other, nothing) = (face(256, 40), face(256, 0), picture(256, |_, _| [0; 4]));
        let stickers = [
            seen("smile", 1, &one),
            seen("calm", 1, &other),
            seen("again", 1, &one),
            seen("moving", 5, &one),
            seen("blank", 1, &nothing),
            seen("void", 1, &nothing),
        ];
        let mut findings = Vec::new();
        check(&stickers, &mut findings);
        let [twin] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(
            (twin.code, twin.message.as_str()),
            ("almost_twice", "`again` looks almost the same as `smile`")
        );
        assert!(twin.hint.contains("smile.png"), "{}", twin.hint);
    }

    fn like(one: &Picture, other: &Picture) -> bool {
        Fingerprint::of(one).looks_like(&Fingerprint::of(other))
    }

    /// A face whose mouth is so wide.
    fn face(side: u32, mouth: u32) -> Picture {
        let disc = disc(side);
        picture(side, |x, y| {
            let (across, down) = (x * 256 / side, y * 256 / side);
            let eye =
                (80..100).contains(&down) && ((80..100).contains(&across) || (156..176).contains(&across));
            let smile = (160..180).contains(&down) && across.abs_diff(128) < mouth;
            match disc.rgba.as_chunks::<4>().0[(y * side + x) as usize] {
                [_, _, _, 255] if eye || smile => [60, 30, 0, 255],
                pixel => pixel,
            }
        })
    }

    #[test]
    fn the_same_face_at_another_size_or_a_little_brighter_is_a_twin() {
        let mut brighter = face(256, 40);
        brighter
            .rgba
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|pixel| pixel[2] = pixel[2].saturating_add(6));
        assert!(like(&face(256, 40), &face(256, 40)));
        assert!(like(&face(256, 40), &face(512, 40)));
        assert!(like(&face(256, 40), &brighter));
    }

    #[test]
    fn another_expression_colour_or_shape_is_no_twin() {
        assert!(!like(&face(256, 40), &face(256, 56)));
        assert!(!like(&face(256, 40), &face(256, 0)));
        let mut blue = face(256, 40);
        blue.rgba.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
        assert!(!like(&face(256, 40), &blue));
        assert!(!like(&disc(256), &picture(256, |_, _| [255, 200, 0, 255])));
    }
}
