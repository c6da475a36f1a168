//! Requests from other sites' pages change nothing: browsers say where a request comes from, and apps say nothing.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};

use super::error::Error;
use crate::app::App;

/// Refuses what would change something with a session's cookie, and comes from another site.
pub(super) fn check(app: &App, request: &Request) -> Result<(), Error> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let has_session = request.headers().contains_key(header::COOKIE);
    if changes && has_session && !is_own(request.headers(), &app.config.public_url()) {
        return Err(Error::new(StatusCode::FORBIDDEN, "cross_site", "the request comes from another site"));
    }
    Ok(())
}

/// Sec-Fetch-Site where the browser sends it, else Origin; a request with neither is no browser's.
fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            origin == public_url || origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        is_own(&headers, "https://stickers.example")
    }

    #[test]
    fn a_form_on_another_site_is_refused_and_apps_and_own_pages_pass() {
        assert!(own(&[]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(own(&[("origin", "https://stickers.example")]));
        assert!(own(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        for site in ["cross-site", "same-site", "nonsense"] {
            assert!(!own(&[("sec-fetch-site", site), ("origin", "https://stickers.example")]), "{site}");
        }
        assert!(!own(&[("origin", "https://evil.example"), ("host", "stickers.example")]));
        assert!(!own(&[("origin", "null")]));
    }
}
