//! Every sticker's file.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::fit::score;
use super::frames::Frames;
use super::webm::Ffmpeg;
use super::{ExportedSticker, apng, webp};
use crate::artwork::{self, Artwork};
use crate::check::Surveyed;
use crate::encode::Quality;
use crate::error::Error;
use crate::finding::{Finding, Level};
use crate::lint::codes::{Rule, code};
use crate::lint::platforms::{Format, Platform};
use crate::picture::Picture;
use crate::progress::Progress;
use crate::project::StickerFile;

/// Makes the files of a pack.
pub(super) struct Maker<'a> {
    pub(super) platform: &'a Platform,
    /// Where the machine has it.
    pub(super) ffmpeg: Option<Ffmpeg>,
    pub(super) progress: &'a dyn Progress,
}

/// A sticker's file and what is known of it.
pub(super) struct Made<'a> {
    pub(super) sticker: &'a StickerFile,
    pub(super) format: Format,
    pub(super) file: Vec<u8>,
    pub(super) size: (u32, u32),
    pub(super) frames: usize,
    pub(super) duration_ms: u32,
    pub(super) max_bytes: u64,
    pub(super) score: f64,
}

impl Made<'_> {
    pub(super) fn is_animated(&self) -> bool {
        self.frames > 1
    }

    /// Once it has a place.
    pub(super) fn exported(&self, file: &str) -> ExportedSticker {
        ExportedSticker {
            name: self.sticker.name.clone(),
            file: file.to_owned(),
            width: self.size.0,
            height: self.size.1,
            frames: self.frames,
            duration_ms: self.duration_ms,
            bytes: self.file.len(),
            max_bytes: self.max_bytes,
            score: self.score,
        }
    }
}

impl Maker<'_> {
    /// In the project's order; without those that have an error, which is told among the findings.
    pub(super) fn all<'s>(
        &self,
        surveyed: &'s Surveyed,
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<Made<'s>>, Error> {
        let refused: BTreeSet<_> =
            findings.iter().filter(|it| it.level == Level::Error).map(|it| it.path.clone()).collect();
        let stickers: Vec<_> = surveyed.project.file.stickers.iter().zip(&surveyed.artworks).collect();
        self.progress.begins(stickers.len());
        let one = |&(sticker, artwork): &(&'s StickerFile, &Artwork)| {
            let mut found = Vec::new();
            let made = if refused.contains(&artwork.path) {
                None
            } else {
                self.one(sticker, artwork, &mut found).map_err(|error| error.at_sticker(&sticker.name))?
            };
            self.progress.step();
            Ok((made, found))
        };
        // Stills at once; the frames of an animation keep all cores busy, and one at a time keeps the memory bounded.
        let is_still = |(_, artwork): &&(&StickerFile, &Artwork)| artwork.frames() == 1;
        let stills = stickers.par_iter().filter(is_still).map(one).collect::<Result<Vec<_>, Error>>()?;
        let mut stills = stills.into_iter();
        let mut all = Vec::new();
        for sticker in &stickers {
            let done = if is_still(&sticker) { stills.next() } else { Some(one(sticker)?) };
            let Some((made, found)) = done else { continue };
            all.extend(made);
            findings.extend(found);
        }
        Ok(all)
    }

    /// `None` where a finding is an error.
    fn one<'s>(
        &self,
        sticker: &'s StickerFile,
        artwork: &Artwork,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Made<'s>>, Error> {
        let Some(mut frames) = Frames::draw(sticker, artwork, self.platform, findings)? else {
            return Ok(None);
        };
        self.slow_down(&mut frames, &artwork.path, findings);
        let kind = frames.kind(self.platform);
        let max_bytes = kind.max_bytes.is;
        let Some(&format) = kind.formats.is.first() else { return Ok(None) };
        let (file, shown) = match format {
            Format::WebP => with_shown(webp::code(&frames, max_bytes)?)?,
            Format::Apng => with_shown(apng::code(&frames, max_bytes)?)?,
            Format::WebmVp9 => match &self.ffmpeg {
                Some(ffmpeg) => ffmpeg.code(&frames, max_bytes)?,
                None => return Ok(None),
            },
            other => return Err(Error::internal(std::io::Error::other(format!("nobody makes {other}")))),
        };
        let made = Made {
            sticker,
            format,
            file,
            size: frames.size(),
            frames: frames.pictures.len(),
            duration_ms: frames.duration_ms(),
            max_bytes,
            score: score(&frames.pictures, &shown)?,
        };
        self.judge(&made, &artwork.path, findings);
        Ok(Some(made))
    }

    /// Fewer frames a second where the platform takes no more.
    fn slow_down(&self, frames: &mut Frames, path: &Path, findings: &mut Vec<Finding>) {
        let Some(limit) = &frames.kind(self.platform).max_fps else { return };
        let before = frames.pictures.len();
        let shortest = frames.durations_ms.iter().copied().min().unwrap_or_default();
        // Durations are whole ms, so 30 frames a second are 33 ms and 34 ms.
        frames.not_faster_than(1000 / limit.is.max(1));
        let after = frames.pictures.len();
        if after < before {
            let message = format!(
                "it shows a frame for {shortest} ms, and {} takes {} frames a second: {} of {before} frames are left out",
                self.platform.name,
                limit.is,
                before - after
            );
            let hint = format!(
                "nothing has to be done: the others begin when they did and the whole lasts as long; draw fewer to choose which ({})",
                limit.stated()
            );
            findings.push(Finding::warning(code(self.platform.id, Rule::FrameRate), path, message, hint));
        }
    }

    /// Tells of a file that is too large or looks bad.
    fn judge(&self, made: &Made<'_>, path: &Path, findings: &mut Vec<Finding>) {
        let (bytes, score) = (made.file.len(), made.score);
        let &Made { max_bytes, format, .. } = made;
        let name = &self.platform.name;
        let over_limit = code(self.platform.id, Rule::OverLimit);
        let hint = if made.is_animated() {
            "use fewer frames, fewer colours or less that moves at once"
        } else {
            "use fewer colours and details"
        };
        let draft = Quality::Draft.target().unwrap_or_default();
        let standard = Quality::Standard.target().unwrap_or_default();
        if bytes as u64 > max_bytes {
            let message = format!(
                "as the smallest {format} it has {bytes} bytes at a score of {score:.1}, and {name} takes {max_bytes}"
            );
            findings.push(Finding::error(over_limit, path, message, hint));
        } else if score < draft {
            let message = format!(
                "as {format} of at most {max_bytes} bytes, which {name} takes, it comes to a score of {score:.1}; {draft} is the least"
            );
            findings.push(Finding::error(over_limit, path, message, hint));
        } else if score < standard {
            let message = format!(
                "as {format} of at most {max_bytes} bytes, which {name} takes, it comes to a score of {score:.1}"
            );
            let hint = format!("look at it; to come closer to {standard}, {hint}");
            findings.push(Finding::warning(code(self.platform.id, Rule::LooksWorse), path, message, hint));
        }
    }
}

/// A file and its frames as another decoder than the coder's shows them.
fn with_shown(file: Vec<u8>) -> Result<(Vec<u8>, Vec<Picture>), Error> {
    let refused =
        |code| Error::internal(std::io::Error::other(format!("what was written cannot be read: {code}")));
    let shown = artwork::pictures_in(&file, 0).map_err(refused)?;
    Ok((file, shown))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;

    use super::*;
    use crate::check::survey;
    use crate::lint::platforms::{PlatformId, platform};

    #[test]
    fn a_fault_of_the_packer_names_its_sticker() {
        let folder = tempfile::tempdir().unwrap();
        let drawing = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="5" cy="5" r="4"/></svg>"#;
        fs::write(folder.path().join("hi.svg"), drawing).unwrap();
        let project = "slug = \"a\"\ntitles = { en = \"A\" }\nartist = { slug = \"a\", name = \"A\" }\n\
                       [[stickers]]\nname = \"hi there\"\nfile = \"hi.svg\"\n";
        fs::write(folder.path().join("pack.toml"), project).unwrap();
        let mut findings = Vec::new();
        let surveyed = survey(folder.path(), &mut findings).unwrap().unwrap();
        // Its format is one that nothing here writes.
        let maker = Maker { platform: platform(PlatformId::Line), ffmpeg: None, progress: &() };
        let error = maker.all(&surveyed, &mut findings).err().unwrap();
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "sticker `hi there`");
        assert!(source.source().unwrap().to_string().starts_with("nobody makes "));
    }
}
