//! Resizing in 16-bit linear light with premultiplied alpha, which keeps edges free of dark fringes and thin lines at
//! their weight.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fast_image_resize::images::Image;
use fast_image_resize::pixels::U16x4;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::Error;
use crate::picture::Picture;

/// A picture in 16-bit linear light with premultiplied alpha, decoded once and resized to every density.
#[derive(Debug)]
pub struct Linear {
    image: Image<'static>,
    source: Picture,
}

impl Linear {
    /// Linearises a picture; colour that nobody can see is cleaned.
    ///
    /// # Errors
    /// [`Error::Internal`] for a picture without its pixels.
    pub fn new(mut source: Picture) -> Result<Self, Error> {
        clean(&mut source);
        let mut buffer = vec![0; source.rgba.len() * 2];
        let to_linear = &*TO_LINEAR;
        let pixels = source.rgba.as_chunks::<4>().0.iter().zip(buffer.as_chunks_mut::<8>().0);
        for (&[red, green, blue, alpha], linear) in pixels {
            if alpha == 0 {
                continue;
            }
            let weight = u32::from(alpha);
            let premultiplied = |value: u8| {
                let light = to_linear.get(usize::from(value)).copied().unwrap_or_default();
                narrow((u32::from(light) * weight + 127) / 255).to_ne_bytes()
            };
            let ([r0, r1], [g0, g1], [b0, b1]) =
                (premultiplied(red), premultiplied(green), premultiplied(blue));
            let [a0, a1] = narrow(weight * 257).to_ne_bytes();
            *linear = [r0, r1, g0, g1, b0, b1, a0, a1];
        }
        let image = Image::from_vec_u8(source.width, source.height, buffer, PixelType::U16x4)
            .map_err(Error::internal)?;
        Ok(Self { image, source })
    }

    /// The whole picture within each of the sizes, as [`Self::fit`] gives it but for a rounding: a size is made of the smallest one that
    /// was made of the artwork and has enough pixels, which reads a fraction of the pixels.
    ///
    /// # Errors
    /// [`Error::Internal`] for a size of no pixels.
    pub fn pyramid(&self, sizes: &[(u32, u32)]) -> Result<Vec<Picture>, Error> {
        let source = (self.source.width, self.source.height);
        let steps = steps(source, sizes);
        let mut made: BTreeMap<(u32, u32), Image<'static>> = BTreeMap::new();
        for &(size, from) in &steps {
            let from = from.and_then(|from| made.get(&from)).unwrap_or(&self.image);
            let image = scaled_down(from, size.0, size.1)?;
            made.insert(size, image);
        }
        let picture = |&(width, height): &(u32, u32)| {
            let inner = fitted(source.0, source.1, width, height);
            match made.get(&inner) {
                Some(made) if inner != source => Ok(within(straight(made), width, height)),
                _ => self.fit(width, height),
            }
        };
        sizes.iter().map(picture).collect()
    }

    /// The picture at one of the sizes alone, the very one that [`Self::pyramid`] gives for it among all of them.
    ///
    /// # Errors
    /// [`Error::Internal`] for a picture without its pixels, or a size of none.
    pub(crate) fn one_of(
        mut picture: Picture,
        sizes: &[(u32, u32)],
        (width, height): (u32, u32),
    ) -> Result<Picture, Error> {
        let source = (picture.width, picture.height);
        let inner = fitted(source.0, source.1, width, height);
        if inner == source {
            clean(&mut picture);
            return Ok(within(picture, width, height));
        }
        let linear = Self::new(picture)?;
        let steps = steps(source, sizes);
        let between = steps.iter().find(|(size, _)| *size == inner).and_then(|&(_, from)| from);
        let between = between.map(|(width, height)| scaled_down(&linear.image, width, height)).transpose()?;
        let made = scaled_down(between.as_ref().unwrap_or(&linear.image), inner.0, inner.1)?;
        Ok(within(straight(&made), width, height))
    }

    /// The picture as it was, as [`Self::source`].
    pub fn into_source(self) -> Picture {
        self.source
    }

    /// The picture as it was, colour under full transparency cleaned.
    pub fn source(&self) -> &Picture {
        &self.source
    }

    /// The whole picture, as large as it fits into `width` x `height` px, in the middle, transparent around it.
    ///
    /// # Errors
    /// [`Error::Internal`] for a size of no pixels.
    pub fn fit(&self, width: u32, height: u32) -> Result<Picture, Error> {
        let (inner_width, inner_height) = fitted(self.source.width, self.source.height, width, height);
        let inner = if (inner_width, inner_height) == (self.source.width, self.source.height) {
            self.source.clone()
        } else {
            self.resized(inner_width, inner_height)?
        };
        Ok(within(inner, width, height))
    }

    fn resized(&self, width: u32, height: u32) -> Result<Picture, Error> {
        Ok(straight(&scaled_down(&self.image, width, height)?))
    }
}

/// The sizes of the pictures within `sizes`, the largest first, and of which of those before each is made; of the artwork itself where
/// that is none. Of what was resized twice too much is lost.
fn steps(source: (u32, u32), sizes: &[(u32, u32)]) -> Vec<Step> {
    let mut inner: Vec<_> = sizes.iter().map(|&(w, h)| fitted(source.0, source.1, w, h)).collect();
    inner.sort_unstable();
    inner.dedup();
    let mut steps: Vec<Step> = Vec::with_capacity(inner.len());
    for &size in inner.iter().rev() {
        let is_enough = |&&((width, height), from): &&Step| {
            from.is_none() && width >= ENOUGH * size.0 && height >= ENOUGH * size.1
        };
        let from = steps.iter().filter(is_enough).min_by_key(|((width, _), _)| *width).map(|&(from, _)| from);
        steps.push((size, from));
    }
    steps
}

/// Width and height in px, and those of what it is made of.
type Step = ((u32, u32), Option<(u32, u32)>);

fn scaled_down(from: &Image<'_>, width: u32, height: u32) -> Result<Image<'static>, Error> {
    let mut resized = Image::new(width, height, PixelType::U16x4);
    let other_pixels = || Error::internal(std::io::Error::other("an image of other pixels than 16-bit RGBA"));
    // Typed, so that the code for two dozen other kinds of pixels is not compiled.
    let source = from.typed_image::<U16x4>().ok_or_else(other_pixels)?;
    let mut target = resized.typed_image_mut::<U16x4>().ok_or_else(other_pixels)?;
    Resizer::new().resize_typed(&source, &mut target, &options()).map_err(Error::internal)?;
    Ok(resized)
}

/// Back to sRGB and straight alpha.
fn straight(linear: &Image<'_>) -> Picture {
    let from_linear = &*FROM_LINEAR;
    let mut rgba = vec![0; linear.buffer().len() / 2];
    let pixels = linear.buffer().as_chunks::<8>().0.iter().zip(rgba.as_chunks_mut::<4>().0);
    for (&[r0, r1, g0, g1, b0, b1, a0, a1], pixel) in pixels {
        let alpha = u32::from(u16::from_ne_bytes([a0, a1]));
        let snapped = snap((alpha + 128) / 257);
        if snapped == 0 {
            continue;
        }
        // The filter rings a little beyond 0 and 1; a colour is never brighter than its alpha.
        let straight = |value: [u8; 2]| {
            let value = u32::from(u16::from_ne_bytes(value));
            let light = if alpha == 65_535 { value } else { (value.min(alpha) * 65_535 + alpha / 2) / alpha };
            from_linear.get(light as usize).copied().unwrap_or(255)
        };
        *pixel = [straight([r0, r1]), straight([g0, g1]), straight([b0, b1]), snapped];
    }
    Picture { width: linear.width(), height: linear.height(), rgba }
}

/// In the middle of a canvas that may be larger.
fn within(inner: Picture, width: u32, height: u32) -> Picture {
    if (inner.width, inner.height) == (width, height) { inner } else { centred(&inner, width, height) }
}

/// How many times as wide and high as a size what it is made of must be.
const ENOUGH: u32 = 3;

fn options() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false)
}

/// Lanczos leaves halos of almost nothing around a sticker; without them files are a seventh smaller and look the same.
fn snap(alpha: u32) -> u8 {
    match alpha {
        0..=3 => 0,
        252.. => 255,
        _ => u8::try_from(alpha).unwrap_or(255),
    }
}

/// Colour that nobody can see costs bytes.
fn clean(picture: &mut Picture) {
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        if let [_, _, _, 0] = pixel {
            *pixel = [0; 4];
        }
    }
}

/// The largest size with the shape of `from` within `into`, at least one px each way.
pub(crate) fn fitted(from_width: u32, from_height: u32, width: u32, height: u32) -> (u32, u32) {
    let (from_w, from_h, w, h) =
        (u64::from(from_width), u64::from(from_height), u64::from(width), u64::from(height));
    let rounded = |numerator: u64, denominator: u64| {
        u32::try_from((numerator + denominator / 2) / denominator).unwrap_or(u32::MAX).max(1)
    };
    if from_w * h >= w * from_h {
        (width, rounded(from_h * w, from_w).min(height))
    } else {
        (rounded(from_w * h, from_h).min(width), height)
    }
}

fn centred(inner: &Picture, width: u32, height: u32) -> Picture {
    let mut rgba = vec![0; width as usize * height as usize * 4];
    let (left, top) = ((width - inner.width) / 2, (height - inner.height) / 2);
    let row = inner.width as usize * 4;
    let into = rgba.chunks_exact_mut(width as usize * 4).skip(top as usize);
    for (into, from) in into.zip(inner.rgba.chunks_exact(row)) {
        if let Some(part) = into.get_mut(left as usize * 4..left as usize * 4 + row) {
            part.copy_from_slice(from);
        }
    }
    Picture { width, height, rgba }
}

fn narrow(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// IEC 61966-2-1: sRGB bytes to 16-bit linear light.
static TO_LINEAR: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        scaled(linear(f64::from(u8::try_from(value).unwrap_or(255)) / 255.0), 65_535.0)
    })
});

/// 16-bit linear light to sRGB bytes.
static FROM_LINEAR: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..=u16::MAX)
        .map(|light| u8::try_from(scaled(gamma(f64::from(light) / 65_535.0), 255.0)).unwrap_or(255))
        .collect()
});

fn linear(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn gamma(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
fn scaled(value: f64, max: f64) -> u16 {
    (value.clamp(0.0, 1.0) * max).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(colour: [u8; 3], side: u32) -> Picture {
        let middle = f64::from(side) / 2.0;
        let inside = |x: u32, y: u32| (f64::from(x) - middle).hypot(f64::from(y) - middle) < middle * 0.8;
        let pixel = |x, y| if inside(x, y) { [colour[0], colour[1], colour[2], 255] } else { [0, 255, 0, 0] };
        let rgba = (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect();
        Picture { width: side, height: side, rgba }
    }

    #[test]
    fn edges_keep_the_colour_of_the_sticker_whatever_lies_under_the_transparency() {
        let small = Linear::new(disc([255, 0, 0], 512)).unwrap().fit(96, 96).unwrap();
        for pixel in small.rgba.as_chunks::<4>().0 {
            assert!(matches!(pixel, [0, 0, 0, 0] | [254..=255, 0, 0, _]), "{pixel:?}");
        }
        assert!(small.rgba.as_chunks::<4>().0.iter().any(|pixel| (1..255).contains(&pixel[3])));
    }

    #[test]
    fn a_checkerboard_of_black_and_white_becomes_the_grey_of_half_the_light() {
        let pixel = |x: u32, y: u32| if (x + y).is_multiple_of(2) { [255; 4] } else { [0, 0, 0, 255] };
        let rgba = (0..64).flat_map(|y| (0..64).flat_map(move |x| pixel(x, y))).collect();
        let small = Linear::new(Picture { width: 64, height: 64, rgba }).unwrap().fit(8, 8).unwrap();
        let middle = small.rgba.as_chunks::<4>().0[8 * 4 + 4];
        assert!((186..=190).contains(&middle[0]), "{middle:?}");
    }

    #[test]
    fn the_same_size_is_the_same_picture_but_for_hidden_colour() {
        let source = disc([9, 99, 199], 128);
        let mut cleaned = source.clone();
        clean(&mut cleaned);
        assert_eq!(Linear::new(source).unwrap().fit(128, 128).unwrap(), cleaned);
    }

    #[test]
    fn a_wide_picture_stands_in_the_middle_with_nothing_above_and_below() {
        let wide = Picture { width: 200, height: 100, rgba: vec![255; 200 * 100 * 4] };
        let fitted = Linear::new(wide).unwrap().fit(96, 96).unwrap();
        let row = |y: usize| fitted.rgba.chunks_exact(96 * 4).nth(y).unwrap().to_vec();
        assert!([0, 23, 72, 95].iter().all(|&y| row(y).iter().all(|&byte| byte == 0)));
        assert!([24, 71].iter().all(|&y| row(y).iter().all(|&byte| byte == 255)));
    }

    #[test]
    fn sizes_that_are_made_of_others_look_as_if_they_were_made_of_the_artwork() {
        let linear = Linear::new(disc([240, 160, 20], 1024)).unwrap();
        let sizes = [(96, 96), (128, 128), (192, 192), (256, 256), (384, 384), (512, 512), (96, 48)];
        for (picture, (width, height)) in linear.pyramid(&sizes).unwrap().iter().zip(sizes) {
            let direct = linear.fit(width, height).unwrap();
            let score = crate::score::Reference::new(&direct).unwrap().score(picture).unwrap();
            assert!(score > 95.0, "{width} x {height}: {score}");
        }
    }

    #[test]
    fn one_of_the_sizes_alone_is_the_picture_that_it_is_among_all_of_them() {
        let sizes = [(96, 96), (128, 128), (192, 192), (256, 256), (384, 384), (512, 512), (600, 100)];
        for side in [96, 511, 512, 1024] {
            let pictures = Linear::new(disc([240, 160, 20], side)).unwrap().pyramid(&sizes).unwrap();
            for (picture, size) in pictures.into_iter().zip(sizes) {
                let alone = Linear::one_of(disc([240, 160, 20], side), &sizes, size).unwrap();
                assert!(alone == picture, "{side} px to {size:?}");
            }
        }
    }

    #[test]
    fn sizes_are_fitted_with_their_shape() {
        assert_eq!(super::fitted(1024, 1024, 512, 512), (512, 512));
        assert_eq!(super::fitted(10_000, 1, 96, 96), (96, 1));
        assert_eq!(super::fitted(300, 400, 96, 96), (72, 96));
    }
}
