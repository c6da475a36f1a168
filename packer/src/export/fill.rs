//! Colour for what nobody sees, beside what everybody sees: a coder that keeps one colour for four pixels mixes both.

use crate::picture::Picture;

/// The picture's bytes, where pixels of no alpha beside visible ones have their colour instead of black. Alpha stays.
pub(super) fn filled(picture: &Picture) -> Vec<u8> {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let visible = |&[red, green, blue, alpha]: &[u8; 4]| (alpha > 0).then_some([red, green, blue]);
    let mut colours: Vec<_> = pixels.iter().map(visible).collect();
    for _ in 0..RINGS {
        colours = grown(&colours, picture.width as usize);
    }
    let bytes = pixels.iter().zip(colours).flat_map(|(&[.., alpha], colour)| {
        let [red, green, blue] = colour.unwrap_or_default();
        [red, green, blue, alpha]
    });
    bytes.collect()
}

/// Pixels around what is visible: as far as the colours of one pixel reach.
const RINGS: usize = 2;

/// Where there is no colour, the mean of those around.
fn grown(colours: &[Option<[u8; 3]>], width: usize) -> Vec<Option<[u8; 3]>> {
    let grown = colours.iter().enumerate().map(|(at, colour)| {
        colour.or_else(|| {
            let (x, y) = (at % width, at / width);
            let rows = (y.saturating_sub(1)..=y + 1).filter_map(|y| colours.get(y * width..(y + 1) * width));
            let around = rows.filter_map(|row| row.get(x.saturating_sub(1)..(x + 2).min(width)));
            mean(around.flatten().flatten())
        })
    });
    grown.collect()
}

fn mean<'c>(colours: impl Iterator<Item = &'c [u8; 3]>) -> Option<[u8; 3]> {
    let (mut sums, mut count) = ([0_u32; 3], 0_u32);
    for colour in colours {
        count += 1;
        for (sum, channel) in sums.iter_mut().zip(colour) {
            *sum += u32::from(*channel);
        }
    }
    (count > 0).then(|| sums.map(|sum| u8::try_from(sum / count).unwrap_or(255)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_stays_and_what_is_beside_it_has_its_colour() {
        let (red, blue, none) = ([200, 0, 0, 255], [0, 0, 100, 128], [0; 4]);
        let row = [red, none, none, none, none, none, blue];
        let picture = Picture { width: 7, height: 2, rgba: [row, [none; 7]].concat().concat() };
        let filled = filled(&picture);
        let (red_less, blue_less) = ([200, 0, 0, 0], [0, 0, 100, 0]);
        let rows = [
            [red, red_less, red_less, none, blue_less, blue_less, blue],
            [red_less, red_less, red_less, none, blue_less, blue_less, blue_less],
        ];
        assert_eq!(filled.as_chunks::<4>().0, rows.concat());
        let nothing = Picture { width: 2, height: 1, rgba: vec![0; 8] };
        assert_eq!(super::filled(&nothing), nothing.rgba);
    }
}
