//! What a user owns.

use askama::Template;
use axum::http::StatusCode;

use crate::catalogue::page::PackCard;
use crate::web::page::{CachePolicy, Layout, Page};

/// `GET /library`: the user's packs.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/library.html")]
pub struct LibraryPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The packs with an active grant, the latest grant first; empty for who owns nothing yet.
    pub packs: Vec<PackCard>,
}

impl LibraryPage {
    /// How many of the packs the user can send.
    pub fn sendable(&self) -> usize {
        self.packs.iter().filter(|pack| !pack.taken_down).count()
    }
}

impl Page for LibraryPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
