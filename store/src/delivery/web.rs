//! The addresses that phones and CDNs download from.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::routing::get;
use sticker_protocol::release::signed::MEDIA_TYPE;
use sticker_protocol::{ImageFormat, PackId, Sha256};

use super::address::{Address, Asked, Named};
use super::answer::{FOR_A_DAY, FOR_A_MINUTE, FOR_EVER, Sent, answer, redirect, refused};
use super::choice::{self, Variant};
use super::content::{self, Content, Is, Object};
use super::signed;
use crate::app::App;
use crate::config::DeliveryMode;
use crate::telemetry::metrics;
use crate::variants::picture;
use crate::web::error::Error;
use crate::web::{Finished, peer};

pub(crate) fn routes() -> Router<App> {
    Router::new().route(NEGOTIATED, get(download)).route(CANONICAL, get(download)).route(MEDIA, get(download))
}

const NEGOTIATED: &str = "/dl/{name}";
const CANONICAL: &str = "/dl/{density}/{name}";
const MEDIA: &str = "/media/{name}";

/// The patterns of the addresses, as metrics name them: a download that succeeds is counted, and logged from `debug` on.
pub(crate) const ROUTES: [&str; 3] = [NEGOTIATED, CANONICAL, MEDIA];

/// Answers a download from what is in memory, before anything else looks at the request; `None` where something has to be asked or
/// refused, which [`download`] does, with the same parts.
pub(crate) fn at_once(
    app: &App,
    peer: IpAddr,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Response> {
    // Whatever is spelled with a percent sign is looked at more closely.
    let query = uri.query().unwrap_or_default();
    if !matches!(*method, Method::GET | Method::HEAD) || query.contains('%') {
        return None;
    }
    let (address, memory) = (Address::read(uri.path())?, &app.delivery);
    let (response, route) = match address {
        Address::Negotiated(named) => {
            let now = app.clock.now_ms();
            let best = memory.choices.fresh(named, now)?.best(Asked::read(query).ok()?)?;
            let from = peer::address(&app.config.server, peer, headers);
            let response = match app.config.delivery.mode {
                DeliveryMode::Stream => {
                    let object = content::at_hand(app, best.hash)?;
                    memory.rates.admit(from, now).ok()?;
                    answer(method, headers, &object, sent(named, FOR_A_DAY))
                }
                DeliveryMode::Redirect => {
                    memory.rates.admit(from, now).ok()?;
                    redirect(&canonical(app, named, best))
                }
            };
            (response, NEGOTIATED)
        }
        Address::Canonical(named, density, hash) => {
            let object = content::at_hand(app, hash)?;
            let is_it = object.label().is == Is::Built(named, density);
            let object = Some(object).filter(|_| is_it)?;
            (answer(method, headers, &object, sent(named, FOR_EVER)), CANONICAL)
        }
        Address::Signed(pack) => {
            let now = app.clock.now_ms();
            let envelope = memory.signed.fresh(pack, now)?;
            memory.rates.admit(peer::address(&app.config.server, peer, headers), now).ok()?;
            (answer(method, headers, &Content::Memory(envelope), SIGNED), NEGOTIATED)
        }
        // Another width may have to be made.
        Address::Picture(_) if query.contains("width=") => return None,
        Address::Picture(hash) => {
            let object = content::at_hand(app, hash).filter(|object| object.label().is == Is::Picture)?;
            (answer(method, headers, &object, PICTURE), MEDIA)
        }
    };
    // An error is rendered where its request has a name.
    if is_error(&response) {
        return None;
    }
    metrics::answered(Some(route), response.status().as_u16());
    Some(response)
}

async fn download(State(app): State<App>, request: Request) -> Response {
    let from = request.extensions().get::<peer::Peer>().map(|&peer::Peer(address)| address);
    let (parts, _) = request.into_parts();
    let found = match Address::read(parts.uri.path()) {
        None => Err(Error::not_found("there is nothing at this address")),
        Some(Address::Negotiated(named)) => {
            let from = from.map(|from| peer::address(&app.config.server, from, &parts.headers));
            let query = parts.uri.query().unwrap_or_default();
            negotiated(&app, named, from, query).await
        }
        Some(Address::Signed(pack)) => {
            let from = from.map(|from| peer::address(&app.config.server, from, &parts.headers));
            manifest(&app, pack, from).await
        }
        Some(Address::Canonical(named, density, hash)) => match content::find(&app, hash).await {
            Ok(Some(content)) if content.label().is == Is::Built(named, density) => {
                Ok(Found::Object(content, sent(named, FOR_EVER)))
            }
            Ok(_) => Err(Error::not_found("there is no such object")),
            Err(error) => Err(error),
        },
        Some(Address::Picture(hash)) => shown(&app, hash, parts.uri.query().unwrap_or_default()).await,
    };
    let mut response = match found {
        Ok(Found::Object(content, sent)) => answer(&parts.method, &parts.headers, &content, sent),
        Ok(Found::At(address)) => redirect(&address),
        Err(error) => refused(error),
    };
    if !is_error(&response) {
        response.extensions_mut().insert(Finished);
    }
    response
}

fn is_error(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// A picture for pages, at the width that the query asks for.
async fn shown(app: &App, hash: Sha256, query: &str) -> Result<Found, Error> {
    let nothing = || Error::not_found("there is no such picture");
    let width = picture::asked_width(query)?;
    let content = content::find(app, hash).await?.filter(|content| content.label().is == Is::Picture);
    let content = content.ok_or_else(nothing)?;
    let Some(width) = width else { return Ok(Found::Object(content, PICTURE)) };
    let whole = super::object(app, hash).await?.ok_or_else(nothing)?;
    let made = picture::at_width(app, hash, whole, width).await?;
    let made = Object::new(Sha256::of(&made), made, Is::Picture);
    Ok(Found::Object(Content::Memory(Arc::new(made)), PICTURE))
}

/// What an address leads to.
enum Found {
    Object(Content, Sent),
    At(String),
}

async fn negotiated(app: &App, named: Named, from: Option<IpAddr>, query: &str) -> Result<Found, Error> {
    if let Some(from) = from {
        app.delivery.rates.admit(from, app.clock.now_ms())?;
    }
    let asked = Asked::read(query)?;
    let variants = choice::find(app, named).await?;
    let variants = variants.ok_or_else(|| Error::not_found("there is no such sticker or pack"))?;
    let best = variants.best(asked).ok_or_else(|| {
        Error::not_found("the sticker was not built in this format")
            .hint("leave out `format` for the one that it was built in")
    })?;
    if app.config.delivery.mode == DeliveryMode::Redirect {
        return Ok(Found::At(canonical(app, named, best)));
    }
    match content::find(app, best.hash).await? {
        Some(content) => Ok(Found::Object(content, sent(named, FOR_A_DAY))),
        None => Err(Error::from(crate::objects::ObjectError::Missing(best.hash))),
    }
}

async fn manifest(app: &App, pack: PackId, from: Option<IpAddr>) -> Result<Found, Error> {
    if let Some(from) = from {
        app.delivery.rates.admit(from, app.clock.now_ms())?;
    }
    let envelope = signed::find(app, pack).await?;
    let envelope = envelope.ok_or_else(|| Error::not_found("there is no such pack"))?;
    Ok(Found::Object(Content::Memory(envelope), SIGNED))
}

/// Where the object is for ever: on this host, or at the CDN that the operator named.
fn canonical(app: &App, named: Named, best: Variant) -> String {
    let base = app.config.delivery.canonical_base.trim_end_matches('/');
    format!("{base}{}", Address::canonical(named, best.density, best.hash))
}

const fn sent(named: Named, cache: &'static str) -> Sent {
    match named {
        Named::Sticker(_) => Sent { media_type: "application/vnd.sticker", cache },
        Named::Pack(_) => Sent { media_type: "application/zip", cache },
    }
}

const SIGNED: Sent = Sent { media_type: MEDIA_TYPE, cache: FOR_A_MINUTE };
const PICTURE: Sent = Sent { media_type: ImageFormat::WebP.media_type(), cache: FOR_EVER };
