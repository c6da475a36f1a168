//! The shop window: home, a pack, search results, an artist.

use askama::Template;
use axum::http::StatusCode;
use sticker_protocol::StickerId;
use sticker_protocol::sticker::Rgb;

use crate::i18n::{Day, LocalText};
use crate::money::Money;
use crate::web::page::{CachePolicy, Layout, Page, Picture};

/// `GET /`: the featured and the newest packs.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/home.html")]
pub struct HomePage {
    /// What surrounds the page.
    pub layout: Layout,
    /// Packs to put first, the most important one leading; may be empty.
    pub featured: Vec<PackCard>,
    /// The latest packs, newest first; they may repeat featured ones.
    pub newest: Vec<PackCard>,
}

/// `GET /packs/{slug}`: everything about one pack, and the way to get it.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/pack.html")]
pub struct PackPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The slug in the address.
    pub slug: String,
    /// The title in the nearest language there is.
    pub title: LocalText,
    /// The description in the nearest language there is.
    pub description: Option<LocalText>,
    /// Who drew it.
    pub artist: ArtistLink,
    /// The cover.
    pub cover: Picture,
    /// The colour behind the cover: that of the first sticker.
    pub colour: Rgb,
    /// The copyright line, as the designer wrote it.
    pub copyright: String,
    /// What the pack costs.
    pub price: Price,
    /// What this reader can do.
    pub offer: Offer,
    /// What they tried just now, in vain.
    pub missed: Option<Missed>,
    /// How this reader can give it to somebody else.
    pub gift: Option<GiftOffer>,
    /// Whether who buys it shares it with their partner.
    pub couple_shared: bool,
    /// The stickers in the order of the release.
    pub stickers: Vec<StickerTile>,
    /// More packs by the artist; may be empty.
    pub more: Vec<PackCard>,
}

/// `GET /search?q=`: the form, and what was found.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/search.html")]
pub struct SearchPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// What was asked for, trimmed; empty before the first search.
    pub query: String,
    /// What was found; without a query, packs to look at meanwhile.
    pub packs: Vec<PackCard>,
}

/// `GET /artists/{slug}`: the packs of one artist.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/artist.html")]
pub struct ArtistPage {
    /// What surrounds the page.
    pub layout: Layout,
    /// The artist's name.
    pub name: String,
    /// The packs on sale, newest first.
    pub packs: Vec<PackCard>,
}

/// A pack in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackCard {
    /// The slug in the address.
    pub slug: String,
    /// The title in the nearest language there is.
    pub title: LocalText,
    /// The artist's name.
    pub artist: String,
    /// The cover.
    pub cover: Picture,
    /// The still picture of the first sticker, which stands for the pack in lists.
    pub poster: Picture,
    /// The colour behind the pictures: that of the first sticker.
    pub colour: Rgb,
    /// What the pack costs.
    pub price: Price,
    /// Whether the signed-in user owns it.
    pub owned: bool,
    /// Whether the operator took it down: it has no page any more, and its owners see it without a link.
    pub taken_down: bool,
    /// Whether some stickers move.
    pub animated: bool,
    /// Up to five posters of further stickers, for cards with room; may be empty.
    pub posters: Vec<Picture>,
}

/// One sticker of the pack page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StickerTile {
    /// The sticker's id.
    pub id: StickerId,
    /// What the sticker shows, for people who hear the page; `None` where the designer wrote nothing.
    pub alt: Option<LocalText>,
    /// The still picture.
    pub poster: Picture,
    /// The moving picture of an animated sticker.
    pub preview: Option<Picture>,
    /// The colour that stands where the poster will be.
    pub colour: Rgb,
}

/// An artist and the page about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtistLink {
    /// The slug in the address.
    pub slug: String,
    /// The artist's name.
    pub name: String,
}

/// What a pack costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// Nothing.
    Free,
    /// An amount.
    Paid(Money),
}

/// What the reader of a pack page can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nobody is signed in: open the store from the messenger.
    SignedOut,
    /// Post the form to `/orders`: the pack is granted at once.
    Get {
        /// Makes a repeated post the same order.
        idempotency_key: String,
    },
    /// Post the form to `/orders`: an order is made and paid on its page.
    Buy {
        /// Makes a repeated post the same order.
        idempotency_key: String,
        /// Whether the money is play money.
        sandbox: bool,
    },
    /// Post the form to `/orders` with `event`: the pack is given away at the moment, one to each user.
    Event {
        /// Makes a repeated post the same order.
        idempotency_key: String,
        /// The last day of it.
        until: Day,
    },
    /// An order is on its way; its page says more.
    Ordered {
        /// The id of the order.
        order: String,
    },
    /// The pack is in the user's library.
    Owned,
    /// The pack is not on sale for this user (no provider for its price, or withdrawn).
    Unavailable,
}

/// Why taking part in an event gave nothing: the query `missed` of a pack's page, with the code of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It ended meanwhile.
    Over,
    /// Everything was given away meanwhile.
    UsedUp,
    /// The user took part before.
    TookPart,
}

impl Missed {
    /// All reasons, for tests and galleries.
    pub const ALL: [Self; 3] = [Self::Over, Self::UsedUp, Self::TookPart];

    /// The reason that an error's code tells.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|missed| missed.code() == code)
    }

    /// The code of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Over => "promotion_over",
            Self::UsedUp => "promotion_used_up",
            Self::TookPart => "promotion_used",
        }
    }
}

/// How the reader of a pack page can give the pack away: forms to `/orders` with `gift`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftOffer {
    /// To the partner whom the messenger named; `None` where it named none.
    pub to_partner: Option<PartnerOffer>,
    /// To whoever gets the code: makes a repeated post the same order.
    pub code_key: String,
}

/// Whether the partner can be given the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerOffer {
    /// Post the form with `gift` as `partner`.
    Give {
        /// Makes a repeated post the same order.
        idempotency_key: String,
    },
    /// The partner has it.
    Owns,
}

impl PackPage {
    /// Whether some stickers move.
    fn animated(&self) -> bool {
        self.stickers.iter().any(|sticker| sticker.preview.is_some())
    }

    /// Whether the offer is a next step, which phones keep in reach, and not a word about where things stand.
    const fn pinned(&self) -> bool {
        matches!(
            self.offer,
            Offer::Get { .. } | Offer::Buy { .. } | Offer::Event { .. } | Offer::Ordered { .. }
        )
    }
}

impl Page for HomePage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::Private;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Page for PackPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::NoStore;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Page for SearchPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::Private;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Page for ArtistPage {
    const STATUS: StatusCode = StatusCode::OK;
    const CACHE: CachePolicy = CachePolicy::Private;

    fn layout(&self) -> &Layout {
        &self.layout
    }
}
