//! The shop window's addresses, and the way from releases to what pages show.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use serde::Deserialize;
use sticker_protocol::release::{FileKind, ReleaseFile};
use sticker_protocol::sticker::Rgb;
use sticker_protocol::{PackId, StickerId};

use super::page::{
    ArtistLink, ArtistPage, GiftOffer, HomePage, Missed, Offer, PackCard, PackPage, PartnerOffer, Price,
    SearchPage, StickerTile,
};
use super::query::{self, Shown, file_of};
use crate::account::session::Buyer;
use crate::app::App;
use crate::i18n::{Day, LocalText, Locale};
use crate::library;
use crate::purchase::state::State as OrderState;
use crate::purchase::word::Provider;
use crate::purchase::{promotion, till};
use crate::web::error::Error;
use crate::web::layout;
use crate::web::page::{Html, Picture};

pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/packs/{slug}", get(pack))
        .route("/search", get(search))
        .route("/artists/{slug}", get(artist))
}

async fn home(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Option<Buyer>,
) -> Result<Html<HomePage>, Error> {
    let layout = layout(&uri, &headers, buyer.as_ref());
    let owned = owned_by(&app, buyer.as_ref()).await?;
    let newest = cards(&app, &query::newest(&app).await?, layout.locale, &owned);
    let featured = newest.iter().take(FEATURED).cloned().collect();
    let newest = newest.into_iter().skip(FEATURED).collect();
    Ok(Html(HomePage { layout, featured, newest }))
}

/// The latest packs get a banner.
const FEATURED: usize = 2;

#[derive(Deserialize)]
struct PackQuery {
    missed: Option<String>,
}

async fn pack(
    State(app): State<App>,
    Path(slug): Path<String>,
    Query(asked): Query<PackQuery>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Option<Buyer>,
) -> Result<Html<PackPage>, Error> {
    let layout = layout(&uri, &headers, buyer.as_ref());
    let shown =
        query::by_slug(&app, &slug).await?.ok_or_else(|| Error::not_found("there is no such pack"))?;
    let owned = owned_by(&app, buyer.as_ref()).await?;
    let (release, locale) = (&shown.release, layout.locale);
    let price = price_of(&app, &shown);
    let more: Vec<Shown> = query::of_artist(&app, release.artist.slug.as_str()).await?;
    let more: Vec<Shown> = more.into_iter().filter(|other| other.id != shown.id).take(6).collect();
    Ok(Html(PackPage {
        slug,
        title: title_of(&shown, locale),
        description: LocalText::pick(&release.descriptions, locale),
        artist: ArtistLink { slug: release.artist.slug.to_string(), name: release.artist.name.clone() },
        cover: picture(file_of(release, FileKind::Cover, None)),
        colour: colour_of(&shown),
        copyright: release.copyright.clone(),
        price,
        offer: offer(&app, buyer.as_ref(), &shown, owned.contains(&shown.id)).await?,
        missed: asked.missed.as_deref().and_then(Missed::of),
        gift: gift(&app, buyer.as_ref(), &shown).await?,
        couple_shared: shown.couple_shared,
        stickers: release.stickers.iter().map(|sticker| tile(&shown, sticker, locale)).collect(),
        more: cards(&app, &more, locale, &owned),
        layout,
    }))
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

async fn search(
    State(app): State<App>,
    Query(asked): Query<Search>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Option<Buyer>,
) -> Result<Html<SearchPage>, Error> {
    let layout = layout(&uri, &headers, buyer.as_ref());
    let asked: String = asked.q.trim().chars().take(100).collect();
    let found =
        if asked.is_empty() { query::newest(&app).await? } else { query::search(&app, &asked).await? };
    let packs = cards(&app, &found, layout.locale, &owned_by(&app, buyer.as_ref()).await?);
    Ok(Html(SearchPage { layout, query: asked, packs }))
}

async fn artist(
    State(app): State<App>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    buyer: Option<Buyer>,
) -> Result<Html<ArtistPage>, Error> {
    let layout = layout(&uri, &headers, buyer.as_ref());
    let shown = query::of_artist(&app, &slug).await?;
    let name = shown.first().map(|shown| shown.release.artist.name.clone());
    let name = name.ok_or_else(|| Error::not_found("there is no such artist"))?;
    let packs = cards(&app, &shown, layout.locale, &owned_by(&app, buyer.as_ref()).await?);
    Ok(Html(ArtistPage { layout, name, packs }))
}

async fn owned_by(app: &App, buyer: Option<&Buyer>) -> Result<BTreeSet<PackId>, Error> {
    match buyer {
        Some(buyer) => {
            Ok(library::query::of(&app.db, &buyer.user).await?.into_iter().map(|grant| grant.pack).collect())
        }
        None => Ok(BTreeSet::new()),
    }
}

async fn offer(app: &App, buyer: Option<&Buyer>, shown: &Shown, owned: bool) -> Result<Offer, Error> {
    let Some(buyer) = buyer else { return Ok(Offer::SignedOut) };
    if owned {
        return Ok(Offer::Owned);
    }
    let idempotency_key = app.random.uuid()?.to_string();
    if price_of(app, shown) == Price::Free {
        return Ok(Offer::Get { idempotency_key });
    }
    if let Some(event) = promotion::event_for(app, shown.id).await? {
        match promotion::part_of(&app.db, &event, &buyer.user).await? {
            // A crash came between the order and its settling: its page finishes it.
            Some(part) if part.state == OrderState::Created => return Ok(Offer::Ordered { order: part.id }),
            None if promotion::has_some_left(&event) => {
                return Ok(Offer::Event { idempotency_key, until: Day::of_unix_ms(event.ends_at - 1) });
            }
            // They had their part, and lost it, or nothing is left: the pack is sold as ever.
            Some(_) | None => {}
        }
    }
    Ok(match till::of_platform(app, buyer.platform.as_deref()) {
        Some(provider) => Offer::Buy { idempotency_key, sandbox: provider == Provider::Sandbox },
        None => Offer::Unavailable,
    })
}

/// How the reader can give a pack that is sold on their platform, where gifts are.
async fn gift(app: &App, buyer: Option<&Buyer>, shown: &Shown) -> Result<Option<GiftOffer>, Error> {
    let Some(buyer) = buyer else { return Ok(None) };
    let platform = buyer.platform.as_deref();
    let sold = price_of(app, shown) != Price::Free && till::of_platform(app, platform).is_some();
    if !sold || !app.config.purchase.gifts.on(platform) {
        return Ok(None);
    }
    let to_partner = match buyer.partner.filter(|partner| *partner != buyer.user) {
        None => None,
        Some(partner) if library::query::owns(&app.db, &partner, shown.id).await? => Some(PartnerOffer::Owns),
        Some(_) => Some(PartnerOffer::Give { idempotency_key: app.random.uuid()?.to_string() }),
    };
    Ok(Some(GiftOffer { to_partner, code_key: app.random.uuid()?.to_string() }))
}

/// A pack in a list.
pub(crate) fn card(app: &App, shown: &Shown, locale: Locale, owned: bool) -> PackCard {
    let release = &shown.release;
    let posters = release
        .stickers
        .iter()
        .skip(1)
        .take(5)
        .map(|it| picture(file_of(release, FileKind::Poster, Some(it.id))));
    PackCard {
        slug: release.slug.to_string(),
        title: title_of(shown, locale),
        artist: release.artist.name.clone(),
        cover: picture(file_of(release, FileKind::Cover, None)),
        poster: first_poster(shown),
        colour: colour_of(shown),
        price: price_of(app, shown),
        owned,
        taken_down: shown.taken_down,
        animated: release.stickers.iter().any(|sticker| sticker.frame_count > 1),
        posters: posters.collect(),
    }
}

fn cards(app: &App, shown: &[Shown], locale: Locale, owned: &BTreeSet<PackId>) -> Vec<PackCard> {
    shown.iter().map(|shown| card(app, shown, locale, owned.contains(&shown.id))).collect()
}

fn tile(shown: &Shown, sticker: &sticker_protocol::release::ReleaseSticker, locale: Locale) -> StickerTile {
    let file = |kind| file_of(&shown.release, kind, Some::<StickerId>(sticker.id));
    StickerTile {
        id: sticker.id,
        alt: LocalText::pick(&sticker.alt_texts, locale),
        poster: picture(file(FileKind::Poster)),
        preview: file(FileKind::Preview).map(|file| picture(Some(file))),
        colour: sticker.placeholder_colour,
    }
}

/// The title in the reader's language; a manifest has at least one.
pub(crate) fn title_of(shown: &Shown, locale: Locale) -> LocalText {
    LocalText::pick(&shown.release.titles, locale)
        .unwrap_or_else(|| LocalText { text: shown.release.slug.to_string(), lang: "en".to_owned() })
}

/// What a pack costs; a tier that is no longer configured is priced as none, which cannot be bought.
pub(crate) fn price_of(app: &App, shown: &Shown) -> Price {
    match app.config.price(&shown.price_tier) {
        Some(Some(money)) => Price::Paid(money),
        _ => Price::Free,
    }
}

pub(crate) fn colour_of(shown: &Shown) -> Rgb {
    shown.release.stickers.first().map_or(Rgb([0xee; 3]), |sticker| sticker.placeholder_colour)
}

/// A manifest lists every picture that pages show.
pub(crate) fn picture(file: Option<&ReleaseFile>) -> Picture {
    let size = |px: Option<u32>| px.unwrap_or(1);
    match file {
        Some(file) => Picture {
            src: format!("/media/{}.webp", file.sha256),
            width: size(file.width),
            height: size(file.height),
        },
        None => Picture { src: "/media/none".to_owned(), width: 1, height: 1 },
    }
}

/// The poster of the first sticker, which stands for the pack where there is little room.
pub(crate) fn first_poster(shown: &Shown) -> Picture {
    let sticker = shown.release.stickers.first().map(|sticker| sticker.id);
    picture(file_of(&shown.release, FileKind::Poster, sticker))
}
