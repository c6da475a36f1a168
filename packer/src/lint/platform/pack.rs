//! What a messenger would refuse of a whole pack.

use std::path::Path;

use super::super::Seen;
use super::super::codes::Rule;
use super::super::platforms::{Count, Icon, Limit, Platform};
use super::{Check, bytes};
use crate::artwork::Artwork;
use crate::check::Readable;
use crate::export::Messenger;
use crate::finding::Level;
use crate::project::PROJECT_FILE;

impl Check<'_> {
    pub(super) fn pack(&mut self, readable: &Readable<'_>, stickers: &[Seen]) {
        let platform = self.platform;
        let path = readable.project.folder.join(PROJECT_FILE);
        // Of a pack that lacks stickers there is nothing to say yet.
        if stickers.len() == readable.project.file.stickers.len() {
            self.counts(&path, stickers);
        }
        self.emoji_left_out(&path, stickers);
        if let (Some(icon), Some(cover)) = (&platform.icon, readable.cover) {
            self.icon(icon, cover);
        }
    }

    fn counts(&mut self, path: &Path, stickers: &[Seen]) {
        let platform = self.platform;
        let (animated, still): (Vec<_>, Vec<_>) = stickers.iter().partition(|sticker| sticker.frames() > 1);
        if !platform.mixed.is && !animated.is_empty() && !still.is_empty() {
            let message = format!(
                "{} takes packs of stills or of animations; here are {} and {}",
                platform.name,
                still.len(),
                animated.len()
            );
            let (level, hint) = if is_split(platform) {
                (Level::Warning, "nothing has to be done: the export makes a pack of each")
            } else {
                (Level::Error, "make a pack of each")
            };
            self.tell(&platform.mixed, level, Rule::Mixed, path, message, hint);
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
                let (level, hint) = if is_split(platform) && count > kind.stickers.is.range().max as usize {
                    (Level::Warning, "nothing has to be done: the export makes several packs")
                } else {
                    (Level::Error, "add stickers, or leave some out for this platform")
                };
                self.tell(&kind.stickers, level, Rule::StickerCount, path, message, hint);
            }
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
}

/// Whether an export makes several packs of one that the platform does not take.
fn is_split(platform: &Platform) -> bool {
    !platform.mixed.is && Messenger::ALL.iter().any(|messenger| messenger.platform() == platform.id)
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
