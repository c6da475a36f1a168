//! What every page has: a status, a cache policy, and the layout around it.
//!
//! Templates hold loops and options only. They ask [`Layout`] for text by key, so that a template can be scanned for
//! the keys it needs, and for assets by name.

use std::borrow::Borrow;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::i18n::{self, Day, Locale};
use crate::money::Money;
use crate::variants::picture::WIDTHS;
use crate::web::assets;

/// A page of the web store. There are no defaults: a page that does not say how it may be kept does not compile.
pub trait Page: Template {
    /// The status of the answer, unless [`status`](Self::status) says otherwise.
    const STATUS: StatusCode;
    /// Who may keep the page, and for how long.
    const CACHE: CachePolicy;

    /// The status of this very page; only pages about problems differ from [`STATUS`](Self::STATUS).
    fn status(&self) -> StatusCode {
        Self::STATUS
    }

    /// The layout, for the language of the answer.
    fn layout(&self) -> &Layout;
}

/// Who may keep a page, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// The reader's own browser may keep it and asks before it shows it again.
    Private,
    /// Nobody keeps it: what a user owns, pays, or signs in with.
    NoStore,
}

impl CachePolicy {
    /// The value of `Cache-Control`.
    pub const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Private => "private, no-cache",
            Self::NoStore => "private, no-store",
        })
    }
}

/// What every page says it is.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// A page as an answer: `Html(page).into_response()`.
#[derive(Debug)]
pub struct Html<P>(pub P);

impl<P: Page> IntoResponse for Html<P> {
    fn into_response(self) -> Response {
        let Self(page) = self;
        let Ok(body) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let headers = [
            (header::CACHE_CONTROL, P::CACHE.header()),
            (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
            (header::CONTENT_LANGUAGE, HeaderValue::from_static(page.layout().locale.tag())),
            (header::VARY, HeaderValue::from_static("accept-language, cookie")),
        ];
        (page.status(), headers, body).into_response()
    }
}

/// What surrounds the content of every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The language of the page.
    pub locale: Locale,
    /// The path of this page with its query, for links to the same page in another language.
    pub path: String,
}

impl Layout {
    /// The text of a key.
    pub fn text(&self, key: &str) -> String {
        i18n::text(self.locale, key)
    }

    /// The text of a key about `$count` things.
    pub fn count(&self, key: &str, count: impl Borrow<usize>) -> String {
        i18n::count(self.locale, key, *count.borrow())
    }

    /// The text of a key about something called `$name`.
    pub fn named(&self, key: &str, name: impl AsRef<str>) -> String {
        i18n::named(self.locale, key, name.as_ref())
    }

    /// The text of a key about something that costs `$price`.
    pub fn priced(&self, key: &str, price: &Money) -> String {
        i18n::priced(self.locale, key, *price)
    }

    /// An amount as the reader writes it.
    pub fn money(&self, money: &Money) -> String {
        i18n::money(self.locale, *money)
    }

    /// A day as the reader writes it.
    pub fn day(&self, day: &Day) -> String {
        i18n::day(self.locale, *day)
    }

    /// The address of a compiled-in asset by its file name.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name).unwrap_or("/assets/missing")
    }

    /// This page in every language.
    pub fn languages(&self) -> Vec<LanguageLink> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=")).collect();
        Locale::ALL
            .iter()
            .map(|&locale| {
                let mut pairs = kept.clone();
                let lang = format!("lang={}", locale.tag());
                pairs.push(&lang);
                LanguageLink { locale, href: format!("{path}?{}", pairs.join("&")) }
            })
            .collect()
    }
}

/// A link to the same page in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageLink {
    /// The language that the link leads to.
    pub locale: Locale,
    /// The path and query.
    pub href: String,
}

/// An image of a release as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// An address on this origin (pages load images from nowhere else).
    pub src: String,
    /// The width of the file in pixels; it reserves the place before the file has come.
    pub width: u32,
    /// The height of the file in pixels.
    pub height: u32,
}

impl Picture {
    /// Whether the picture is a scene that fills a stage, not a sticker that stands on it.
    pub const fn is_wide(&self) -> bool {
        self.width > self.height
    }

    /// What `srcset` offers a browser: the file, and those narrower ones that are worth making of it.
    pub fn srcset(&self) -> String {
        let worth = |width: &u32| u64::from(*width) * 4 <= u64::from(self.width) * 3;
        let narrower = WIDTHS.into_iter().filter(worth);
        let mut set: Vec<String> =
            narrower.map(|width| format!("{0}?width={width} {width}w", self.src)).collect();
        set.push(format!("{} {}w", self.src, self.width));
        set.join(", ")
    }
}

/// The page for what went wrong, with what the reader can do about it.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/problem.html")]
pub struct ProblemPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// What went wrong.
    pub problem: Problem,
    /// The id under which the log has the details, for people who write to support.
    pub request_id: Option<String>,
}

/// What went wrong, as far as a reader can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The address or the form makes no sense: 400.
    BadRequest,
    /// Nobody is signed in, and the page belongs to somebody: 401.
    SignedOut,
    /// The page belongs to somebody else, or the form came from another site: 403.
    Forbidden,
    /// Nothing is there: 404.
    NotFound,
    /// The address wants another method: 405.
    WrongMethod,
    /// The launch code is used up or too old: 410.
    CodeExpired,
    /// Too many requests: 429.
    TooMany,
    /// Our own fault: 500.
    Internal,
    /// A part of the store is away for a moment: 503.
    Unavailable,
}

impl Problem {
    /// All problems, for tests and galleries.
    pub const ALL: [Self; 9] = [
        Self::BadRequest,
        Self::SignedOut,
        Self::Forbidden,
        Self::NotFound,
        Self::WrongMethod,
        Self::CodeExpired,
        Self::TooMany,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::CodeExpired => StatusCode::GONE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page for a status that some layer answered with an empty body.
    pub fn of_status(status: StatusCode) -> Self {
        Self::ALL
            .into_iter()
            .find(|problem| problem.status() == status)
            .unwrap_or(if status.is_server_error() { Self::Internal } else { Self::BadRequest })
    }
}

impl Page for ProblemPage {
    const STATUS: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn status(&self) -> StatusCode {
        self.problem.status()
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::page::LibraryPage;

    fn layout(path: &str) -> Layout {
        Layout { locale: Locale::Ko, path: path.to_owned() }
    }

    #[test]
    fn what_a_user_owns_is_kept_by_nobody() {
        let response = Html(LibraryPage { layout: layout("/library"), packs: Vec::new() }).into_response();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-store");
        assert_eq!(response.headers()[header::CONTENT_LANGUAGE], "ko");
        assert_eq!(response.headers()[header::VARY], "accept-language, cookie");
    }

    #[test]
    fn a_problem_answers_with_its_own_status() {
        for problem in Problem::ALL {
            let page = ProblemPage { layout: layout("/lost"), problem, request_id: None };
            assert_eq!(Html(page).into_response().status(), problem.status());
            assert_eq!(Problem::of_status(problem.status()), problem);
        }
        assert_eq!(Problem::of_status(StatusCode::BAD_GATEWAY), Problem::Internal);
        assert_eq!(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE), Problem::BadRequest);
    }

    #[test]
    fn a_link_to_a_language_keeps_the_rest_of_the_address() {
        let links = layout("/search?q=%EA%B3%B0&lang=en").languages();
        assert_eq!(links.last().unwrap().href, "/search?q=%EA%B3%B0&lang=ja");
        assert_eq!(layout("/").languages().first().unwrap().href, "/?lang=en");
    }
}
