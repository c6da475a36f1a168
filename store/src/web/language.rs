//! Which language a reader gets.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::i18n::Locale;

/// What a request says about languages, from the strongest wish to the weakest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// The query's `lang`: a link to this very page in a language.
    pub asked: Option<&'a str>,
    /// The language of such a link that was followed earlier, from a cookie: see [`remember`].
    pub remembered: Option<&'a str>,
    /// The session's locale: the messenger said at launch what its user reads.
    pub session: Option<&'a str>,
    /// The value of `Accept-Language`.
    pub accepted: Option<&'a str>,
}

impl<'a> Wishes<'a> {
    /// Collects the wishes of a request; the session's locale comes from the caller, who knows the session.
    pub fn of(uri: &'a Uri, headers: &'a HeaderMap, session: Option<&'a str>) -> Self {
        let asked = asked_by(uri);
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let remembered = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self { asked, remembered, session, accepted }
    }

    /// The first wish that the store can fulfil, else English.
    pub fn choose(self) -> Locale {
        self.asked
            .and_then(Locale::nearest)
            .or_else(|| self.remembered.and_then(Locale::nearest))
            .or_else(|| self.session.and_then(Locale::nearest))
            .or_else(|| self.accepted.and_then(best_accepted))
            .unwrap_or(Locale::En)
    }
}

/// Middleware for all pages: who follows a link to a language keeps it for a year.
pub async fn remember(request: Request, next: Next) -> Response {
    let asked = asked_by(request.uri()).and_then(Locale::nearest);
    let mut response = next.run(request).await;
    if let Some(locale) = asked {
        let cookie = match locale {
            Locale::En => "language=en; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
            Locale::Ko => "language=ko; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
            Locale::Ja => "language=ja; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        };
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}

fn asked_by(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("lang="))
}

/// The best language of an `Accept-Language` header (RFC 9110, section 12.5.4); the first of equals.
fn best_accepted(header: &str) -> Option<Locale> {
    let mut best = None;
    for range in header.split(',').take(MAX_RANGES) {
        let mut parts = range.split(';').map(str::trim);
        let Some(locale) = parts.next().and_then(Locale::nearest) else { continue };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1000), thousandths);
        match (quality, best) {
            (None | Some(0), _) => {}
            (Some(quality), Some((_, top))) if quality <= top => {}
            (Some(quality), _) => best = Some((locale, quality)),
        }
    }
    best.map(|(locale, _)| locale)
}

/// A weight (`0`, `1`, `0.8`, `1.000`) in thousandths.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    Some((whole * 1000 + fraction).min(1000))
}

/// It says nothing about who the reader is.
const COOKIE: &str = "language";

/// Browsers send a handful; nobody needs the tail of a long list.
const MAX_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt as _;

    use super::*;

    fn accepted(header: &str) -> Locale {
        Wishes { accepted: Some(header), ..Wishes::default() }.choose()
    }

    #[test]
    fn the_best_accepted_language_that_the_store_speaks_wins() {
        assert_eq!(accepted("ko-KR,ko;q=0.9,en;q=0.8"), Locale::Ko);
        assert_eq!(accepted("fr-FR, ja;q=0.5, en;q=0.4"), Locale::Ja);
        assert_eq!(accepted("en;q=0.1,JA-jp;q=0.9"), Locale::Ja);
        assert_eq!(accepted("ja;q=0, ko;q=0.001"), Locale::Ko);
    }

    #[test]
    fn nonsense_gives_english() {
        for header in ["", "*", ",,,", "ko;q=2", "ko;q=x", "ko;q=0.12345", "ko;q=", "\u{7f}"] {
            assert_eq!(accepted(header), Locale::En, "{header:?}");
        }
    }

    #[test]
    fn a_link_outweighs_the_cookie_the_session_and_the_browser_in_that_order() {
        let mut wishes = Wishes {
            asked: Some("ko"),
            remembered: Some("en"),
            session: Some("ja-JP"),
            accepted: Some("ko"),
        };
        assert_eq!(wishes.choose(), Locale::Ko);
        wishes.asked = Some("xx");
        assert_eq!(wishes.choose(), Locale::En);
        wishes.remembered = None;
        assert_eq!(wishes.choose(), Locale::Ja);
        wishes.session = None;
        assert_eq!(wishes.choose(), Locale::Ko);
    }

    #[test]
    fn wishes_are_read_from_the_address_the_cookies_and_the_headers() {
        let request = Request::get("/search?q=a&lang=ja")
            .header(header::COOKIE, "session=abc; language=ko")
            .header(header::ACCEPT_LANGUAGE, "en")
            .body(())
            .unwrap();
        let wishes = Wishes::of(request.uri(), request.headers(), None);
        assert_eq!((wishes.asked, wishes.remembered, wishes.accepted), (Some("ja"), Some("ko"), Some("en")));
    }

    #[tokio::test]
    async fn a_followed_link_to_a_language_is_remembered_and_nonsense_is_not() {
        let app = Router::new().route("/", get(|| async {})).layer(middleware::from_fn(remember));
        let cookie = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            response.headers().get(header::SET_COOKIE).map(|value| value.to_str().unwrap().to_owned())
        };
        assert!(cookie("/?lang=ko").await.unwrap().starts_with("language=ko; Path=/"));
        assert_eq!(cookie("/?lang=%0d%0aSet-Cookie").await, None);
        assert_eq!(cookie("/").await, None);
    }
}
