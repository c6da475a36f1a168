//! The addresses that phones and CDNs download from.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sticker_protocol::bundle::Bundle;
use sticker_protocol::release::FileKind;
use sticker_protocol::sticker::StickerFile;
use sticker_protocol::{Density, ImageFormat, ImageHeader, ImageHeaderError, PackId, Sha256, StickerId};

use super::{Bytes, object};
use crate::app::App;
use crate::catalogue::query;
use crate::web::error::Error;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/dl/{name}", get(negotiated))
        .route("/dl/{density}/{name}", get(canonical))
        .route("/media/{name}", get(media))
}

const STICKER: &str = "application/vnd.sticker";
const ZIP: &str = "application/zip";
/// The best variant may change with a new release: a day.
const FOR_A_DAY: &str = "public, max-age=86400";
/// Named by its content: for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What a download is of, from the last part of the address.
enum Named {
    Sticker(StickerId),
    Pack(PackId),
}

async fn negotiated(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let asked = Asked::read(query.as_deref().unwrap_or_default())?;
    let nothing = || Error::not_found("there is no such sticker or pack");
    let (release, kind, sticker) = match named(&name).ok_or_else(nothing)? {
        Named::Sticker(id) => {
            (query::of_sticker(&app, id).await?.map(|(_, release)| release), FileKind::Sticker, Some(id))
        }
        Named::Pack(id) => (query::by_id(&app, id).await?.map(|shown| shown.release), FileKind::Bundle, None),
    };
    let release = release.ok_or_else(nothing)?;
    let fits = |format: Option<ImageFormat>| {
        asked.format.is_none_or(|wanted| format.is_none_or(|format| format == wanted))
    };
    let variants = || release.files_of(kind).filter(|file| file.sticker == sticker && fits(file.format));
    let best = Density::choose(variants().filter_map(|file| file.density), asked.density);
    let best = variants().find(|file| file.density == best && best.is_some());
    let best = best.ok_or_else(|| Error::not_found("the sticker was not built in this format"))?;
    let content = object(&app, best.sha256).await?.ok_or_else(nothing)?;
    Ok(answer(&headers, content, best.sha256, media_type(kind), FOR_A_DAY))
}

/// The content says itself whether it is what the address calls it: no database is asked.
async fn canonical(
    State(app): State<App>,
    Path((density, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let nothing = || Error::not_found("there is no such object");
    let density: Density =
        plain(&density).and_then(|density| Density::new(density).ok()).ok_or_else(nothing)?;
    let (stem, ending) = name.rsplit_once('.').ok_or_else(nothing)?;
    let (id, hash) = stem.split_once('.').ok_or_else(nothing)?;
    let hash: Sha256 = hash.parse().map_err(|_not_a_hash| nothing())?;
    let named = named(&format!("{id}.{ending}")).ok_or_else(nothing)?;
    let content = object(&app, hash).await?.ok_or_else(nothing)?;
    let (is_it, kind) = match named {
        Named::Sticker(id) => {
            let is_it = StickerFile::read(&content)
                .is_ok_and(|file| file.metadata().sticker == id && file.metadata().density == density);
            (is_it, FileKind::Sticker)
        }
        Named::Pack(id) => {
            let is_it =
                Bundle::read(&content).is_ok_and(|it| it.pack().id == id && it.pack().density == density);
            (is_it, FileKind::Bundle)
        }
    };
    if is_it { Ok(answer(&headers, content, hash, media_type(kind), FOR_EVER)) } else { Err(nothing()) }
}

/// Pictures for pages, by their hash; nothing but WebP comes out here.
async fn media(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let nothing = || Error::not_found("there is no such picture");
    let hash: Sha256 = name.strip_suffix(".webp").and_then(|hash| hash.parse().ok()).ok_or_else(nothing)?;
    let content = object(&app, hash).await?.ok_or_else(nothing)?;
    match ImageHeader::read(&content) {
        Ok(ImageHeader { format: ImageFormat::WebP, .. }) | Err(ImageHeaderError::Animated) => {
            Ok(answer(&headers, content, hash, ImageFormat::WebP.media_type(), FOR_EVER))
        }
        _ => Err(nothing()),
    }
}

const fn media_type(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Bundle => ZIP,
        _ => STICKER,
    }
}

/// `<id>.sticker` or `<id>.zip`, the id in its one form.
fn named(name: &str) -> Option<Named> {
    match name.split_once('.')? {
        (id, "sticker") => id.parse().ok().map(Named::Sticker),
        (id, "zip") => id.parse().ok().map(Named::Pack),
        _ => None,
    }
}

/// What the query asks for.
struct Asked {
    density: Density,
    format: Option<ImageFormat>,
}

impl Asked {
    /// Unknown fields are ignored: CDNs and apps add their own. A field twice is a mistake.
    fn read(query: &str) -> Result<Self, Error> {
        let only = |name: &str| {
            let mut values =
                query.split('&').filter_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            match (values.next(), values.next()) {
                (value, None) => Ok(value.map(|(_, value)| value)),
                _ => Err(Error::bad_request("invalid_query", format!("`{name}` is given twice"))),
            }
        };
        let density = match only("density")? {
            None => Density::DEFAULT,
            Some(text) => plain(text).and_then(|number| Density::new(number).ok()).ok_or_else(|| {
                Error::bad_request("invalid_density", "`density` is a whole number from 1 to 4096")
                    .hint("send the screen's dots per inch, such as density=480")
            })?,
        };
        let format = match only("format")? {
            None => None,
            Some(text) => Some(
                ImageFormat::from_extension(text)
                    .ok_or_else(|| Error::bad_request("invalid_format", "`format` is png or webp"))?,
            ),
        };
        Ok(Self { density, format })
    }
}

/// Plain decimal digits.
fn plain(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The whole, a part, or that nothing changed.
fn answer(
    request: &HeaderMap,
    content: Bytes,
    hash: Sha256,
    media_type: &'static str,
    cache: &'static str,
) -> Response {
    let etag = format!("\"{hash}\"");
    let text = |name: header::HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let unchanged = text(header::IF_NONE_MATCH).is_some_and(|known| {
        known.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    });
    let length = content.len();
    let if_range = text(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let range = text(header::RANGE).filter(|_| if_range).and_then(|range| Range::read(range, length));
    let mut response = match range {
        _ if unchanged => StatusCode::NOT_MODIFIED.into_response(),
        Some(Range::Part { first, last }) => {
            let mut part = Body::from(content.slice(first..=last)).into_response();
            *part.status_mut() = StatusCode::PARTIAL_CONTENT;
            insert(&mut part, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            part
        }
        Some(Range::Unsatisfiable) => {
            let mut refused = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            insert(&mut refused, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return refused;
        }
        None => Body::from(content).into_response(),
    };
    insert(&mut response, header::ETAG, &etag);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// One range of bytes (RFC 9110, section 14.1.2); several, and other units, are answered with the whole.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Part { first: usize, last: usize },
    Unsatisfiable,
}

impl Range {
    fn read(header: &str, length: usize) -> Option<Self> {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok())?
        };
        let part = match (first, last) {
            ("", suffix) => (length.saturating_sub(number(suffix)?), length.checked_sub(1)),
            (first, "") => (number(first)?, length.checked_sub(1)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                (first, length.checked_sub(1).map(|end| last.min(end)))
            }
        };
        Some(match part {
            (first, Some(last)) if first <= last => Self::Part { first, last },
            _ => Self::Unsatisfiable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_the_whole_or_impossible() {
        let part = |first, last| Some(Range::Part { first, last });
        assert_eq!(Range::read("bytes=0-0", 10), part(0, 0));
        assert_eq!(Range::read("bytes=2-", 10), part(2, 9));
        assert_eq!(Range::read("bytes=-3", 10), part(7, 9));
        assert_eq!(Range::read("bytes=-99", 10), part(0, 9));
        assert_eq!(Range::read("bytes=5-99", 10), part(5, 9));
        for impossible in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(Range::read(impossible, 10), Some(Range::Unsatisfiable), "{impossible}");
        }
        for ignored in ["bytes=3-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes", "bytes=+1-2"] {
            assert_eq!(Range::read(ignored, 10), None, "{ignored}");
        }
    }

    #[test]
    fn a_density_is_a_plain_number_once() {
        let density =
            |query: &str| Asked::read(query).map(|asked| asked.density.get()).map_err(|error| error.code());
        assert_eq!(density(""), Ok(320));
        assert_eq!(density("v=3&density=4096"), Ok(4096));
        for wrong in [
            "density=0",
            "density=-1",
            "density=4097",
            "density=1000000000",
            "density=abc",
            "density=",
            "density=%31",
        ] {
            assert_eq!(density(wrong), Err("invalid_density"), "{wrong}");
        }
        assert_eq!(density("density=1&density=1"), Err("invalid_query"));
        assert_eq!(density("format=gif"), Err("invalid_format"));
    }
}
