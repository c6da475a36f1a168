//! A picture as a coarse grid of mean light: small enough to compare, large enough to tell one from another.

use std::sync::LazyLock;

use crate::picture::Picture;

/// Cells along each side.
pub(super) const SIDE: usize = 32;

/// Mean linear light, premultiplied with alpha, and mean alpha of a part of the picture, all 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) rgb: [f32; 3],
    pub(super) alpha: f32,
}

impl Cell {
    /// On a ground of this brightness.
    pub(super) fn over(self, ground: f32) -> [f32; 3] {
        self.rgb.map(|light| light + (1.0 - self.alpha) * ground)
    }
}

/// Relative luminance as WCAG 2.2 defines it.
pub(super) fn luminance([red, green, blue]: [f32; 3]) -> f32 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// `SIDE` x `SIDE` cells, rows from the top; those that no pixel falls into are empty.
pub(super) fn grid(picture: &Picture) -> Vec<Cell> {
    let mut sums = vec![(Cell::default(), 0.0_f32); SIDE * SIDE];
    let (width, height) = (picture.width.max(1) as usize, picture.height.max(1) as usize);
    for (y, row) in picture.rgba.chunks_exact(width * 4).enumerate() {
        let into = y * SIDE / height * SIDE;
        for (x, &[red, green, blue, alpha]) in row.as_chunks::<4>().0.iter().enumerate() {
            let Some((sum, count)) = sums.get_mut(into + x * SIDE / width) else { continue };
            let alpha = f32::from(alpha) / 255.0;
            for (sum, value) in sum.rgb.iter_mut().zip([red, green, blue]) {
                *sum += linear(value) * alpha;
            }
            sum.alpha += alpha;
            *count += 1.0;
        }
    }
    let mean = |(sum, count): (Cell, f32)| {
        let count = count.max(1.0);
        Cell { rgb: sum.rgb.map(|light| light / count), alpha: sum.alpha / count }
    };
    sums.into_iter().map(mean).collect()
}

fn linear(value: u8) -> f32 {
    LINEAR.get(usize::from(value)).copied().unwrap_or(1.0)
}

/// IEC 61966-2-1.
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        let value = f32::from(u8::try_from(value).unwrap_or(255)) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
});
