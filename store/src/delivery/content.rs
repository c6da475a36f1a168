//! The bytes of objects: from memory, else from where objects are. What comes in was checked against its hash, and what it is was read
//! from it, once.

use std::sync::Arc;

use axum::http::HeaderValue;
use moka::sync::Cache;
use sticker_protocol::bundle::Bundle;
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, ImageFormat, ImageHeader, ImageHeaderError, Sha256};
use tokio::sync::Semaphore;

use super::Bytes;
use super::address::Named;
use super::file::{self, Checked, Limits, OpenFile};
use crate::app::App;
use crate::config;
use crate::flight::Flights;
use crate::objects::ObjectError;
use crate::telemetry::metrics;
use crate::variants;
use crate::web::error::Error;

/// An object that is at hand.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In memory, shared by all who are sent it.
    Memory(Arc<Object>),
    /// Too large to be worth a copy in memory: an open file.
    File(Arc<OpenFile>),
}

/// An object in memory.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its content.
    pub(crate) bytes: Bytes,
    /// What goes with it in every answer.
    pub(super) label: Label,
}

/// What is known of an object beside its bytes.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// The strong entity tag: the hash in quotes.
    pub(super) etag: HeaderValue,
    /// What the object is.
    pub(super) is: Is,
}

/// What an object says of itself: what its address calls it must agree with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// A sticker file or a bundle at a density.
    Built(Named, Density),
    /// A picture for pages.
    Picture,
    /// Something else, such as a manifest: not for phones.
    Other,
}

impl Is {
    /// Reads a whole object; takes milliseconds for large ones.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if let Ok(file) = StickerFile::read(bytes) {
            return Self::Built(Named::Sticker(file.metadata().sticker), file.metadata().density);
        }
        match ImageHeader::read(bytes) {
            Ok(ImageHeader { format: ImageFormat::WebP, .. }) | Err(ImageHeaderError::Animated) => {
                return Self::Picture;
            }
            _ => {}
        }
        match Bundle::read(bytes) {
            Ok(bundle) => Self::Built(Named::Pack(bundle.pack().id), bundle.pack().density),
            Err(_) => Self::Other,
        }
    }
}

impl Label {
    pub(super) fn new(hash: Sha256, is: Is) -> Self {
        let etag = HeaderValue::try_from(format!("\"{hash}\""));
        Self { etag: etag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")), is }
    }
}

impl Object {
    pub(super) fn new(hash: Sha256, bytes: Bytes, is: Is) -> Self {
        Self { bytes, label: Label::new(hash, is) }
    }

    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl Content {
    pub(super) fn label(&self) -> &Label {
        match self {
            Self::Memory(object) => &object.label,
            Self::File(file) => file.label(),
        }
    }
}

/// The objects in memory, and the reads under way.
#[derive(Debug)]
pub(crate) struct Contents {
    hot: Cache<Sha256, Arc<Object>>,
    reads: Flights<Sha256, Option<Content>>,
    at_once: Arc<Semaphore>,
    checked: Checked,
    limits: Limits,
}

impl Contents {
    pub(super) fn new(settings: &config::Delivery) -> Self {
        let weight = |_: &Sha256, object: &Arc<Object>| {
            u32::try_from(object.bytes.len().saturating_add(OBJECT)).unwrap_or(u32::MAX)
        };
        Self {
            hot: Cache::builder().max_capacity(settings.cache_bytes as u64).weigher(weight).build(),
            reads: Flights::new(),
            at_once: Arc::new(Semaphore::new(READS)),
            checked: Checked::new(),
            limits: Limits { memory: settings.memory_object_bytes, file: FROM_FILE },
        }
    }

    /// The object, where it is in memory.
    pub(super) fn hot(&self, hash: &Sha256) -> Option<Arc<Object>> {
        self.hot.get(hash)
    }
}

/// An object that is at hand without a wait: in memory, or in a file that was checked before and that the system has in memory.
pub(super) fn at_hand(app: &App, hash: Sha256) -> Option<Content> {
    let contents = &app.delivery.contents;
    if let Some(hot) = contents.hot(&hash) {
        return Some(Content::Memory(hot));
    }
    let path = app.objects.path(hash)?;
    let found = file::at_hand(&contents.checked, &path, hash, contents.limits)?;
    variants::used(app, hash);
    if let Content::Memory(object) = &found {
        metrics::object_read();
        contents.hot.insert(hash, Arc::clone(object));
    }
    Some(found)
}

/// An object by its hash; `None` where there is none. However many ask at the same moment, it is read once.
///
/// # Errors
/// 503 where objects cannot be read or have been altered, or too many others are being read.
pub(super) async fn find(app: &App, hash: Sha256) -> Result<Option<Content>, Error> {
    let contents = &app.delivery.contents;
    let known = || contents.hot(&hash).map(Content::Memory);
    if let Some(hot) = known() {
        return Ok(Some(hot));
    }
    let reading = || read(App::clone(app), hash);
    contents.reads.join(hash, || known().map(Some), reading).await
}

async fn read(app: App, hash: Sha256) -> Result<Option<Content>, Error> {
    let contents = &app.delivery.contents;
    // Never closed: a read that waits for its turn gets it.
    let turn = Arc::clone(&contents.at_once).acquire_owned().await;
    metrics::object_read();
    let stored = match app.objects.path(hash) {
        Some(path) => {
            let now = app.clock.now_ms();
            file::read(&contents.checked, path, hash, contents.limits, now).await
        }
        None => match app.objects.get(hash).await {
            Ok(Some(bytes)) => Ok(Some(in_memory(hash, bytes).await?)),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        },
    };
    drop(turn);
    let content = match stored {
        // What can be made again is worth nothing once it is damaged.
        Err(ObjectError::Altered(_)) if variants::heal(&app, hash).await.unwrap_or(false) => None,
        stored => stored?,
    };
    let content = match content {
        Some(content) => {
            variants::used(&app, hash);
            Some(content)
        }
        // What is not stored may be made.
        None => match variants::rendered(&app, hash).await? {
            Some(made) => Some(in_memory(hash, made).await?),
            None => None,
        },
    };
    if let Some(Content::Memory(object)) = &content
        && object.length() <= contents.limits.memory
    {
        contents.hot.insert(hash, Arc::clone(object));
    }
    Ok(content)
}

async fn in_memory(hash: Sha256, bytes: Vec<u8>) -> Result<Content, Error> {
    let read = move || {
        let is = Is::of(&bytes);
        Object::new(hash, Bytes::from(bytes), is)
    };
    let object = tokio::task::spawn_blocking(read).await.map_err(|error| Error::internal(&error))?;
    Ok(Content::Memory(Arc::new(object)))
}

/// From so many bytes on, copying them costs more than having the system send the file.
const FROM_FILE: u64 = 64 << 10;
/// Objects that are read at the same time; others wait their turn.
const READS: usize = 32;
/// What an object in memory weighs beside its bytes: its hash, its tag, its place.
const OBJECT: usize = 320;
