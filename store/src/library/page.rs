//! What a user owns.

use askama::Template;
use axum::http::StatusCode;

use crate::catalogue::page::PackCard;
use crate::purchase::order::Origin;
use crate::web::page::{CachePolicy, Layout, Page};

/// `GET /library`: the user's packs.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/library.html")]
pub struct LibraryPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The packs with an active grant, the latest grant first; empty for who owns nothing yet.
    pub packs: Vec<OwnedPack>,
}

/// A pack of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPack {
    /// The pack.
    pub card: PackCard,
    /// How the user came to it.
    pub origin: Origin,
}

impl LibraryPage {
    /// How many of the packs the user can send.
    pub fn sendable(&self) -> usize {
        self.packs.iter().filter(|pack| !pack.card.taken_down).count()
    }
}

impl Page for LibraryPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
