//! What a messenger would refuse of a pack, or show worse than it was drawn.

mod export;
mod texts;

use std::fs;
use std::path::Path;

use super::Seen;
use super::codes::{Rule, code};
use super::platforms::{Count, Icon, Kind, Limit, Platform, SizeRule};
use crate::artwork::Artwork;
use crate::check::Surveyed;
use crate::finding::{Finding, Level};
use crate::project::PROJECT_FILE;
use crate::resize::fitted;
pub(crate) use export::before_export;
use texts::Chosen;

/// Tells of everything about the pack that the platform's published limits do not allow.
pub(super) fn check(
    platform: &Platform,
    surveyed: &Surveyed,
    stickers: &[Seen],
    findings: &mut Vec<Finding>,
) {
    look(platform, surveyed, stickers, &texts::all, findings);
}

/// As [`check`], of the chosen texts alone.
fn look(
    platform: &Platform,
    surveyed: &Surveyed,
    stickers: &[Seen],
    chosen: Chosen<'_>,
    findings: &mut Vec<Finding>,
) {
    texts::check(platform, surveyed, chosen, findings);
    let mut check = Check { platform, findings };
    check.pack(surveyed, stickers);
    for sticker in stickers {
        check.sticker(sticker);
    }
}

struct Check<'a> {
    platform: &'a Platform,
    findings: &'a mut Vec<Finding>,
}

impl Check<'_> {
    fn pack(&mut self, surveyed: &Surveyed, stickers: &[Seen]) {
        let platform = self.platform;
        let path = surveyed.project.folder.join(PROJECT_FILE);
        let (animated, still): (Vec<_>, Vec<_>) = stickers.iter().partition(|sticker| sticker.frames() > 1);
        if !platform.mixed.is && !animated.is_empty() && !still.is_empty() {
            let message = format!(
                "{} takes packs of stills or of animations; here are {} and {}",
                platform.name,
                still.len(),
                animated.len()
            );
            let hint = "make a pack of each";
            self.tell(&platform.mixed, Level::Error, Rule::Mixed, &path, message, hint);
        }
        let of_kinds = if platform.mixed.is {
            vec![(&platform.still, stickers.len())]
        } else {
            vec![(&platform.still, still.len()), (&platform.animated, animated.len())]
        };
        for (kind, count) in of_kinds.into_iter().filter(|(_, count)| *count > 0) {
            let allowed = allowed(&kind.stickers.is);
            if !is_allowed(&kind.stickers.is, count) {
                let what = match (platform.mixed.is, std::ptr::eq(kind, &raw const platform.animated)) {
                    (true, _) => "stickers",
                    (false, true) => "animated stickers",
                    (false, false) => "still stickers",
                };
                let message = format!("{} takes {allowed} {what} in a pack; here are {count}", platform.name);
                let hint = "add stickers, or leave some out for this platform";
                self.tell(&kind.stickers, Level::Error, Rule::StickerCount, &path, message, hint);
            }
        }
        self.emoji_left_out(&path, stickers);
        if let (Some(icon), Some(cover)) = (&platform.icon, &surveyed.cover) {
            self.icon(icon, cover);
        }
    }

    /// The cover stands for the pack.
    fn icon(&mut self, icon: &Limit<Icon>, cover: &Artwork) {
        let (name, Icon { width, height, max_bytes }) = (&self.platform.name, icon.is);
        if cover.width < width || cover.height < height {
            let message = format!(
                "the cover has {} x {} px, and the picture of a pack has {width} x {height} for {name}",
                cover.width, cover.height
            );
            let hint = "draw the cover larger, such as 512 x 512 px";
            self.tell(icon, Level::Warning, Rule::IconTooSmall, &cover.path, message, hint);
        }
        // At its own size; the platform's picture is a part of that.
        let pixels = u64::from(cover.width) * u64::from(cover.height);
        let part = u64::from(width) * u64::from(height);
        let bytes = bytes(&cover.path).map(|bytes| bytes * part / pixels.max(part).max(1));
        if let Some(bytes) = bytes.filter(|&bytes| bytes > max_bytes) {
            let message = format!(
                "at {width} x {height} px the cover has about {bytes} bytes, and {name} takes {max_bytes}"
            );
            let hint = "nothing has to be done if the export is smaller; else draw a simpler cover";
            self.tell(icon, Level::Note, Rule::FileSize, &cover.path, message, hint);
        }
    }

    /// One note for all stickers, since nobody has to do anything about them.
    fn emoji_left_out(&mut self, path: &Path, stickers: &[Seen]) {
        let Some(emoji) = &self.platform.emoji else { return };
        let (name, most) = (&self.platform.name, emoji.is.max as usize);
        let many: Vec<_> = stickers.iter().filter(|it| it.emoji > most).map(|it| it.name.as_str()).collect();
        if let [first, ..] = many.as_slice() {
            let message = format!(
                "{} stickers, first `{first}`, answer to more emoji than the {most} that {name} takes",
                many.len()
            );
            let hint = "nothing has to be done where the best ones stand first: the export takes those";
            self.tell(emoji, Level::Note, Rule::EmojiCount, path, message, hint);
        }
    }

    fn sticker(&mut self, sticker: &Seen) {
        let kind = if sticker.frames() > 1 { &self.platform.animated } else { &self.platform.still };
        self.size(kind, sticker);
        self.emoji(sticker);
        if sticker.frames() > 1 {
            self.length(kind, sticker);
            self.speed(kind, sticker);
        }
        if let Some(bytes) = bytes(&sticker.path).filter(|&bytes| bytes > kind.max_bytes.is) {
            let formats: Vec<_> = kind.formats.is.iter().map(ToString::to_string).collect();
            let message = format!(
                "its artwork has {bytes} bytes, and {} takes {}",
                self.platform.name, kind.max_bytes.is
            );
            let hint = format!(
                "nothing has to be done if the export as {} is smaller; else use fewer colours or frames",
                formats.join(" or ")
            );
            self.tell(&kind.max_bytes, Level::Note, Rule::FileSize, &sticker.path, message, &hint);
        }
    }

    fn size(&mut self, kind: &Kind, sticker: &Seen) {
        let (name, size) = (&self.platform.name, kind.size.is);
        let (width, height) = sticker.size;
        let (fit_w, fit_h) = fitted(width, height, size.width, size.height);
        let (fit_w, fit_h) = if size.even { (fit_w & !1, fit_h & !1) } else { (fit_w, fit_h) };
        let longest = u32::max(fit_w, fit_h);
        let needed = match size.rule {
            SizeRule::Exact | SizeRule::OneSide => longest,
            SizeRule::Within => size.longest_at_least.unwrap_or(0),
        };
        if width.max(height) < needed {
            let message = format!("it has {width} x {height} px, and {name} wants {needed} px along a side");
            let hint = format!("export it larger: {} x {} px", size.width, size.height);
            self.tell(&kind.size, Level::Warning, Rule::TooSmall, &sticker.path, message, &hint);
        }
        if size.rule == SizeRule::Exact && (fit_w, fit_h) != (size.width, size.height) {
            let message = format!(
                "its {width} x {height} px leave empty stripes on the {} x {} px of {name}",
                size.width, size.height
            );
            let hint = "nothing has to be done if the sticker is meant to be wide or high";
            self.tell(&kind.size, Level::Note, Rule::Shape, &sticker.path, message, hint);
        }
        if let (Some(margin), Some(extent)) = (&kind.margin_px, sticker.extent) {
            // Where the visible part stands once the artwork is in the middle of the platform's canvas.
            let at_width = |px: u32| u64::from(px) * u64::from(fit_w) / u64::from(width.max(1));
            let at_height = |px: u32| u64::from(px) * u64::from(fit_h) / u64::from(height.max(1));
            let (beside, above) = match size.rule {
                SizeRule::Exact => {
                    (u64::from((size.width - fit_w) / 2), u64::from((size.height - fit_h) / 2))
                }
                SizeRule::OneSide | SizeRule::Within => (0, 0),
            };
            let least = [
                at_width(extent.left) + beside,
                at_width(width - extent.right) + beside,
                at_height(extent.top) + above,
                at_height(height - extent.bottom) + above,
            ];
            let least = least.into_iter().min().unwrap_or_default();
            if least < u64::from(margin.is) {
                let message =
                    format!("its margin is {least} px, and {name} wants {} on each side", margin.is);
                let hint = "draw it a little smaller, in the middle of the canvas";
                let level = if margin.recommended { Level::Note } else { Level::Warning };
                self.tell(margin, level, Rule::Margin, &sticker.path, message, hint);
            }
        }
    }

    fn emoji(&mut self, sticker: &Seen) {
        let Some(emoji) = &self.platform.emoji else { return };
        let least = emoji.is.min as usize;
        let name = &self.platform.name;
        if sticker.emoji < least {
            let message = format!("it answers to {} emoji, and {name} wants at least {least}", sticker.emoji);
            let hint = format!("add emoji to the sticker `{}`", sticker.name);
            self.tell(emoji, Level::Error, Rule::EmojiCount, &sticker.path, message, &hint);
        }
    }

    fn length(&mut self, kind: &Kind, sticker: &Seen) {
        let name = &self.platform.name;
        let total: u32 = sticker.durations_ms.iter().sum();
        if let Some(limit) = kind.max_ms.as_ref().filter(|limit| total > limit.is) {
            let message = format!("it lasts {total} ms, and {name} takes {}", limit.is);
            let hint = "leave out frames, or show each for a shorter time";
            self.tell(limit, Level::Error, Rule::TooLong, &sticker.path, message, hint);
        }
        if let Some(limit) = kind.min_ms.as_ref().filter(|limit| total < limit.is) {
            let message = format!("it lasts {total} ms, and {name} wants at least {}", limit.is);
            let hint = "add frames, or show each for longer";
            self.tell(limit, Level::Error, Rule::TooShort, &sticker.path, message, hint);
        }
        let fits = kind.max_ms.as_ref().is_none_or(|limit| total <= limit.is)
            && kind.min_ms.as_ref().is_none_or(|limit| total >= limit.is);
        if let Some(limit) =
            kind.whole_seconds.as_ref().filter(|it| it.is && fits && !total.is_multiple_of(1000))
        {
            let message = format!("it lasts {total} ms, and {name} takes whole seconds alone");
            let hint =
                "the export stretches it to the next second; choose fps so that it lasts 1, 2 or 3 seconds";
            self.tell(limit, Level::Warning, Rule::NotWholeSeconds, &sticker.path, message, hint);
        }
        if let Some(limit) = &kind.loops {
            let (loops, most) = (sticker.loop_count, limit.is.max);
            let too_long = kind
                .max_ms
                .as_ref()
                .is_some_and(|max| u64::from(loops) * u64::from(total) > u64::from(max.is));
            if loops != 0 && most == 0 {
                let message = format!("it plays {loops} times, and {name} plays every sticker for ever");
                let hint = "nothing has to be done: the export loops for ever; draw it so that it may";
                self.tell(limit, Level::Warning, Rule::Loops, &sticker.path, message, hint);
            } else if loops != 0 && (loops < limit.is.min || loops > most || too_long) {
                let message = format!(
                    "it plays {loops} times, {total} ms each, and {name} takes at most {most} times in its longest time"
                );
                let hint = "set `loop` to fewer; 0 lets the export choose";
                self.tell(limit, Level::Warning, Rule::Loops, &sticker.path, message, hint);
            }
        }
    }

    fn speed(&mut self, kind: &Kind, sticker: &Seen) {
        let (name, frames) = (&self.platform.name, sticker.frames());
        let shortest = sticker.durations_ms.iter().copied().min().unwrap_or_default();
        // Durations are whole ms, so 30 frames a second are 33 ms and 34 ms.
        if let Some(limit) = kind.max_fps.as_ref().filter(|limit| shortest < 1000 / limit.is.max(1)) {
            let message =
                format!("it shows a frame for {shortest} ms, and {name} takes {} frames a second", limit.is);
            let hint = "the export leaves frames out; draw fewer to choose which";
            self.tell(limit, Level::Warning, Rule::FrameRate, &sticker.path, message, hint);
        }
        if let Some(limit) = kind.min_frame_ms.as_ref().filter(|limit| shortest < limit.is) {
            let message =
                format!("it shows a frame for {shortest} ms, and {name} wants at least {}", limit.is);
            let hint = "leave out frames and show the others for longer";
            self.tell(limit, Level::Error, Rule::FrameTooShort, &sticker.path, message, hint);
        }
        if let Some(limit) = &kind.frames
            && !(limit.is.min as usize..=limit.is.max as usize).contains(&frames)
        {
            let message =
                format!("it has {frames} frames, and {name} takes {} to {}", limit.is.min, limit.is.max);
            // An export can leave frames out, and cannot draw any.
            let (level, hint) = if frames > limit.is.max as usize {
                (Level::Warning, "the export leaves frames out; draw fewer to choose which")
            } else {
                (Level::Error, "draw more frames")
            };
            self.tell(limit, level, Rule::FrameCount, &sticker.path, message, hint);
        }
    }

    fn tell<T>(
        &mut self,
        limit: &Limit<T>,
        level: Level,
        rule: Rule,
        path: &Path,
        message: String,
        hint: &str,
    ) {
        let code = code(self.platform.id, rule);
        let finding = Finding::error(code, path, message, format!("{hint} ({})", limit.stated()));
        self.findings.push(Finding { level, ..finding });
    }
}

impl Seen {
    fn frames(&self) -> usize {
        self.durations_ms.len()
    }
}

fn allowed(count: &Count) -> String {
    match count {
        Count::Range(range) => format!("{} to {}", range.min, range.max),
        Count::OneOf { one_of } => {
            let counts: Vec<_> = one_of.iter().map(ToString::to_string).collect();
            match counts.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, others)) => format!("{} or {last}", others.join(", ")),
                None => "no".to_owned(),
            }
        }
    }
}

fn is_allowed(count: &Count, stickers: usize) -> bool {
    match count {
        Count::Range(range) => (range.min as usize..=range.max as usize).contains(&stickers),
        Count::OneOf { one_of } => one_of.iter().any(|&count| count as usize == stickers),
    }
}

/// Of the artwork's file; a folder of frames says nothing about one file of them all.
fn bytes(artwork: &Path) -> Option<u64> {
    let metadata = fs::metadata(artwork).ok()?;
    metadata.is_file().then_some(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::extent::Extent;
    use crate::lint::platforms::{PlatformId, platform};
    use crate::lint::twins::Fingerprint;

    /// A sticker of 512 x 512 px with a margin of 16 px that every platform takes, but for what `change` does to it.
    fn sticker(frames: usize, ms: u32, change: impl FnOnce(&mut Seen)) -> Seen {
        let extent = Extent {
            left: 16,
            top: 16,
            right: 496,
            bottom: 496,
            size: (512, 512),
            pixels: 100_000,
            transparent: true,
        };
        let mut sticker = Seen {
            path: "nowhere.png".into(),
            name: "one".to_owned(),
            emoji: 1,
            size: (512, 512),
            durations_ms: vec![ms; frames],
            loop_count: 0,
            extent: Some(extent),
            fingerprint: Fingerprint::default(),
        };
        change(&mut sticker);
        sticker
    }

    fn codes(id: PlatformId, sticker: &Seen) -> Vec<&'static str> {
        let mut findings = Vec::new();
        Check { platform: platform(id), findings: &mut findings }.sticker(sticker);
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_still_that_is_drawn_by_the_book_is_fine_everywhere() {
        for id in PlatformId::ALL {
            assert_eq!(codes(id, &sticker(1, 0, |_| {})), [""; 0], "{id}");
        }
    }

    #[test]
    fn an_animation_of_two_seconds_and_twenty_frames_is_fine_everywhere() {
        for id in PlatformId::ALL {
            assert_eq!(codes(id, &sticker(20, 100, |_| {})), [""; 0], "{id}");
        }
    }

    #[test]
    fn each_platform_has_its_longest_time() {
        let longest = [
            (PlatformId::Telegram, 3_000, "telegram_too_long"),
            (PlatformId::WhatsApp, 10_000, "whatsapp_too_long"),
            (PlatformId::Signal, 3_000, "signal_too_long"),
            (PlatformId::Discord, 5_000, "discord_too_long"),
        ];
        for (id, ms, code) in longest {
            assert_eq!(codes(id, &sticker(10, ms / 10, |_| {})), [""; 0]);
            assert_eq!(codes(id, &sticker(10, ms / 10 + 1, |_| {})), [code]);
        }
    }

    #[test]
    fn line_takes_whole_seconds_from_one_to_four_in_five_to_twenty_frames() {
        let line = |frames, ms| codes(PlatformId::Line, &sticker(frames, ms, |_| {}));
        assert_eq!(line(5, 800), [""; 0]);
        assert_eq!(line(5, 900), ["line_too_long"]);
        assert_eq!(line(5, 100), ["line_too_short"]);
        assert_eq!(line(5, 500), ["line_not_whole_seconds"]);
        assert_eq!(line(4, 500), ["line_frame_count"]);
        assert_eq!(line(25, 40), ["line_frame_count"]);
        let plays = |times| codes(PlatformId::Line, &sticker(10, 100, |it| it.loop_count = times));
        assert_eq!((plays(4), plays(5)), (vec![], vec!["line_loops"]));
        let long = sticker(10, 200, |it| it.loop_count = 3);
        assert_eq!(codes(PlatformId::Line, &long), ["line_loops"]);
    }

    #[test]
    fn thirty_frames_a_second_are_what_telegram_takes() {
        let telegram = |ms| codes(PlatformId::Telegram, &sticker(20, ms, |_| {}));
        assert_eq!((telegram(33), telegram(32)), (vec![], vec!["telegram_frame_rate"]));
        let whatsapp = |ms| codes(PlatformId::WhatsApp, &sticker(20, ms, |_| {}));
        assert_eq!((whatsapp(8), whatsapp(7)), (vec![], vec!["whatsapp_frame_too_short"]));
    }

    #[test]
    fn artwork_with_fewer_pixels_than_a_platform_wants_or_of_another_shape_is_told() {
        let of_size = |id, width, height| {
            let size = |sticker: &mut Seen| (sticker.size, sticker.extent) = ((width, height), None);
            codes(id, &sticker(1, 0, size))
        };
        assert_eq!(of_size(PlatformId::Kakao, 360, 360), [""; 0]);
        assert_eq!(of_size(PlatformId::Kakao, 359, 359), ["kakao_too_small"]);
        assert_eq!(of_size(PlatformId::Kakao, 360, 300), ["kakao_shape"]);
        assert_eq!(of_size(PlatformId::Telegram, 512, 100), [""; 0]);
        assert_eq!(of_size(PlatformId::Telegram, 511, 100), ["telegram_too_small"]);
    }

    #[test]
    fn a_margin_is_measured_on_the_platforms_canvas() {
        let left = |id, size: u32, left: u32| {
            codes(
                id,
                &sticker(1, 0, |it| {
                    it.size = (size, size);
                    it.extent = it.extent.map(|extent| Extent {
                        left,
                        top: left,
                        right: size - left,
                        bottom: size - left,
                        ..extent
                    });
                }),
            )
        };
        assert_eq!(left(PlatformId::WhatsApp, 1024, 32), [""; 0]);
        assert_eq!(left(PlatformId::WhatsApp, 1024, 31), ["whatsapp_margin"]);
        assert_eq!(left(PlatformId::Line, 640, 20), [""; 0]);
        assert_eq!(left(PlatformId::Line, 640, 19), ["line_margin"]);
    }

    #[test]
    fn a_sticker_without_emoji_is_refused_where_the_platform_wants_one() {
        let without = sticker(1, 0, |it| it.emoji = 0);
        assert_eq!(codes(PlatformId::Telegram, &without), ["telegram_emoji_count"]);
        assert_eq!(codes(PlatformId::Line, &without), [""; 0]);
    }
}
