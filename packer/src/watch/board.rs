//! What the served page shows, and who waits for news of it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sticker_protocol::Sha256;

use crate::preview::ServedPage;

/// Written by the builds, read by the server's threads.
#[derive(Debug)]
pub(super) struct Board {
    shown: Mutex<Shown>,
    changed: Condvar,
}

#[derive(Debug)]
struct Shown {
    page: Arc<Page>,
    news: Arc<News>,
}

/// A page with its policy.
#[derive(Debug)]
pub(super) struct Page {
    id: String,
    pub(super) html: Arc<[u8]>,
    pub(super) policy: String,
}

/// What a page that is open asks for.
#[derive(Debug, Serialize)]
pub(super) struct News {
    /// Names exactly this, also for a packer that is started later: what is the same has the same name.
    pub(super) seen: String,
    /// Which page there is; empty where nothing was built.
    page: String,
    /// Why the project cannot be built as it is now.
    wrong: Vec<String>,
}

impl Board {
    pub(super) fn new(page: ServedPage) -> Self {
        let page = Arc::new(Page::from(page));
        let news = Arc::new(News::new(&page, Vec::new()));
        Self { shown: Mutex::new(Shown { page, news }), changed: Condvar::new() }
    }

    /// A new page of a project in which nothing is wrong.
    pub(super) fn shows(&self, page: ServedPage) {
        let page = Arc::new(Page::from(page));
        let news = Arc::new(News::new(&page, Vec::new()));
        *self.shown() = Shown { page, news };
        self.changed.notify_all();
    }

    /// What is wrong; the page stays.
    pub(super) fn tells(&self, wrong: Vec<String>) {
        let mut shown = self.shown();
        shown.news = Arc::new(News::new(&shown.page, wrong));
        drop(shown);
        self.changed.notify_all();
    }

    pub(super) fn page(&self) -> Arc<Page> {
        Arc::clone(&self.shown().page)
    }

    /// The news once they are others than those `seen`, or as they are after that time.
    pub(super) fn news_after(&self, seen: &str, at_most: Duration) -> Arc<News> {
        let shown = self.changed.wait_timeout_while(self.shown(), at_most, |shown| shown.news.seen == seen);
        let (shown, _) = shown.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown.news)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<ServedPage> for Page {
    fn from(page: ServedPage) -> Self {
        Self { id: page.id, html: page.page.into_bytes().into(), policy: page.policy }
    }
}

impl News {
    fn new(page: &Page, wrong: Vec<String>) -> Self {
        let says = format!("{}\n{wrong:?}", page.id);
        Self { seen: Sha256::of(says.as_bytes()).to_string(), page: page.id.clone(), wrong }
    }
}
