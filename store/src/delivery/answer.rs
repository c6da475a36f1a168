//! The answer with an object: the whole, a part, or that nothing changed (RFC 9110, sections 13 and 14).

use std::ops;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::content::{Content, Label};
use super::file::FileBody;
use super::range::Range;
use crate::web::error::Error;
use crate::web::sendfile::Outlet;

/// How an object is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) media_type: &'static str,
    pub(super) cache: &'static str,
}

/// The best variant may change with a new release: a day.
pub(super) const FOR_A_DAY: &str = "public, max-age=86400";
/// The newest release of a pack: who looks for news is to find it.
pub(super) const FOR_A_MINUTE: &str = "public, max-age=60";
/// Named by its content: for ever.
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What is not there may come, and what makes no sense is asked again and again: caches keep that for a moment.
const FOR_A_MOMENT: &str = "public, max-age=5";

/// Answers a `GET` or `HEAD` with an object.
pub(super) fn answer(method: &Method, request: &HeaderMap, content: &Content, sent: Sent) -> Response {
    let Label { etag, .. } = content.label();
    match precondition(request, etag) {
        Precondition::Holds => {}
        Precondition::Unchanged => return labelled(StatusCode::NOT_MODIFIED, Body::empty(), etag, sent),
        Precondition::Fails => {
            let message = "the object at this address has another entity tag";
            let refused = Error::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", message);
            return refused.hint("leave out If-Match, or ask by the hash that you want").into_response();
        }
    }
    let length = match content {
        Content::Memory(object) => object.length(),
        Content::File(file) => file.length(),
    };
    // Ranges are for GET alone, and for whoever has the same bytes or does not say (sections 14.2 and 13.1.5).
    let ranges = request.get(header::RANGE).and_then(|range| range.to_str().ok());
    let ranges = ranges.filter(|_| *method == Method::GET);
    let ranges = ranges.filter(|_| request.get(header::IF_RANGE).is_none_or(|tag| tag == etag));
    match ranges.and_then(|range| Range::read(range, length)) {
        None => with_body(StatusCode::OK, content, 0..length, sent),
        Some(Range::Part { first, last }) => {
            let mut part =
                with_body(StatusCode::PARTIAL_CONTENT, content, first..last.saturating_add(1), sent);
            insert(&mut part, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            part
        }
        Some(Range::Unsatisfiable) => {
            let message = format!("the object has {length} bytes, and the range begins behind them");
            let refused = Error::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", message);
            let mut refused = refused.into_response();
            insert(&mut refused, header::CONTENT_RANGE, &format!("bytes */{length}"));
            refused
        }
    }
}

/// An answer with these bytes of the content.
fn with_body(status: StatusCode, content: &Content, bytes: ops::Range<u64>, sent: Sent) -> Response {
    let (body, outlet) = match content {
        Content::Memory(object) => {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(object.bytes.len());
            (Body::from(object.bytes.slice(place(bytes.start)..place(bytes.end))), None)
        }
        Content::File(file) => {
            let outlet = Outlet::default();
            let body = FileBody::new(Arc::clone(file), bytes.start, bytes.end, outlet.clone());
            (Body::new(body), Some(outlet))
        }
    };
    let mut response = labelled(status, body, &content.label().etag, sent);
    if let Some(outlet) = outlet {
        response.extensions_mut().insert(outlet);
    }
    response
}

fn labelled(status: StatusCode, body: Body, etag: &HeaderValue, sent: Sent) -> Response {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(header::ETAG, etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(sent.cache));
    if status != StatusCode::NOT_MODIFIED {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sent.media_type));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    finished(status, headers, body)
}

/// To where the object is for ever.
pub(super) fn redirect(to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else {
        return Error::internal(&std::io::Error::other("an address that is no header")).into_response();
    };
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(header::LOCATION, to);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_A_DAY));
    finished(StatusCode::FOUND, headers, Body::empty())
}

fn finished(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// With the part's range, and what hyper adds.
const HEADERS: usize = 12;

/// Refuses a download; caches may keep for a moment that there is nothing, never that the store failed.
pub(super) fn refused(error: Error) -> Response {
    let lasts = matches!(error.status(), StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST);
    let mut response = error.into_response();
    if lasts {
        insert(&mut response, header::CACHE_CONTROL, FOR_A_MOMENT);
    }
    response
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precondition {
    Holds,
    Unchanged,
    Fails,
}

/// In the order of section 13.2.2. An object has no date, so conditions on dates are ignored, as section 13.1.3 says.
fn precondition(request: &HeaderMap, etag: &HeaderValue) -> Precondition {
    let names = |name: HeaderName, weakly: bool| {
        let mut values = request.get_all(name).iter().peekable();
        values.peek()?;
        Some(values.any(|value| names(value, etag, weakly)))
    };
    match (names(header::IF_MATCH, false), names(header::IF_NONE_MATCH, true)) {
        (Some(false), _) => Precondition::Fails,
        (_, Some(true)) => Precondition::Unchanged,
        _ => Precondition::Holds,
    }
}

/// Whether a list of entity tags names this one. Ours have no comma in them.
fn names(list: &HeaderValue, etag: &HeaderValue, weakly: bool) -> bool {
    list.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
        let tag = if weakly { tag.strip_prefix(b"W/").unwrap_or(tag) } else { tag };
        tag == b"*" || tag == etag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(pairs: &[(HeaderName, &'static str)]) -> Precondition {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        precondition(&headers, &HeaderValue::from_static("\"ab\""))
    }

    #[test]
    fn conditions_are_about_the_entity_tag_and_a_failed_match_comes_first() {
        let (matches, none_matches) = (header::IF_MATCH, header::IF_NONE_MATCH);
        let one = |name: &HeaderName, value| condition(&[(name.clone(), value)]);
        assert_eq!(condition(&[]), Precondition::Holds);
        for known in ["\"ab\"", "W/\"ab\"", "*", "\"x\" , \"ab\"", "\"x\",W/\"ab\",\"y\""] {
            assert_eq!(one(&none_matches, known), Precondition::Unchanged, "{known}");
        }
        for other in ["\"x\"", "ab", "\"AB\"", "", ","] {
            assert_eq!(one(&none_matches, other), Precondition::Holds, "{other}");
            assert_eq!(one(&matches, other), Precondition::Fails, "{other}");
        }
        for same in ["\"ab\"", "*", "\"x\", \"ab\""] {
            assert_eq!(one(&matches, same), Precondition::Holds, "{same}");
        }
        assert_eq!(one(&matches, "W/\"ab\""), Precondition::Fails, "a weak tag is no match");
        assert_eq!(condition(&[(matches, "\"x\""), (none_matches.clone(), "\"ab\"")]), Precondition::Fails);
        let twice = [(none_matches.clone(), "\"x\""), (none_matches, "\"ab\"")];
        assert_eq!(condition(&twice), Precondition::Unchanged);
        for dated in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
            assert_eq!(one(&dated, "Sat, 28 Nov 2026 10:00:00 GMT"), Precondition::Holds);
        }
    }
}
