//! A few colours that stand for all.

use std::collections::{BTreeSet, HashSet};

use color_quant::NeuQuant;
use rayon::prelude::*;

use crate::picture::Picture;

/// At most 256 colours with alpha, sorted; the first is nothing.
#[derive(Debug)]
pub(super) struct Palette {
    colours: Vec<[u8; 4]>,
}

impl Palette {
    /// What a PNG's palette holds.
    pub(super) const MAX: usize = 256;

    /// So many colours that are close to those of the pictures, by Dekker's neural network on a part of their visible pixels.
    pub(super) fn of(pictures: &[Picture], colours: usize) -> Self {
        let pixels: usize = pictures.iter().map(|picture| picture.rgba.len() / 4).sum();
        let step = (pixels / SAMPLED).max(1);
        let all = pictures.iter().flat_map(|picture| picture.rgba.as_chunks::<4>().0);
        let visible = all.filter(|[.., alpha]| *alpha > 0).step_by(step);
        let sample: Vec<u8> = visible.flatten().copied().collect();
        let network = NeuQuant::new(FACTOR, colours - 1, &sample);
        let found = network.color_map_rgba();
        // Almost opaque is opaque and almost nothing is nothing, or a solid drawing shines through.
        let snapped = found.as_chunks::<4>().0.iter().map(|&[red, green, blue, alpha]| match alpha {
            0..=3 => [0; 4],
            252.. => [red, green, blue, 255],
            _ => [red, green, blue, alpha],
        });
        Self::exactly(snapped)
    }

    /// These and nothing.
    pub(super) fn exactly(colours: impl IntoIterator<Item = [u8; 4]>) -> Self {
        let sorted: BTreeSet<_> = colours.into_iter().chain([[0; 4]]).collect();
        Self { colours: sorted.into_iter().take(Self::MAX).collect() }
    }

    /// Red, green and blue of each.
    pub(super) fn rgb(&self) -> Vec<u8> {
        self.colours.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect()
    }

    /// Alpha of each.
    pub(super) fn alpha(&self) -> Vec<u8> {
        self.colours.iter().map(|&[.., alpha]| alpha).collect()
    }

    /// The place of each pixel of a picture that has no other colours.
    pub(super) fn indices(&self, picture: &Picture) -> Vec<u8> {
        let place =
            |pixel: &[u8; 4]| self.colours.binary_search(pixel).ok().and_then(|at| u8::try_from(at).ok());
        mapped(picture, |pixel| [place(pixel).unwrap_or_default()])
    }

    /// The pictures, whose colours are `all`, in the palette's colours.
    pub(super) fn reduced(&self, pictures: &[Picture], all: &[[u8; 4]]) -> Vec<Picture> {
        let shown: Vec<_> = self.colours.iter().map(|&colour| (Shown::of(colour), colour)).collect();
        let closest = |&colour: &[u8; 4]| {
            let wanted = Shown::of(colour);
            let closest = shown.iter().min_by_key(|(shown, _)| wanted.distance(shown));
            closest.map_or([0; 4], |(_, colour)| *colour)
        };
        let closest: Vec<_> = all.par_iter().map(closest).collect();
        let reduced = pictures.par_iter().map(|picture| {
            let rgba = mapped(picture, |pixel| {
                let at = all.binary_search(pixel).ok();
                at.and_then(|at| closest.get(at)).copied().unwrap_or_default()
            });
            Picture { rgba, ..*picture }
        });
        reduced.collect()
    }
}

/// Every colour of the pictures, once, sorted.
pub(super) fn colours(pictures: &[Picture]) -> Vec<[u8; 4]> {
    let of_one = |picture: &Picture| {
        let runs = picture.rgba.as_chunks::<4>().0.chunk_by(|one, next| one == next);
        runs.filter_map(|run| run.first().copied()).collect::<HashSet<_>>()
    };
    let all = pictures.par_iter().map(of_one).reduce(HashSet::new, |mut all, one| {
        all.extend(one);
        all
    });
    let mut all: Vec<_> = all.into_iter().collect();
    all.par_sort_unstable();
    all
}

/// Each pixel as what `of` makes of it, which is asked once for a run of the same.
fn mapped<const N: usize>(picture: &Picture, of: impl Fn(&[u8; 4]) -> [u8; N]) -> Vec<u8> {
    let mut made = Vec::with_capacity(picture.rgba.len() / 4 * N);
    for run in picture.rgba.as_chunks::<4>().0.chunk_by(|one, next| one == next) {
        if let Some(pixel) = run.first() {
            let pixel = of(pixel);
            made.extend(std::iter::repeat_n(pixel, run.len()).flatten());
        }
    }
    made
}

/// A colour as it is on black and on white; what is hardly there has almost the ground's.
struct Shown {
    on_black: [u8; 3],
    on_white: [u8; 3],
}

impl Shown {
    fn of([red, green, blue, alpha]: [u8; 4]) -> Self {
        let on = |ground: u32| {
            let (over, under) = (u32::from(alpha), ground * u32::from(255 - alpha));
            [red, green, blue].map(|it| u8::try_from((u32::from(it) * over + under) / 255).unwrap_or(255))
        };
        Self { on_black: on(0), on_white: on(255) }
    }

    /// Squared, on the ground on which more of it shows.
    fn distance(&self, other: &Self) -> u32 {
        let square = |one: [u8; 3], other: [u8; 3]| -> u32 {
            one.into_iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
        };
        square(self.on_black, other.on_black).max(square(self.on_white, other.on_white))
    }
}

/// Pixels that the network learns from; more make it slower and no better.
const SAMPLED: usize = 1 << 19;
/// Of those, every so many at a time, from 1 to 30.
const FACTOR: i32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixels: &[[u8; 4]]) -> Picture {
        Picture { width: pixels.len().try_into().unwrap(), height: 1, rgba: pixels.concat() }
    }

    fn reduced(palette: &Palette, picture: &Picture) -> Picture {
        let pictures = std::slice::from_ref(picture);
        palette.reduced(pictures, &colours(pictures)).remove(0)
    }

    #[test]
    fn an_exact_palette_gives_every_pixel_back() {
        let picture = row(&[[9, 8, 7, 255], [0; 4], [9, 8, 7, 128], [1, 2, 3, 255]]);
        let palette = Palette::exactly(picture.rgba.as_chunks::<4>().0.iter().copied());
        assert_eq!(reduced(&palette, &picture), picture);
        assert_eq!((palette.rgb().len(), palette.alpha().len()), (12, 4));
        assert_eq!(palette.indices(&row(&[[0; 4]])), [0]);
    }

    #[test]
    fn a_colour_that_is_not_there_becomes_the_one_that_looks_most_like_it() {
        let palette = Palette::exactly([[255, 0, 0, 255], [250, 250, 250, 255]]);
        let given = row(&[[200, 30, 10, 250], [255, 255, 255, 3], [255, 255, 255, 255]]);
        let reduced = reduced(&palette, &given);
        assert_eq!(reduced, row(&[[255, 0, 0, 255], [0; 4], [250, 250, 250, 255]]));
    }

    #[test]
    fn a_smooth_picture_has_few_colours_and_still_the_solid_ones_are_solid() {
        let pixels: Vec<_> =
            (0..=255).flat_map(|value| [[value, 40, 255 - value, 255], [0, value, 0, value]]).collect();
        let picture = row(&pixels);
        let palette = Palette::of(std::slice::from_ref(&picture), 64);
        assert!(palette.alpha().len() <= 64);
        let reduced = reduced(&palette, &picture);
        let solid = |picture: &Picture| picture.rgba.chunks(8).all(|pair| pair[3] == 255);
        assert!(solid(&picture) && solid(&reduced));
    }
}
