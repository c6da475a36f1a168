//! Which language a reader gets.

use axum::http::{HeaderMap, Uri, header};

use crate::i18n::Locale;

/// What a request says about languages, from the strongest wish to the weakest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// The query's `lang`: a link to this very page in a language.
    pub asked: Option<&'a str>,
    /// The session's locale: the messenger said at launch what its user reads.
    pub session: Option<&'a str>,
    /// The value of `Accept-Language`.
    pub accepted: Option<&'a str>,
}

impl<'a> Wishes<'a> {
    /// Collects the wishes of a request; the session's locale comes from the caller, who knows the session.
    pub fn of(uri: &'a Uri, headers: &'a HeaderMap, session: Option<&'a str>) -> Self {
        let asked =
            uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("lang=")));
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self { asked, session, accepted }
    }

    /// The first wish that the store can fulfil, else English.
    pub fn choose(self) -> Locale {
        self.asked
            .and_then(Locale::nearest)
            .or_else(|| self.session.and_then(Locale::nearest))
            .or_else(|| self.accepted.and_then(best_accepted))
            .unwrap_or(Locale::En)
    }
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

/// Browsers send a handful; nobody needs the tail of a long list.
const MAX_RANGES: usize = 32;

#[cfg(test)]
mod tests {
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
    fn a_link_outweighs_the_session_and_the_session_the_browser() {
        let wishes = Wishes { asked: None, session: Some("ja-JP"), accepted: Some("en") };
        assert_eq!(wishes.choose(), Locale::Ja);
        assert_eq!(Wishes { asked: Some("ko"), ..wishes }.choose(), Locale::Ko);
        assert_eq!(Wishes { asked: Some("xx"), ..wishes }.choose(), Locale::Ja);
    }
}
