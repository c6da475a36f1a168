//! The door: how a launch code becomes a session.

use askama::Template;
use axum::http::StatusCode;

use crate::web::page::{CachePolicy, Layout, Page};

/// `GET /launch#{code}`: posts the launch code of the address's fragment to `/launch` as the form field `code`.
///
/// The code travels in the fragment because that part of an address reaches no server, log or referrer.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/launch.html")]
pub struct LaunchPage {
    /// What surrounds the page.
    pub layout: Layout,
}

impl Page for LaunchPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
