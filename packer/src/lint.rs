//! What a good eye would see in the artwork before it ships.

pub(crate) mod codes;
mod edges;
mod extent;
mod flicker;
mod grid;
mod motion;
pub(crate) mod platform;
pub(crate) mod platforms;
mod text;
mod twins;
mod words;

use std::borrow::Cow;
use std::path::PathBuf;

use rayon::ThreadPool;
use sticker_protocol::release::Canvas;

use crate::artwork::{Artwork, Drawing};
use crate::build::timing;
use crate::check::Readable;
use crate::finding::Finding;
use crate::picture::Picture;
use crate::poster::poster;
use crate::project::StickerFile;
use crate::room::{self, ROOM, Room};
use extent::Extent;
use platforms::PlatformId;
use twins::Fingerprint;

/// Decodes every sticker that can be read and the cover and looks at them and at the words, on the threads of the pool and within a bound of memory. Findings come in the order of
/// the project's stickers.
pub(crate) fn lint(
    readable: &Readable<'_>,
    platforms: &[PlatformId],
    pool: &ThreadPool,
    findings: &mut Vec<Finding>,
) {
    let project = readable.project;
    let room = Room::new(ROOM);
    let needed = |&(_, artwork): &(&StickerFile, &Artwork)| room::decoded(artwork);
    let seen = room::for_each(pool, &room, &readable.stickers, needed, |&(sticker, artwork)| {
        let mut found = Vec::new();
        let drawing = artwork.decode(&mut found);
        let pictures = drawing.as_ref().and_then(|drawing| pictures_of(drawing, artwork));
        let seen = pictures.map(|pictures| look_at(sticker, artwork, &pictures, project.canvas, &mut found));
        (seen, found)
    });
    let mut all = Vec::with_capacity(seen.len());
    for (seen, found) in seen {
        findings.extend(found);
        all.extend(seen);
    }
    if let Some(cover) = readable.cover {
        pool.install(|| cover.decode(findings));
    }
    twins::check(&all, findings);
    words::check(&project.folder, &project.file, findings);
    for &id in platforms {
        platform::check(platforms::platform(id), readable, &all, findings);
    }
}

/// What is remembered of a sticker once its pictures are gone.
struct Seen {
    path: PathBuf,
    name: String,
    emoji: usize,
    /// Of the artwork, in px.
    size: (u32, u32),
    /// One for each frame.
    durations_ms: Vec<u32>,
    loop_count: u32,
    /// Of what is visible in any frame; none where nothing is.
    extent: Option<Extent>,
    fingerprint: Fingerprint,
}

fn look_at(
    sticker: &StickerFile,
    artwork: &Artwork,
    pictures: &[Picture],
    canvas: Canvas,
    findings: &mut Vec<Finding>,
) -> Seen {
    let path = &artwork.path;
    let durations_ms = timing::durations(sticker, artwork);
    let extents: Vec<_> = pictures.iter().map(Extent::of).collect();
    let named = sticker.poster.map(|poster| poster as usize).filter(|&poster| poster < extents.len());
    let poster = poster(named, extents.iter().map(Option::is_some));
    let extent = extent::check(path, canvas, &extents, poster, findings);
    if extent.is_some() {
        edges::check(path, pictures, poster, findings);
        if let Some(picture) = pictures.get(poster) {
            text::check(path, picture, canvas, findings);
        }
    }
    if pictures.len() > 1 {
        motion::check(path, pictures, &durations_ms, findings);
        let loops = timing::loop_count(sticker, artwork) != 1;
        flicker::check(path, pictures, &durations_ms, loops, findings);
    }
    let fingerprint = pictures.get(poster).map(Fingerprint::of).unwrap_or_default();
    Seen::of(sticker, artwork, extent, fingerprint)
}

impl Seen {
    fn of(
        sticker: &StickerFile,
        artwork: &Artwork,
        extent: Option<Extent>,
        fingerprint: Fingerprint,
    ) -> Self {
        Self {
            path: artwork.path.clone(),
            name: sticker.name.clone(),
            emoji: sticker.emoji.len(),
            size: (artwork.width, artwork.height),
            durations_ms: timing::durations(sticker, artwork),
            loop_count: timing::loop_count(sticker, artwork),
            extent,
            fingerprint,
        }
    }
}

/// The frames as pixels: the one place that knows what a drawing may be. None where a drawing cannot be drawn, which a build tells.
fn pictures_of<'d>(drawing: &'d Drawing, artwork: &Artwork) -> Option<Cow<'d, [Picture]>> {
    match drawing {
        Drawing::Pictures(pictures) => Some(Cow::Borrowed(pictures)),
        Drawing::Vector(vector) => {
            let picture = vector.render(artwork.width, artwork.height).ok()?;
            Some(Cow::Owned(vec![picture]))
        }
    }
}

/// Generated pictures for the tests of lints.
#[cfg(test)]
mod drawn {
    use std::path::Path;

    use sticker_protocol::release::Canvas;

    use crate::finding::Finding;
    use crate::picture::Picture;

    pub(super) const CANVAS: Canvas = Canvas { width_dp: 128, height_dp: 128 };

    /// A square picture whose pixels are what `pixel` says.
    pub(super) fn picture(side: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Picture {
        let rgba = (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y));
        Picture { width: side, height: side, rgba: rgba.collect() }
    }

    /// One colour in a rectangle of left, top, right and bottom; nothing around it.
    pub(super) fn block(side: u32, [left, top, right, bottom]: [u32; 4], colour: [u8; 4]) -> Picture {
        let inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
        picture(side, |x, y| if inside(x, y) { colour } else { [0; 4] })
    }

    /// A disc that touches all four edges.
    pub(super) fn disc(side: u32) -> Picture {
        let middle = f64::from(side) / 2.0;
        let away = |at: u32| f64::from(at) + 0.5 - middle;
        picture(side, |x, y| if away(x).hypot(away(y)) <= middle { [255, 200, 0, 255] } else { [0; 4] })
    }

    /// The codes of what a lint tells.
    pub(super) fn told(lint: impl FnOnce(&Path, &mut Vec<Finding>)) -> Vec<Finding> {
        let mut findings = Vec::new();
        lint(Path::new("a.png"), &mut findings);
        findings
    }

    pub(super) fn codes(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.code).collect()
    }
}
