//! The codes of what is wrong for a messenger: its name, then the rule.

use std::sync::LazyLock;

use super::platforms::PlatformId;

/// A rule that messengers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    StickerCount,
    Mixed,
    TooLong,
    TooShort,
    NotWholeSeconds,
    FrameRate,
    FrameTooShort,
    FrameCount,
    Loops,
    TooSmall,
    Shape,
    Margin,
    EmojiCount,
    FileSize,
    IconTooSmall,
    TextTooLong,
    /// No file within the limit looks well enough.
    OverLimit,
    LooksWorse,
    Split,
    NeedsFfmpeg,
}

impl Rule {
    const ALL: [(Self, &'static str); 20] = [
        (Self::StickerCount, "sticker_count"),
        (Self::Mixed, "mixed"),
        (Self::TooLong, "too_long"),
        (Self::TooShort, "too_short"),
        (Self::NotWholeSeconds, "not_whole_seconds"),
        (Self::FrameRate, "frame_rate"),
        (Self::FrameTooShort, "frame_too_short"),
        (Self::FrameCount, "frame_count"),
        (Self::Loops, "loops"),
        (Self::TooSmall, "too_small"),
        (Self::Shape, "shape"),
        (Self::Margin, "margin"),
        (Self::EmojiCount, "emoji_count"),
        (Self::FileSize, "file_size"),
        (Self::IconTooSmall, "icon_too_small"),
        (Self::TextTooLong, "text_too_long"),
        (Self::OverLimit, "over_limit"),
        (Self::LooksWorse, "looks_worse"),
        (Self::Split, "split"),
        (Self::NeedsFfmpeg, "needs_ffmpeg"),
    ];
}

static CODES: LazyLock<Vec<(PlatformId, Rule, String)>> = LazyLock::new(|| {
    let of_platform = |platform: PlatformId| {
        Rule::ALL.into_iter().map(move |(rule, name)| (platform, rule, format!("{platform}_{name}")))
    };
    PlatformId::ALL.into_iter().flat_map(of_platform).collect()
});

/// Such as `telegram_too_long`.
pub(crate) fn code(platform: PlatformId, rule: Rule) -> &'static str {
    let known = CODES.iter().find(|(of, known, _)| (*of, *known) == (platform, rule));
    known.map(|(_, _, code)| code.as_str()).unwrap_or_default()
}

/// Every one.
#[cfg(test)]
pub(crate) fn all() -> Vec<&'static str> {
    CODES.iter().map(|(_, _, code)| code.as_str()).collect()
}
