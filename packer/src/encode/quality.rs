//! What pictures must look like: four names, or a score of one's own.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What the pictures of a pack must look like, whatever that takes. The targets are SSIMULACRA2 scores on the worst of black, white
/// and mid-grey against the resized artwork.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quality {
    /// For a first look: what is wrong shows, and so do the losses.
    Draft,
    /// Nothing is missed in a chat.
    #[default]
    Standard,
    /// Hardly to be told from the artwork side by side.
    High,
    /// Every pixel of the resized artwork.
    Lossless,
    /// Another score, to compare with something else or to fit what a team has agreed upon.
    Score(Score),
}

/// A score to reach in tenths of a point, [`Score::MIN`] to [`Score::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Score(u16);

impl Score {
    /// Below, the search knows no way to lose more.
    pub const MIN: f64 = 30.0;
    /// Above, only lossless coding is left.
    pub const MAX: f64 = 95.0;

    /// Rounded to a tenth; `None` outside of the range.
    pub fn new(points: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "300 to 950")]
        (Self::MIN..=Self::MAX).contains(&points).then(|| Self((points * 10.0).round() as u16))
    }

    /// In points.
    pub fn points(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

/// It is neither a name nor a score in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quality is draft, standard, high, lossless, or a score from {} to {}", Score::MIN, Score::MAX)]
pub struct NoQuality;

impl Quality {
    /// Those with a name.
    pub const NAMED: [Self; 4] = [Self::Draft, Self::Standard, Self::High, Self::Lossless];

    /// The lowest score that is good enough; none for lossless.
    pub fn target(self) -> Option<f64> {
        match self {
            Self::Draft => Some(65.0),
            Self::Standard => Some(80.0),
            Self::High => Some(88.0),
            Self::Lossless => None,
            Self::Score(score) => Some(score.points()),
        }
    }

    /// The lossy coder's quality that is right for most pictures: where a search begins, and what is used without one.
    pub(super) fn usual(self) -> f32 {
        match self {
            Self::Draft => 65.0,
            Self::Standard => 86.0,
            Self::High | Self::Lossless => 94.0,
            // Straight between those above, and on in the same direction.
            Self::Score(Score(tenths)) if tenths < 800 => 86.0 - f32::from(800 - tenths) * 0.14,
            Self::Score(Score(tenths)) => (86.0 + f32::from(tenths - 800) * 0.1).min(100.0),
        }
    }
}

/// As it is written on a command line and in a project file.
impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Standard => "standard",
            Self::High => "high",
            Self::Lossless => "lossless",
            Self::Score(score) => return write!(f, "{}", score.points()),
        })
    }
}

impl FromStr for Quality {
    type Err = NoQuality;

    fn from_str(text: &str) -> Result<Self, NoQuality> {
        if let Some(named) = Self::NAMED.into_iter().find(|named| named.to_string() == text) {
            return Ok(named);
        }
        text.parse().ok().and_then(Score::new).map(Self::Score).ok_or(NoQuality)
    }
}

/// A name, or a number.
impl Serialize for Quality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Score(score) => serializer.serialize_f64(score.points()),
            named => serializer.collect_str(named),
        }
    }
}

impl<'de> Deserialize<'de> for Quality {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrNumber)
    }
}

struct NameOrNumber;

impl Visitor<'_> for NameOrNumber {
    type Value = Quality;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&NoQuality, f)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quality, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, points: f64) -> Result<Quality, E> {
        Score::new(points).map(Quality::Score).ok_or_else(|| E::custom(NoQuality))
    }

    fn visit_i64<E: de::Error>(self, points: i64) -> Result<Quality, E> {
        self.visit_f64(i16::try_from(points).map_or(f64::NAN, f64::from))
    }

    fn visit_u64<E: de::Error>(self, points: u64) -> Result<Quality, E> {
        self.visit_f64(u16::try_from(points).map_or(f64::NAN, f64::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_is_read_as_it_is_written_and_nothing_else_is() {
        for quality in
            Quality::NAMED.into_iter().chain([83.0, 82.5].map(|it| Quality::Score(Score::new(it).unwrap())))
        {
            assert_eq!(quality.to_string().parse(), Ok(quality));
            let json = serde_json::to_string(&quality).unwrap();
            assert_eq!(serde_json::from_str::<Quality>(&json).unwrap(), quality);
        }
        for text in ["", "Standard", "29.9", "95.1", "-1", "300", "NaN"] {
            assert_eq!(text.parse::<Quality>(), Err(NoQuality), "{text}");
        }
    }

    #[test]
    fn a_score_begins_its_search_where_the_named_ones_do() {
        for named in [Quality::Draft, Quality::Standard, Quality::High] {
            let score = Score::new(named.target().unwrap()).unwrap();
            assert!((Quality::Score(score).usual() - named.usual()).abs() < 0.5);
        }
    }
}
