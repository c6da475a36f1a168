//! The check of a release's files, as it is done in a process of its own: `sticker-store check-release` gets an [`Order`] on its standard
//! input, a line of JSON, bounds itself, and tells what it does in lines of JSON. It knows where objects are and nothing of the database.
//!
//! What was uploaded is read, hashed and decoded, and only when nothing is wrong with any file put under the name of its content, from
//! the memory in which it was hashed: an address for an upload may still be written to meanwhile, so that a copy made by S3 could be of
//! other bytes.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};
use sticker_protocol::Sha256;
use sticker_protocol::release::{Manifest, ReleaseFile};

use crate::config;
use crate::objects::{ObjectError, Objects, Upload};
use file::Expected;

/// What is to be checked, with which bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    data_dir: PathBuf,
    objects: config::Objects,
    /// Bytes of memory that the process may have.
    pub memory_bytes: u64,
    /// Seconds of computing that the process may take.
    pub cpu_seconds: u32,
    release: String,
    manifest: String,
    /// The files to look at, by hash.
    files: BTreeSet<Sha256>,
}

impl Order {
    pub(super) fn new(
        config: &config::Config,
        (release, manifest): (&str, &[u8]),
        files: BTreeSet<Sha256>,
    ) -> Self {
        Self {
            data_dir: config.data_dir.clone(),
            objects: config.objects.clone(),
            memory_bytes: config.publishing.check_memory_bytes,
            cpu_seconds: config.publishing.check_cpu_seconds,
            release: release.to_owned(),
            manifest: STANDARD.encode_to_string(manifest),
            files,
        }
    }
}

/// Something that the check tells. Files are named by their place in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// This file is looked at now.
    Begins(usize),
    /// Something is wrong with this file.
    Found(usize, Wrong, String),
    /// The object that stands under this name is damaged.
    Damaged(Sha256),
    /// It cannot be said, since something else failed.
    Failed(String),
    /// Every file was looked at; where nothing was found, every object stands under its name.
    Done,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// It was not uploaded, or other bytes were, or what stood under its name is damaged.
    FileMissing,
    /// No sticker file.
    BadStickerFile,
    /// No bundle.
    BadBundle,
    /// A picture that does not decode, or has more behind its end.
    BadImage,
    /// It is another file than the manifest says.
    ManifestDisagrees,
    /// A decoder gave up on it in a way that it should not.
    BadFile,
    /// It takes more memory or time than any file may.
    TooCostly,
}

impl Wrong {
    /// The stable code of the finding.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::FileMissing => "file_missing",
            Self::BadStickerFile => "bad_sticker_file",
            Self::BadBundle => "bad_bundle",
            Self::BadImage => "bad_image",
            Self::ManifestDisagrees => "manifest_disagrees",
            Self::BadFile => "bad_file",
            Self::TooCostly => "too_costly",
        }
    }
}

/// Checks what an order asks for and tells each step; the last line is [`Line::Done`] or [`Line::Failed`].
pub async fn run(order: &Order, tell: &mut (dyn FnMut(Line) + Send)) {
    let end = match try_run(order, tell).await {
        Ok(()) => Line::Done,
        Err(error) => Line::Failed(super::web::causes(&error)),
    };
    tell(end);
}

/// Why a check came to no end.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("the order cannot be read")]
    Order,
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

async fn try_run(order: &Order, tell: &mut (dyn FnMut(Line) + Send)) -> Result<(), Stopped> {
    let manifest = STANDARD.decode_to_vec(&order.manifest).ok();
    let manifest = manifest.and_then(|bytes| Manifest::read(&bytes).ok()).ok_or(Stopped::Order)?;
    let objects = Objects::open_at(&order.data_dir, &order.objects).await?;
    let (expected, mut good, mut to_put) = (Expected::of(&manifest), true, BTreeMap::new());
    for (at, listed) in manifest.files.iter().enumerate() {
        if !order.files.contains(&listed.sha256) {
            continue;
        }
        tell(Line::Begins(at));
        let wrong = match found(&objects, order, listed, tell).await? {
            Found::Nothing => Some((Wrong::FileMissing, "it was not uploaded".to_owned())),
            Found::Other => {
                Some((Wrong::FileMissing, "other bytes than the file's were uploaded".to_owned()))
            }
            Found::Object(content) => looked_at(listed, &content, &expected),
            Found::Upload(content) => {
                to_put.insert(listed.sha256, (at, listed.size));
                looked_at(listed, &content, &expected)
            }
        };
        if let Some((wrong, message)) = wrong {
            good = false;
            tell(Line::Found(at, wrong, message));
        }
    }
    if !good {
        return Ok(());
    }
    for (hash, (at, size)) in to_put {
        tell(Line::Begins(at));
        match objects.uploaded(&order.release, (hash, size)).await? {
            Upload::Same(content) => objects.replace(hash, content).await?,
            // Of two checks of one release the other was faster, and has cleared up.
            Upload::None if objects.has(hash).await? => {}
            Upload::None | Upload::Other => {
                tell(Line::Found(at, Wrong::FileMissing, "it was changed while it was checked".to_owned()));
            }
        }
    }
    Ok(())
}

/// What there is of a file.
enum Found {
    Nothing,
    Other,
    /// It stands under its name.
    Object(Vec<u8>),
    /// It was uploaded.
    Upload(Vec<u8>),
}

async fn found(
    objects: &Objects,
    order: &Order,
    file: &ReleaseFile,
    tell: &mut (dyn FnMut(Line) + Send),
) -> Result<Found, ObjectError> {
    match objects.get(file.sha256).await {
        Ok(Some(content)) => return Ok(Found::Object(content)),
        Ok(None) => {}
        Err(ObjectError::Altered(hash)) => tell(Line::Damaged(hash)),
        Err(error) => return Err(error),
    }
    let upload = objects.uploaded(&order.release, (file.sha256, file.size)).await?;
    Ok(match upload {
        Upload::None => Found::Nothing,
        Upload::Same(content) => Found::Upload(content),
        Upload::Other => {
            // So that it counts as missing, and is asked for again.
            let name = crate::objects::Name::Incoming(order.release.clone(), file.sha256);
            objects.take_away(&name).await?;
            Found::Other
        }
    })
}

fn looked_at(file: &ReleaseFile, content: &[u8], expected: &Expected<'_>) -> Option<(Wrong, String)> {
    if content.len() as u64 != file.size {
        let message = format!("it has {} bytes; the manifest says {}", content.len(), file.size);
        return Some((Wrong::ManifestDisagrees, message));
    }
    let checked = catch_unwind(AssertUnwindSafe(|| file::check(file, content, expected)));
    match checked {
        Ok(verdict) => verdict.err(),
        Err(_told_by_the_hook) => Some((Wrong::BadFile, "the decoder broke down over it".to_owned())),
    }
}
