//! What each messenger publishes about the stickers that it takes: data, with the page of each number.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

/// A messenger that packs can be checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformId {
    /// Telegram's sticker sets.
    Telegram,
    /// `WhatsApp`'s third-party packs.
    WhatsApp,
    /// Signal's sticker packs.
    Signal,
    /// LINE Creators Market.
    Line,
    /// Kakao Emoticon Studio.
    Kakao,
    /// A Discord server's stickers.
    Discord,
}

impl PlatformId {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Telegram, Self::WhatsApp, Self::Signal, Self::Line, Self::Kakao, Self::Discord];

    /// As it stands in codes and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::WhatsApp => "whatsapp",
            Self::Signal => "signal",
            Self::Line => "line",
            Self::Kakao => "kakao",
            Self::Discord => "discord",
        }
    }
}

impl fmt::Display for PlatformId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No messenger of this name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no platform of this name is known; telegram, whatsapp, signal, line, kakao and discord are")]
pub struct UnknownPlatform;

impl FromStr for PlatformId {
    type Err = UnknownPlatform;

    fn from_str(name: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL.into_iter().find(|platform| platform.name() == name).ok_or(UnknownPlatform)
    }
}

/// A number, and where it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit<T> {
    pub(crate) is: T,
    /// The page that says so.
    pub(crate) source: String,
    /// The day on which somebody read it there; none where nobody could.
    pub(crate) date: Option<String>,
    #[serde(default = "yes")]
    pub(crate) verified: bool,
    /// Good advice rather than a reason to refuse a sticker.
    #[serde(default)]
    pub(crate) recommended: bool,
}

impl<T> Limit<T> {
    /// Where it stands and when it was read there.
    pub(crate) fn stated(&self) -> String {
        match &self.date {
            Some(date) if self.verified => format!("{}, read on {date}", self.source),
            _ => format!("{}, not verified", self.source),
        }
    }
}

const fn yes() -> bool {
    true
}

/// One messenger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    pub(crate) id: PlatformId,
    /// As people write it.
    pub(crate) name: String,
    pub(crate) still: Kind,
    pub(crate) animated: Kind,
    /// Whether one pack may hold stills and animations.
    pub(crate) mixed: Limit<bool>,
    /// How many emoji a sticker answers to.
    pub(crate) emoji: Option<Limit<Range>>,
    /// UTF-16 units of the pack's title, as Java and the Bot API count.
    pub(crate) title_chars: Option<Limit<u32>>,
    /// UTF-16 units of the artist's name.
    pub(crate) artist_chars: Option<Limit<u32>>,
    /// The picture that stands for the pack.
    pub(crate) icon: Option<Limit<Icon>>,
}

/// The limits of stills or of animations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    /// In a pack.
    pub(crate) stickers: Limit<Count>,
    pub(crate) size: Limit<Size>,
    /// Best first.
    pub(crate) formats: Limit<Vec<Format>>,
    pub(crate) max_bytes: Limit<u64>,
    pub(crate) max_ms: Option<Limit<u32>>,
    pub(crate) min_ms: Option<Limit<u32>>,
    pub(crate) whole_seconds: Option<Limit<bool>>,
    pub(crate) max_fps: Option<Limit<u32>>,
    pub(crate) min_frame_ms: Option<Limit<u32>>,
    pub(crate) frames: Option<Limit<Range>>,
    pub(crate) loops: Option<Limit<Range>>,
    /// Empty px on each side.
    pub(crate) margin_px: Option<Limit<u32>>,
    /// UTF-16 units of an alternative text.
    pub(crate) alt_chars: Option<Limit<u32>>,
}

/// From one number to another, both included.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

/// How many are allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Count {
    OneOf { one_of: Vec<u32> },
    Range(Range),
}

impl Count {
    /// From the fewest to the most.
    pub(crate) fn range(&self) -> Range {
        match self {
            Self::Range(range) => *range,
            Self::OneOf { one_of } => {
                let (min, max) = (one_of.iter().min(), one_of.iter().max());
                Range { min: min.copied().unwrap_or_default(), max: max.copied().unwrap_or_default() }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rule: SizeRule,
    /// Both sides are even.
    #[serde(default)]
    pub(crate) even: bool,
    /// One side has at least this many px.
    pub(crate) longest_at_least: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SizeRule {
    /// Exactly this width and height.
    Exact,
    /// One side exactly, the other at most.
    OneSide,
    /// Both at most.
    Within,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Png,
    Apng,
    #[serde(rename = "webp")]
    WebP,
    Gif,
    WebmVp9,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Apng => "APNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::WebmVp9 => "WebM with VP9",
        })
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Icon {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) max_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    platforms: Vec<Platform>,
}

static PLATFORMS: LazyLock<Vec<Platform>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
    let file: File = toml::from_str(include_str!("platforms.toml")).expect("platforms.toml");
    file.platforms
});

/// The limits of a messenger.
pub(crate) fn platform(id: PlatformId) -> &'static Platform {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test looks up every id")]
    PLATFORMS.iter().find(|platform| platform.id == id).expect("every id stands in platforms.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_limits_under_its_name() {
        for id in PlatformId::ALL {
            assert_eq!(platform(id).id, id);
            assert_eq!(id.name().parse(), Ok(id));
        }
        assert_eq!("icq".parse::<PlatformId>(), Err(UnknownPlatform));
    }

    /// Every table of the file that is a limit.
    fn limits(value: &toml::Value, into: &mut Vec<toml::Table>) {
        match value {
            toml::Value::Table(table) if table.contains_key("is") => into.push(table.clone()),
            toml::Value::Table(table) => table.values().for_each(|value| limits(value, into)),
            toml::Value::Array(values) => values.iter().for_each(|value| limits(value, into)),
            _ => {}
        }
    }

    #[test]
    fn every_limit_says_where_it_stands_and_when_it_was_read_there_or_that_it_was_not() {
        let file: toml::Table = toml::from_str(include_str!("platforms.toml")).unwrap();
        let mut found = Vec::new();
        limits(&toml::Value::Table(file), &mut found);
        assert!(found.len() > 60, "{}", found.len());
        for limit in found {
            let verified = limit.get("verified").and_then(toml::Value::as_bool).unwrap_or(true);
            assert_eq!(verified, limit.contains_key("date"), "{limit}");
            assert!(limit["source"].as_str().unwrap().starts_with("https://"), "{limit}");
        }
    }
}
