//! Stickers that were rendered before, by the content of their artwork and of everything else that the result depends on. One file
//! each: safe to delete at any time, and safe with several processes at once, since files appear whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sticker_protocol::limits::MAX_FRAME_MS;
use sticker_protocol::release::{CodedImage, Coding};
use sticker_protocol::sticker::{Blend, Dispose, Rgb};
use sticker_protocol::{ImageFormat, Sha256};

use super::render::{Image, Order, Placed, Rendered, Variant};
use crate::error::Error;

/// A folder of rendered stickers.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// The name of what a sticker is rendered to.
#[derive(Clone, Debug)]
pub(super) struct Key {
    hash: Sha256,
    stamps: Vec<Stamp>,
}

/// Changes whenever the same input gives other bytes, or the files are written in another way.
const GENERATION: &str = concat!("sticker-packer ", env!("CARGO_PKG_VERSION"), " cache 4");
/// What nobody asked for so long is removed.
const KEPT: Duration = Duration::from_hours(30 * 24);

impl Cache {
    /// Makes the folder where it is missing. `None` where that cannot be: a build without a cache is slower and as good.
    pub(super) fn open(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).ok()?;
        Some(Self { folder: folder.to_owned() })
    }

    /// `None` where it is not there or is damaged.
    pub(super) fn find(&self, key: &Key) -> Option<Rendered> {
        let path = self.path(key);
        let found = read(&fs::read(&path).ok()?)?;
        // What is used stays.
        let touched = fs::File::options().append(true).open(&path);
        let _ = touched.and_then(|file| file.set_modified(now()));
        Some(found)
    }

    /// A full disk or a folder without permission is no reason to fail.
    pub(super) fn keep(&self, key: &Key, rendered: &Rendered) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Some(file) = write(rendered) else { return };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let beside = self.folder.join(format!(".{}.{number}.{}.new", key.hash, std::process::id()));
        // Not synced: what a crash leaves half-written does not have its hash.
        if fs::write(&beside, &file).and_then(|()| fs::rename(&beside, self.path(key))).is_err() {
            let _ = fs::remove_file(&beside);
        }
    }

    /// Removes what was not used for a month.
    pub(super) fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
            if age.is_some_and(|age| age > KEPT) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.rendered", key.hash))
    }
}

impl Key {
    /// Reads every file of the artwork.
    pub(super) fn of(order: &Order<'_>) -> Result<Self, Error> {
        let stamps = stamps(order);
        let mut says = format!(
            "{GENERATION}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
            order.canvas, order.densities, order.poster, order.quality, order.effort
        );
        // Whether frames that look the same are one depends on their times only where these are longer than one frame can be.
        if order.durations_ms.iter().sum::<u32>() > MAX_FRAME_MS {
            says = format!("{says}{:?}\n", order.durations_ms);
        }
        for path in &order.artwork.files {
            let content = fs::read(path).map_err(Error::io("read", path))?;
            says.push_str(&Sha256::of(&content).to_string());
        }
        // A folder of one frame is another thing than a file: what an ending says counts for nothing, the number of files does.
        Ok(Self { hash: Sha256::of(says.as_bytes()), stamps })
    }

    /// Whether the files are still those that were read for the key: what was rendered of others is not what the key stands for.
    pub(super) fn still_holds(&self, order: &Order<'_>) -> bool {
        !self.stamps.contains(&None)
            && stamps(order) == self.stamps
            && Self::of(order).is_ok_and(|now| now.hash == self.hash)
    }
}

/// When each file was written last, and its bytes.
type Stamp = Option<(SystemTime, u64)>;

fn stamps(order: &Order<'_>) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    order.artwork.files.iter().map(stamp).collect()
}

#[expect(clippy::disallowed_methods, reason = "the age of a file in a cache, which nothing else depends on")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[derive(Serialize, Deserialize)]
struct Stored {
    variants: Vec<StoredVariant>,
    master: StoredVariant,
    poster: StoredVariant,
    preview: (usize, Option<StoredVariant>),
    frame_of: Vec<u32>,
    colours: Vec<Option<[u8; 3]>>,
}

#[derive(Serialize, Deserialize)]
struct StoredVariant {
    width: u32,
    height: u32,
    webp: bool,
    /// Length, width, height.
    images: Vec<(usize, u32, u32)>,
    /// Image, left, top, drawn over, cleared.
    frames: Vec<(u32, u32, u32, bool, bool)>,
    score: Option<f64>,
    /// Sparse, coder, its numbers.
    recipe: Vec<(bool, u8, u8, u8)>,
}

/// The hash of the rest, the length of the description, the description as JSON, the images.
fn write(rendered: &Rendered) -> Option<Vec<u8>> {
    let mut images = Vec::new();
    let mut stored = |variant: &Variant| StoredVariant {
        width: variant.width,
        height: variant.height,
        webp: variant.format == ImageFormat::WebP,
        images: variant
            .images
            .iter()
            .map(|image| {
                images.extend_from_slice(&image.file);
                (image.file.len(), image.size.0, image.size.1)
            })
            .collect(),
        frames: variant
            .frames
            .iter()
            .map(|it| (it.image, it.x, it.y, it.blend == Blend::Over, it.dispose == Dispose::Background))
            .collect(),
        score: variant.score,
        recipe: variant.recipe.iter().copied().map(stored_recipe).collect(),
    };
    let description = Stored {
        variants: rendered.variants.iter().map(&mut stored).collect(),
        master: stored(&rendered.master),
        poster: stored(&rendered.poster),
        preview: (rendered.preview.0, rendered.preview.1.as_ref().map(&mut stored)),
        frame_of: rendered.frame_of.clone(),
        colours: rendered.colours.iter().map(|colour| colour.map(|Rgb(colour)| colour)).collect(),
    };
    let description = serde_json::to_vec(&description).ok()?;
    let length = u32::try_from(description.len()).ok()?;
    let rest = [length.to_be_bytes().as_slice(), &description, &images].concat();
    Some([Sha256::of(&rest).to_string().as_bytes(), &rest].concat())
}

fn stored_recipe(image: CodedImage) -> (bool, u8, u8, u8) {
    match image.coding {
        Coding::Png => (image.sparse, 0, 0, 0),
        Coding::Lossy { quality, alpha } => (image.sparse, 1, quality, alpha),
        Coding::Lossless { near } => (image.sparse, 2, near, 0),
    }
}

fn read_recipe((sparse, coder, one, other): (bool, u8, u8, u8)) -> Option<CodedImage> {
    let coding = match coder {
        0 => Coding::Png,
        1 => Coding::Lossy { quality: one, alpha: other },
        2 => Coding::Lossless { near: one },
        _ => return None,
    };
    Some(CodedImage { sparse, coding })
}

fn read(file: &[u8]) -> Option<Rendered> {
    let (hash, rest) = file.split_first_chunk::<64>()?;
    if Sha256::of(rest).to_string().as_bytes() != hash {
        return None;
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (description, mut images) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let stored: Stored = serde_json::from_slice(description).ok()?;
    let mut variant = |stored: StoredVariant| -> Option<Variant> {
        let files = stored.images.into_iter().map(|(length, width, height)| {
            let (file, rest) = images.split_at_checked(length)?;
            images = rest;
            Some(Image { file: file.to_vec(), size: (width, height) })
        });
        let images = files.collect::<Option<_>>()?;
        let frames = stored.frames.into_iter().map(|(image, x, y, over, cleared)| Placed {
            image,
            x,
            y,
            blend: if over { Blend::Over } else { Blend::Replace },
            dispose: if cleared { Dispose::Background } else { Dispose::None },
        });
        Some(Variant {
            width: stored.width,
            height: stored.height,
            format: if stored.webp { ImageFormat::WebP } else { ImageFormat::Png },
            images,
            frames: frames.collect(),
            score: stored.score,
            recipe: stored.recipe.into_iter().map(read_recipe).collect::<Option<_>>()?,
        })
    };
    Some(Rendered {
        variants: stored.variants.into_iter().map(&mut variant).collect::<Option<_>>()?,
        master: variant(stored.master)?,
        poster: variant(stored.poster)?,
        preview: (
            stored.preview.0,
            match stored.preview.1 {
                Some(stored) => Some(variant(stored)?),
                None => None,
            },
        ),
        frame_of: stored.frame_of,
        colours: stored.colours.into_iter().map(|colour| colour.map(Rgb)).collect(),
    })
}
