//! Every page in every state that looks different, for the tests of the pages and for the gallery.

use std::collections::BTreeMap;

use askama::Template;
use sticker_protocol::StickerId;
use sticker_protocol::sticker::Rgb;
use sticker_store::account::page::LaunchPage;
use sticker_store::catalogue::page::{
    ArtistLink, ArtistPage, GiftOffer, HomePage, Missed, Offer, PackCard, PackPage, PartnerOffer, Price,
    SearchPage, StickerTile,
};
use sticker_store::i18n::{Day, LocalText, Locale};
use sticker_store::library::page::{LibraryPage, OwnedPack};
use sticker_store::money::{Currency, Money};
use sticker_store::purchase::order::Origin;
use sticker_store::purchase::page::{
    GiftTo, OrderPage, OrderState, OrderStep, OrderSummary, OrdersPage, RedeemPage, RedeemProblem, RedeemStep,
};
use sticker_store::web::page::{Layout, Page, Picture, Problem, ProblemPage};

/// A rendered page with its name: the file name in the gallery.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) html: String,
}

/// A pack as designers make them: texts in their languages, pictures by address.
#[derive(Clone)]
pub(crate) struct Art {
    pub(crate) slug: String,
    pub(crate) titles: BTreeMap<String, String>,
    pub(crate) descriptions: BTreeMap<String, String>,
    pub(crate) cover: Picture,
    pub(crate) stickers: Vec<ArtSticker>,
}

/// A sticker of such a pack.
#[derive(Clone)]
pub(crate) struct ArtSticker {
    pub(crate) id: StickerId,
    pub(crate) alt: BTreeMap<String, String>,
    pub(crate) poster: Picture,
    pub(crate) preview: Option<Picture>,
    pub(crate) colour: Rgb,
}

/// All pages in a language, drawn with the stickers of two packs.
pub(crate) fn all(locale: Locale, first: &Art, second: &Art) -> Vec<Sample> {
    let book = Book { locale, first, second };
    let mut samples = book.catalogue();
    samples.extend(book.missed());
    samples.extend(book.account());
    samples
}

struct Book<'a> {
    locale: Locale,
    first: &'a Art,
    second: &'a Art,
}

impl Book<'_> {
    fn catalogue(&self) -> Vec<Sample> {
        let key = || "0b6f3c1e".to_owned();
        let shelf = self.shelf();
        let won = Price::Paid(Money { minor: 1_200, currency: Currency::KRW });
        let dollar = Price::Paid(Money { minor: 99, currency: Currency::USD });
        let home = |featured: Vec<PackCard>, newest| HomePage { layout: self.layout("/"), featured, newest };
        let search = |query: &str, packs| SearchPage {
            layout: self.layout("/search?q=moss&lang=en"),
            query: query.to_owned(),
            packs,
        };
        let artist = |packs| ArtistPage {
            layout: self.layout("/artists/mochi-and-bean"),
            name: "Mochi & Bean".to_owned(),
            packs,
        };
        vec![
            sample("home", &home(vec![self.card(self.first, 0), self.card(self.second, 1)], shelf.clone())),
            sample("home-one", &home(vec![self.card(self.first, 0)], Vec::new())),
            sample("home-empty", &home(Vec::new(), Vec::new())),
            sample("pack-get", &self.pack(self.first, Price::Free, Offer::Get { idempotency_key: key() })),
            sample(
                "pack-buy",
                &self.pack(self.second, won, Offer::Buy { idempotency_key: key(), sandbox: true }),
            ),
            sample(
                "pack-buy-real",
                &self.pack(self.second, dollar, Offer::Buy { idempotency_key: key(), sandbox: false }),
            ),
            sample("pack-event", &self.pack(self.second, won, event())),
            sample("pack-couple", &PackPage { couple_shared: true, ..self.buyable(None) }),
            sample("pack-gift", &self.buyable(Some(PartnerOffer::Give { idempotency_key: key() }))),
            sample("pack-gift-owns", &self.buyable(Some(PartnerOffer::Owns))),
            sample("pack-ordered", &self.pack(self.second, won, Offer::Ordered { order: ORDER.to_owned() })),
            sample("pack-owned", &self.pack(self.first, Price::Free, Offer::Owned)),
            sample("pack-signed-out", &self.pack(self.second, won, Offer::SignedOut)),
            sample("pack-unavailable", &self.pack(self.second, won, Offer::Unavailable)),
            sample("search", &search("", shelf.clone())),
            sample("search-found", &search("moss", shelf.into_iter().take(3).collect())),
            sample("search-one", &search("moss", vec![self.card(self.first, 0)])),
            sample("search-nothing", &search("<quux> & \"co\"", Vec::new())),
            sample("artist", &artist(vec![self.card(self.first, 0), self.card(self.second, 1)])),
            sample("artist-empty", &artist(Vec::new())),
        ]
    }

    /// An event that somebody missed.
    fn missed(&self) -> Vec<Sample> {
        let page = |missed| {
            let page = PackPage { missed: Some(missed), ..self.buyable(None) };
            sample(&format!("pack-{}", missed.code().replace('_', "-")), &page)
        };
        Missed::ALL.into_iter().map(page).collect()
    }

    /// A pack that can be given away.
    fn buyable(&self, to_partner: Option<PartnerOffer>) -> PackPage {
        let key = || "0b6f3c1e".to_owned();
        let won = Price::Paid(Money { minor: 1_200, currency: Currency::KRW });
        let offer = Offer::Buy { idempotency_key: key(), sandbox: false };
        let gift = Some(GiftOffer { to_partner, code_key: key() });
        PackPage { gift, ..self.pack(self.second, won, offer) }
    }

    fn account(&self) -> Vec<Sample> {
        let library = |cards: Vec<PackCard>| LibraryPage {
            layout: self.layout("/library"),
            packs: cards
                .into_iter()
                .zip([Origin::Own, Origin::Gift, Origin::Shared].into_iter().cycle())
                .map(|(card, origin)| OwnedPack { card, origin })
                .collect(),
        };
        let orders = |orders| OrdersPage { layout: self.layout("/orders"), orders };
        let order = |state, step| OrderPage {
            layout: self.layout("/orders/1"),
            order: self.order(self.second, state, 1_200),
            step,
            paid_twice: false,
        };
        let mut samples = vec![
            sample(
                "library",
                &library(vec![
                    self.card(self.first, 0),
                    self.card(self.second, 1),
                    PackCard { poster: self.first.stickers[0].poster.clone(), ..self.card(self.second, 2) },
                ]),
            ),
            sample("library-one", &library(vec![self.card(self.first, 0)])),
            sample(
                "library-taken-down",
                &library(vec![
                    PackCard { taken_down: true, ..self.card(self.first, 0) },
                    self.card(self.second, 1),
                ]),
            ),
            sample("library-empty", &library(Vec::new())),
            sample(
                "orders",
                &orders(vec![
                    self.order(self.second, OrderState::Created, 1_200),
                    self.order(self.second, OrderState::Pending, 2_400),
                    self.order(self.first, OrderState::Granted, 0),
                    self.order(self.second, OrderState::Paid, 1_200),
                    self.order(self.second, OrderState::Revoked, 12_000),
                    self.gift(GiftTo::WhoHasTheCode, OrderState::Waiting),
                    self.gift(GiftTo::Partner, OrderState::Given),
                ]),
            ),
            sample("orders-empty", &orders(Vec::new())),
            sample("order-pay", &order(OrderState::Created, OrderStep::PayWithTestMoney)),
            sample("order-wait", &order(OrderState::Pending, OrderStep::Wait)),
            sample("order-granted", &order(OrderState::Granted, OrderStep::OpenLibrary)),
            sample("order-revoked", &order(OrderState::Revoked, OrderStep::BackToPack)),
            sample("order-revoked-kept", &order(OrderState::Revoked, OrderStep::KeptByAnother)),
            sample("order-nothing-to-pay", &order(OrderState::Created, OrderStep::NothingToPay)),
            sample("order-too-late", &taken_down(order(OrderState::Created, OrderStep::TooLate))),
            sample("order-taken-down", &taken_down(order(OrderState::Granted, OrderStep::OpenLibrary))),
            sample("order-finish", &order(OrderState::Created, OrderStep::Finish)),
            sample(
                "order-app",
                &OrderPage {
                    order: OrderSummary {
                        sandbox: false,
                        ..self.order(self.second, OrderState::Created, 1_200)
                    },
                    ..order(
                        OrderState::Created,
                        OrderStep::PayInApp { provider: "apple", product: "sticker_tier1".to_owned() },
                    )
                },
            ),
            sample("order-owned-already", &order(OrderState::Paid, OrderStep::AlreadyOwned)),
            sample(
                "order-paid-twice",
                &OrderPage { paid_twice: true, ..order(OrderState::Granted, OrderStep::OpenLibrary) },
            ),
            sample(
                "order-shared",
                &OrderPage {
                    order: OrderSummary {
                        shared: true,
                        ..self.order(self.second, OrderState::Granted, 1_200)
                    },
                    ..order(OrderState::Granted, OrderStep::OpenLibrary)
                },
            ),
            sample("launch", &LaunchPage { layout: self.layout("/launch") }),
        ];
        samples.extend(self.gifts());
        samples.extend(self.redeem());
        samples.extend(Problem::ALL.into_iter().map(|problem| {
            let page = ProblemPage {
                layout: self.layout("/lost"),
                problem,
                request_id: (problem == Problem::Internal).then(|| "01JD4Q6Z7M".to_owned()),
            };
            sample(&format!("problem-{}", problem.status().as_u16()), &page)
        }));
        samples
    }

    fn gifts(&self) -> Vec<Sample> {
        let gift = |to, state, step| OrderPage {
            layout: self.layout("/orders/1"),
            order: self.gift(to, state),
            step,
            paid_twice: false,
        };
        let share = OrderStep::ShareCode {
            code: "7XG4-M2QD-0KPA-V93T".to_owned(),
            link: "https://stickers.example/redeem#7XG4-M2QD-0KPA-V93T".to_owned(),
            until: Day::of_unix_ms(1_797_811_200_000),
        };
        let ended = |expired, can_keep| OrderStep::CodeEnded { expired, can_keep };
        let (code, partner) = (GiftTo::WhoHasTheCode, GiftTo::Partner);
        vec![
            sample("gift-code", &gift(code, OrderState::Waiting, share)),
            sample("gift-expired", &gift(code, OrderState::Paid, ended(true, true))),
            sample("gift-returned", &gift(code, OrderState::Paid, ended(false, false))),
            sample(
                "gift-partner-owns",
                &gift(partner, OrderState::Paid, OrderStep::PartnerOwns { can_keep: true }),
            ),
            sample("gift-nothing-to-pay", &gift(partner, OrderState::Created, OrderStep::NothingToPay)),
            sample("gift-revoked", &gift(code, OrderState::Revoked, OrderStep::BackToPack)),
            sample("gift-given", &gift(code, OrderState::Given, OrderStep::Given)),
            sample("gift-given-partner", &gift(partner, OrderState::Given, OrderStep::Given)),
        ]
    }

    fn redeem(&self) -> Vec<Sample> {
        let redeem = |step| RedeemPage { layout: self.layout("/redeem"), step };
        let form = |typed: &str, problem| RedeemStep::Form { typed: typed.to_owned(), problem };
        let mut samples = vec![
            sample("redeem", &redeem(form("", None))),
            sample("redeem-signed-out", &redeem(RedeemStep::SignedOut)),
            sample("redeem-done", &redeem(RedeemStep::Done { pack: Box::new(self.card(self.first, 0)) })),
        ];
        samples.extend(RedeemProblem::ALL.into_iter().map(|problem| {
            let page = redeem(form("<quux> 7xg4", Some(problem)));
            sample(&format!("redeem-{}", problem.code().replace('_', "-")), &page)
        }));
        samples
    }

    fn gift(&self, to: GiftTo, state: OrderState) -> OrderSummary {
        OrderSummary { gift: Some(to), ..self.order(self.first, state, 1_200) }
    }

    fn layout(&self, path: &str) -> Layout {
        Layout { locale: self.locale, path: path.to_owned() }
    }

    fn pick(&self, texts: &BTreeMap<String, String>) -> Option<LocalText> {
        LocalText::pick(texts, self.locale)
    }

    /// As many packs as there are stickers, each with another face, price and standing.
    fn shelf(&self) -> Vec<PackCard> {
        let faces = self.second.stickers.iter().zip(self.first.stickers.iter()).flat_map(|(a, b)| [a, b]);
        faces
            .take(8)
            .enumerate()
            .map(|(index, sticker)| PackCard {
                poster: sticker.poster.clone(),
                colour: sticker.colour,
                animated: sticker.preview.is_some(),
                ..self.card(if index % 2 == 0 { self.second } else { self.first }, index)
            })
            .collect()
    }

    fn card(&self, art: &Art, index: usize) -> PackCard {
        let paid = |minor| Price::Paid(Money { minor, currency: Currency::KRW });
        PackCard {
            slug: art.slug.clone(),
            title: self.pick(&art.titles).unwrap(),
            artist: "Mochi & Bean".to_owned(),
            cover: art.cover.clone(),
            poster: art.stickers[0].poster.clone(),
            colour: art.stickers[0].colour,
            price: [Price::Free, paid(1_200), paid(2_400)][index % 3],
            owned: index % 5 == 3,
            taken_down: false,
            animated: art.stickers.iter().any(|sticker| sticker.preview.is_some()),
            posters: art.stickers.iter().skip(1).take(5).map(|sticker| sticker.poster.clone()).collect(),
        }
    }

    fn pack(&self, art: &Art, price: Price, offer: Offer) -> PackPage {
        PackPage {
            layout: self.layout(&format!("/packs/{}", art.slug)),
            slug: art.slug.clone(),
            title: self.pick(&art.titles).unwrap(),
            description: self.pick(&art.descriptions),
            artist: ArtistLink { slug: "mochi-and-bean".to_owned(), name: "Mochi & Bean".to_owned() },
            cover: art.cover.clone(),
            colour: art.stickers[0].colour,
            copyright: "© 2026 Mochi & Bean".to_owned(),
            price,
            offer,
            missed: None,
            gift: None,
            couple_shared: false,
            stickers: art
                .stickers
                .iter()
                .map(|sticker| StickerTile {
                    id: sticker.id,
                    alt: self.pick(&sticker.alt),
                    poster: sticker.poster.clone(),
                    preview: sticker.preview.clone(),
                    colour: sticker.colour,
                })
                .collect(),
            more: vec![self.card(self.second, 1), self.card(self.first, 0)],
        }
    }

    fn order(&self, art: &Art, state: OrderState, minor: i64) -> OrderSummary {
        OrderSummary {
            id: ORDER.to_owned(),
            slug: art.slug.clone(),
            title: self.pick(&art.titles).unwrap(),
            artist: "Mochi & Bean".to_owned(),
            poster: art.stickers[0].poster.clone(),
            colour: art.stickers[0].colour,
            price: if minor == 0 {
                Price::Free
            } else {
                Price::Paid(Money { minor, currency: Currency::KRW })
            },
            day: Day::of_unix_ms(1_795_219_200_000),
            state,
            gift: None,
            shared: false,
            taken_down: false,
            sandbox: true,
        }
    }
}

const ORDER: &str = "7c2f1d6e-58a4-4b0e-9d6c-2f7f0a4f8f11";

fn event() -> Offer {
    Offer::Event { idempotency_key: "0b6f3c1e".to_owned(), until: Day::of_unix_ms(1_796_000_000_000) }
}

fn taken_down(page: OrderPage) -> OrderPage {
    OrderPage { order: OrderSummary { taken_down: true, ..page.order }, ..page }
}

fn sample<P: Page + Template>(name: &str, page: &P) -> Sample {
    Sample { name: name.to_owned(), html: page.render().unwrap() }
}
