//! Colour profiles: whatever a file's numbers mean, the packer's mean 8-bit sRGB. `cICP`, `gAMA`, `cHRM` and the like are not looked at: sticker artwork without an ICC
//! profile is sRGB.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform16BitExecutor, TransformOptions};

use super::refused::Refused;

/// Straight RGBA as a decoder gives it.
#[derive(Debug)]
pub(super) enum Samples {
    /// Four bytes a pixel.
    Eight(Vec<u8>),
    /// Four numbers a pixel.
    Sixteen(Vec<u16>),
}

/// How a file's colours become sRGB.
pub(super) enum Colours {
    /// They are sRGB.
    Srgb,
    /// By a profile for red, green and blue.
    Rgb(Arc<Transform16BitExecutor>),
    /// By a profile for grey.
    Grey(Arc<Transform16BitExecutor>),
}

impl Colours {
    /// By an ICC profile; as sRGB, with a warning, where the profile cannot be used.
    pub(super) fn new(profile: Option<&[u8]>, is_grey: bool, warnings: &mut Vec<Refused>) -> Self {
        let Some(profile) = profile else { return Self::Srgb };
        let colours = Self::by(profile, is_grey);
        if colours.is_none() {
            let hint = "convert the picture to sRGB when you export it, or its colours may shift";
            warnings.push(Refused::new("icc_profile_unusable", "its colour profile cannot be applied", hint));
        }
        colours.filter(|colours| !colours.change_nothing()).unwrap_or(Self::Srgb)
    }

    fn by(profile: &[u8], is_grey: bool) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        let srgb = ColorProfile::new_srgb();
        let transform = |layout| {
            profile.create_transform_16bit(layout, &srgb, Layout::Rgba, TransformOptions::default()).ok()
        };
        match profile.color_space {
            DataColorSpace::Rgb => transform(Layout::Rgba).map(Self::Rgb),
            DataColorSpace::Gray if is_grey => transform(Layout::GrayAlpha).map(Self::Grey),
            _ => None,
        }
    }

    /// Whether the profile is sRGB by another name: applied, it would only round.
    fn change_nothing(&self) -> bool {
        const STEPS: [u8; 9] = [0, 16, 32, 64, 96, 128, 160, 208, 255];
        let probe = |at: usize| STEPS.get(at % STEPS.len()).copied().unwrap_or_default();
        let of = |at: usize| match self {
            Self::Grey(_) => [probe(at), probe(at), probe(at), 255],
            _ => [probe(at), probe(at / 9), probe(at / 81), 255],
        };
        let before: Vec<u8> = (0..9 * 9 * 9).flat_map(of).collect();
        let after = self.to_srgb(Samples::Eight(before.clone()));
        before.iter().zip(after).all(|(&before, after)| before.abs_diff(after) <= 1)
    }

    /// Rounded, not cut, to 8 bits.
    pub(super) fn to_srgb(&self, samples: Samples) -> Vec<u8> {
        let sixteen = match samples {
            Samples::Eight(bytes) if matches!(self, Self::Srgb) => return bytes,
            Samples::Eight(bytes) => bytes.into_iter().map(|byte| u16::from(byte) * 257).collect(),
            Samples::Sixteen(numbers) => numbers,
        };
        let mut rgba = Vec::with_capacity(sixteen.len());
        let mut converted = vec![0_u16; CHUNK];
        for source in sixteen.chunks(CHUNK) {
            let Some(converted) = converted.get_mut(..source.len()) else { continue };
            let done = match self {
                Self::Srgb => None,
                Self::Rgb(transform) => transform.transform(source, converted).ok(),
                Self::Grey(transform) => {
                    let pixels = source.as_chunks::<4>().0.iter();
                    let grey: Vec<u16> = pixels.flat_map(|&[grey, _, _, alpha]| [grey, alpha]).collect();
                    transform.transform(&grey, converted).ok()
                }
            };
            let result = if done.is_some() { &*converted } else { source };
            rgba.extend(result.iter().map(|&number| eight(number)));
            // A profile says nothing of transparency.
            for (to, from) in
                rgba.as_chunks_mut::<4>().0.iter_mut().rev().zip(source.as_chunks::<4>().0.iter().rev())
            {
                let ([_, _, _, to], &[_, _, _, from]) = (to, from);
                *to = eight(from);
            }
        }
        rgba
    }
}

/// Numbers that are converted at once: a whole number of pixels.
const CHUNK: usize = 4 * 4096;

/// The nearest of 256 levels.
fn eight(sixteen: u16) -> u8 {
    u8::try_from((u32::from(sixteen) + 128) / 257).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(profile: &ColorProfile, is_grey: bool, pixel: [u8; 4]) -> (Vec<u8>, usize) {
        let mut warnings = Vec::new();
        let colours = Colours::new(Some(&profile.encode().unwrap()), is_grey, &mut warnings);
        (colours.to_srgb(Samples::Eight(pixel.to_vec())), warnings.len())
    }

    #[test]
    fn colours_of_a_wider_space_become_srgb_and_transparency_stays() {
        let p3 = ColorProfile::new_display_p3();
        let (pixel, warnings) = converted(&p3, false, [200, 100, 100, 77]);
        // Computed by hand from the primaries of Display P3 and sRGB, both with the same curve.
        assert!(
            pixel[0].abs_diff(215) <= 1 && pixel[1].abs_diff(93) <= 1 && pixel[2].abs_diff(97) <= 1,
            "{pixel:?}"
        );
        assert_eq!((pixel[3], warnings), (77, 0));
        assert_eq!(converted(&p3, false, [128, 128, 128, 255]).0, [128, 128, 128, 255]);
    }

    #[test]
    fn grey_by_its_own_curve_becomes_grey() {
        let grey = ColorProfile::new_gray_with_gamma(1.0);
        assert_eq!(converted(&grey, true, [55, 55, 55, 9]), (vec![128, 128, 128, 9], 0));
        // A profile for grey says nothing about colours.
        assert_eq!(converted(&grey, false, [55, 0, 0, 9]), (vec![55, 0, 0, 9], 1));
    }

    #[test]
    fn srgb_with_a_profile_is_left_alone() {
        assert!(matches!(
            Colours::new(Some(&ColorProfile::new_srgb().encode().unwrap()), false, &mut Vec::new()),
            Colours::Srgb
        ));
    }

    #[test]
    fn a_damaged_profile_is_a_warning() {
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        for length in [0, 1, 100, 200, whole.len() / 2] {
            let mut warnings = Vec::new();
            Colours::new(Some(&whole[..length]), false, &mut warnings);
            assert_eq!(warnings.len(), 1, "{length}");
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_of_eight() {
        for value in 0..=u16::MAX {
            let nearest = (f64::from(value) / 257.0).round();
            assert!((f64::from(eight(value)) - nearest).abs() < 0.5, "{value}");
        }
    }
}
