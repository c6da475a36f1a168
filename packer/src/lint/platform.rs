//! What a messenger would refuse of a pack, or show worse than it was drawn.

mod export;
mod pack;
mod texts;

use std::fs;
use std::path::Path;

use super::Seen;
use super::codes::{Rule, code};
use super::platforms::{Kind, Limit, Platform, SizeRule};
use crate::check::Readable;
use crate::finding::{Finding, Level};
use crate::resize::fitted;
pub(crate) use export::before_export;
use texts::Chosen;

/// Tells of everything about the pack that the platform's published limits do not allow.
pub(super) fn check(
    platform: &Platform,
    readable: &Readable<'_>,
    stickers: &[Seen],
    findings: &mut Vec<Finding>,
) {
    look(platform, readable, stickers, &texts::all, findings);
}

/// As [`check`], of the chosen texts alone.
fn look(
    platform: &Platform,
    readable: &Readable<'_>,
    stickers: &[Seen],
    chosen: Chosen<'_>,
    findings: &mut Vec<Finding>,
) {
    texts::check(platform, readable, chosen, findings);
    let mut check = Check { platform, findings };
    check.pack(readable, stickers);
    for sticker in stickers {
        check.sticker(sticker);
    }
}

struct Check<'a> {
    platform: &'a Platform,
    findings: &'a mut Vec<Finding>,
}

impl Check<'_> {
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
            let hint = "choose `fps` so that it lasts 1, 2 or 3 seconds; whatever makes the file for the platform has to stretch it else";
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
                let hint = "nothing has to be done: what is made for the platform loops for ever; draw it so that it may";
                self.tell(limit, Level::Warning, Rule::Loops, &sticker.path, message, hint);
            } else if loops != 0 && (loops < limit.is.min || loops > most || too_long) {
                let message = format!(
                    "it plays {loops} times, {total} ms each, and {name} takes at most {most} times in its longest time"
                );
                let hint = "set `loop` to fewer; 0 says nothing of it";
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
            let hint = "draw fewer, or somebody else chooses which are left out";
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
                (Level::Warning, "draw fewer, or somebody else chooses which are left out")
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

/// Of the artwork's file; a folder of frames says nothing about one file of them all.
fn bytes(artwork: &Path) -> Option<u64> {
    let metadata = fs::metadata(artwork).ok()?;
    metadata.is_file().then_some(metadata.len())
}

#[cfg(test)]
mod tests;
