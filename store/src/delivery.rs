//! Downloads: the client says how dense its screen is, and gets the bytes that suit it.
//!
//! What was just asked for is answered from memory, without a question to the database and without a task switch (`web::at_once`).
//! Everything else goes the same way more slowly: `choice` finds which object it is, `content` where its bytes are.

mod address;
mod answer;
pub(crate) mod choice;
pub(crate) mod content;
mod file;
pub mod index;
mod limit;
mod range;
mod signed;
pub mod web;

use sticker_protocol::Sha256;

use crate::app::App;
use crate::config::Config;
use crate::web::error::Error;
use choice::Choices;
use content::{Content, Contents};
use index::Index;
use limit::AddressRates;
use signed::Envelopes;

/// An object's content, shared between requests.
pub(crate) type Bytes = axum::body::Bytes;

/// What delivery keeps in memory.
#[derive(Debug)]
pub struct Delivery {
    contents: Contents,
    choices: Choices,
    signed: Envelopes,
    rates: AddressRates,
    /// What outlives a restart while the database is away; only where this process serves nothing but downloads.
    pub(crate) index: Option<Index>,
}

impl Delivery {
    /// Remembers nothing yet.
    pub(crate) fn new(config: &Config, index: Option<Index>) -> Self {
        Self {
            contents: Contents::new(&config.delivery),
            choices: Choices::new(),
            signed: Envelopes::new(),
            rates: AddressRates::new(config.delivery.negotiated_per_second),
            index,
        }
    }
}

/// An object from memory, else from where objects are, however many ask for it with one read; its hash was checked when it came in.
pub(crate) async fn object(app: &App, hash: Sha256) -> Result<Option<Bytes>, Error> {
    match content::find(app, hash).await? {
        Some(Content::Memory(object)) => Ok(Some(object.bytes.clone())),
        Some(Content::File(file)) => {
            let read = tokio::task::spawn_blocking(move || file.read_whole()).await;
            Ok(Some(read.map_err(std::io::Error::other).flatten().map_err(crate::objects::ObjectError::Io)?))
        }
        None => Ok(None),
    }
}

/// Lets a release that was just published be seen at once by those who ask this process.
pub(crate) fn published(app: &App, manifest: &sticker_protocol::release::Manifest) {
    app.delivery.choices.forget(address::Named::Pack(manifest.pack));
    app.delivery.signed.forget(manifest.pack);
    for sticker in &manifest.stickers {
        app.delivery.choices.forget(address::Named::Sticker(sticker.id));
    }
}
