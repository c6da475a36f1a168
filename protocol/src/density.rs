//! Screen densities and the choice among those that were built.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Dots per inch of a screen, from 1 to 4096; 160 is one pixel per dp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Density(u16);

/// The densities that a packer builds, ascending.
pub const LADDER: [Density; 6] =
    [Density(120), Density(160), Density(240), Density(320), Density(480), Density(640)];

/// A number outside 1 to 4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a density is a whole number from {} to {}", Density::MIN.0, Density::MAX.0)]
pub struct DensityError;

impl Density {
    /// The smallest density that may be asked for.
    pub const MIN: Self = Self(1);
    /// The largest density that may be asked for.
    pub const MAX: Self = Self(4096);
    /// What a client that names no density gets: 2 px per dp, the middle of today's phones.
    pub const DEFAULT: Self = Self(320);

    /// Takes a number from 1 to 4096.
    ///
    /// # Errors
    /// [`DensityError`] for every other number.
    pub fn new(value: u32) -> Result<Self, DensityError> {
        u16::try_from(value)
            .ok()
            .map(Self)
            .filter(|density| (Self::MIN..=Self::MAX).contains(density))
            .ok_or(DensityError)
    }

    /// The number, or the nearest of 1 and 4096 where it is outside.
    #[expect(clippy::cast_possible_truncation, reason = "at most 4095")]
    pub const fn clamped(value: u32) -> Self {
        match value {
            0 => Self::MIN,
            1..=4095 => Self(value as u16),
            _ => Self::MAX,
        }
    }

    /// The number itself, from 1 to 4096.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// How many pixels `dp` are on this screen, rounded to the nearest, at least 1 for at least 1 dp.
    pub fn px(self, dp: u32) -> u32 {
        let px = (u64::from(dp) * u64::from(self.0) + 80) / 160;
        u32::try_from(px).unwrap_or(u32::MAX).max(u32::from(dp > 0))
    }

    /// Chooses for a screen of density `wanted`: the smallest of `built` that is at least as dense, else the largest.
    /// `built` may be in any order; `None` only where it is empty.
    pub fn choose(built: impl IntoIterator<Item = Self>, wanted: Self) -> Option<Self> {
        built.into_iter().min_by_key(|&density| {
            (density < wanted, if density < wanted { u16::MAX - density.0 } else { density.0 })
        })
    }
}

impl TryFrom<u32> for Density {
    type Error = DensityError;
    fn try_from(value: u32) -> Result<Self, DensityError> {
        Self::new(value)
    }
}

impl From<Density> for u32 {
    fn from(density: Density) -> Self {
        Self::from(density.0)
    }
}

impl fmt::Display for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Density({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: u32) -> u16 {
        Density::choose(LADDER, Density::new(wanted).unwrap()).unwrap().get()
    }

    #[test]
    fn the_smallest_density_that_fills_the_screen_is_chosen_else_the_largest() {
        assert_eq!(
            [1, 100, 120, 121, 160, 200, 320, 641, 1000, 4096].map(chosen),
            [120, 120, 120, 160, 160, 240, 320, 640, 640, 640]
        );
        assert_eq!(Density::choose([], Density::DEFAULT), None);
    }

    #[test]
    fn the_order_of_what_was_built_does_not_matter() {
        let mut shuffled = LADDER;
        shuffled.reverse();
        assert_eq!(Density::choose(shuffled, Density(200)), Some(Density(240)));
        assert_eq!(Density::choose(shuffled, Density(4000)), Some(Density(640)));
    }

    #[test]
    fn a_density_outside_1_to_4096_is_refused() {
        assert!(Density::new(0).is_err());
        assert!(Density::new(4097).is_err());
        assert!(Density::new(65_536 + 320).is_err());
        assert_eq!(Density::new(4096).unwrap(), Density::MAX);
    }

    #[test]
    fn pixels_follow_from_dp() {
        assert_eq!(LADDER.map(|density| density.px(128)), [96, 128, 192, 256, 384, 512]);
        assert_eq!(Density(1).px(1), 1);
        assert_eq!(Density(120).px(1), 1);
    }
}
