//! What happens in a schedule: orders, what providers know of their payments, and everything that reaches the store about them.

use serde_json::json;
use sticker_protocol::token::UserId;
use sticker_store::outbox::{Job, Kind};
use sticker_store::purchase::entity::order;
use sticker_store::purchase::gift::giver::Action;
use sticker_store::purchase::order::Recipient;
use sticker_store::purchase::settle;
use sticker_store::purchase::word::{Event, Provider, Standing, Word, World};

use crate::chance::Chance;
use crate::town::PRODUCT;

/// How much may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Everything.
    Whole,
    /// Each user buys at most one pack, and each order is paid once at most.
    Plain,
}

/// A schedule, the same for the same seed and chance.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) users: Vec<UserId>,
    pub(crate) orders: Vec<OrderPlan>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) happenings: Vec<Happening>,
}

/// An order that is made before the rest.
#[derive(Debug)]
pub(crate) struct OrderPlan {
    pub(crate) buyer: usize,
    pub(crate) partner: usize,
    pub(crate) recipient: Recipient,
    pub(crate) pack: usize,
    pub(crate) provider: Provider,
}

/// A payment as its provider knows it.
#[derive(Debug)]
pub(crate) struct Payment {
    /// The order that it was made for.
    pub(crate) order: usize,
    pub(crate) transaction: String,
    pub(crate) lie: Option<Lie>,
    /// How it stood, one after the other, each with its version: the last is the truth.
    pub(crate) way: Vec<(i64, Standing)>,
}

/// Why a payment fits no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    Product,
    Quantity,
    NoAccount,
}

/// Something that reaches the store.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The provider tells how a payment stood at one point of its way.
    Told { payment: usize, at: usize, event: String },
    /// An app hands in a payment as it stood at one point of its way, for an order.
    HandedIn { payment: usize, at: usize, user: usize, order: usize },
    /// An operator takes an order back.
    TakenBack { order: usize },
    /// A user's app asks for tokens.
    Tokens { user: usize, pack: usize },
    /// A user types the code of a gift, if it has one now.
    Redeemed { order: usize, user: usize },
    /// Who bought a gift changes their mind.
    Gift { order: usize, action: Action },
}

impl Payment {
    /// Whether it pays for its order.
    pub(crate) fn fits(&self) -> bool {
        self.lie.is_none()
    }

    /// How it stands in the end.
    pub(crate) fn truth(&self) -> (i64, Standing) {
        *self.way.last().unwrap()
    }

    /// What the provider vouches for at one point of the way; `order` is the one that the payment was made for.
    pub(crate) fn word(&self, at: usize, order: &order::Model) -> Word {
        let (version, standing) = self.way[at];
        if order.provider == Provider::Sandbox {
            return settle::own_word(order, World::Sandbox, &self.transaction);
        }
        let acknowledge = Job {
            kind: Kind::GoogleAcknowledge,
            key: self.transaction.clone(),
            payload: json!({ "token": self.transaction }),
        };
        Word {
            provider: order.provider,
            world: World::Production,
            transaction: self.transaction.clone(),
            order: order.id.parse().ok().filter(|_| self.lie != Some(Lie::NoAccount)),
            product: Some(if self.lie == Some(Lie::Product) { "pack.other" } else { PRODUCT }.to_owned()),
            quantity: if self.lie == Some(Lie::Quantity) { 2 } else { 1 },
            paid: None,
            standing,
            version,
            snapshot: json!({ "at": at }),
            then: (order.provider == Provider::Google && version == GOOGLE_PAID).then_some(acknowledge),
        }
    }
}

/// How a provider's notification comes.
pub(crate) fn event(provider: Provider, id: &str) -> Event {
    Event { source: provider.name(), id: id.to_owned(), kind: "TOLD".to_owned() }
}

impl Plan {
    pub(crate) fn of(seed: u64, shape: Shape, chance: &mut Chance) -> Self {
        let users = ["alice", "bob", "carol"];
        let users = users.map(|name| UserId::from_text(&format!("{seed}-{name}")).unwrap()).to_vec();
        let count = if shape == Shape::Plain { users.len() } else { 1 + chance.below(4) };
        let orders: Vec<_> = (0..count).map(|at| order(chance, users.len(), at, shape)).collect();
        let mut payments = Vec::new();
        for (at, order) in orders.iter().enumerate() {
            let count = match (shape, order.provider) {
                (Shape::Plain, _) | (_, Provider::Sandbox) => 1,
                _ => [1, 1, 1, 1, 2, 0][chance.below(6)],
            };
            for one in 0..count {
                payments.push(payment(chance, (seed, at, one), order));
            }
        }
        let mut plan = Self { users, orders, payments, happenings: Vec::new() };
        plan.happenings = plan.happens(shape, chance);
        plan
    }

    fn happens(&self, shape: Shape, chance: &mut Chance) -> Vec<Happening> {
        let mut all: Vec<(usize, Happening)> = Vec::new();
        for (payment, known) in self.payments.iter().enumerate() {
            let order = &self.orders[known.order];
            for at in 0..known.way.len() {
                let handed_in = |user, order| Happening::HandedIn { payment, at, user, order };
                // Test money is handed in by its buyer alone, and has to be.
                let (told, repeats) = (order.provider != Provider::Sandbox, [1, 1, 1, 2, 3][chance.below(5)]);
                if told {
                    let event = format!("{}-{at}", known.transaction);
                    // A notification in between may be lost; the last is repeated until it is taken.
                    let times = if at + 1 < known.way.len() && chance.hits(20) { 0 } else { repeats };
                    for _ in 0..times {
                        all.push((at, Happening::Told { payment, at, event: event.clone() }));
                    }
                    if chance.hits(10) {
                        // A sweep finds the same under another name.
                        all.push((at, Happening::Told { payment, at, event: format!("{event}-swept") }));
                    }
                }
                let times = if told { chance.below(3) } else { repeats };
                for _ in 0..times {
                    all.push((at, handed_in(order.buyer, known.order)));
                }
                if chance.hits(15) {
                    all.push((at, handed_in((order.buyer + 1) % self.users.len(), known.order)));
                }
                if chance.hits(15) && told {
                    let other = chance.below(self.orders.len());
                    all.push((at, handed_in(self.orders[other].buyer, other)));
                }
            }
        }
        if shape == Shape::Whole {
            for order in 0..self.orders.len() {
                if chance.hits(15) {
                    all.push((chance.below(3), Happening::TakenBack { order }));
                }
            }
            let gifts =
                self.orders.iter().enumerate().filter(|(_, order)| order.recipient != Recipient::Buyer);
            for (order, _) in gifts {
                let actions = [Action::TakeBack, Action::NewCode, Action::NewCode, Action::Keep];
                for _ in 0..chance.below(3) {
                    all.push((chance.below(5), Happening::Gift { order, action: actions[chance.below(4)] }));
                }
                for _ in 0..chance.below(4) {
                    all.push((
                        chance.below(5),
                        Happening::Redeemed { order, user: chance.below(self.users.len()) },
                    ));
                }
            }
            for _ in 0..chance.below(4) {
                let (user, pack) = (chance.below(self.users.len()), chance.below(2));
                all.push((chance.below(5), Happening::Tokens { user, pack }));
            }
        }
        chance.shuffle(&mut all);
        // Half of all schedules are out of order altogether, in the others things come late now and then.
        if chance.hits(50) {
            all.sort_by_cached_key(|(at, _)| at + if chance.hits(15) { chance.below(4) } else { 0 });
        }
        all.into_iter().map(|(_, happening)| happening).collect()
    }
}

fn order(chance: &mut Chance, users: usize, at: usize, shape: Shape) -> OrderPlan {
    let plain = shape == Shape::Plain;
    let buyer = if plain { at } else { chance.below(users) };
    let providers = [Provider::Apple, Provider::Apple, Provider::Google, Provider::Google, Provider::Sandbox];
    let recipients =
        [Recipient::Buyer, Recipient::Buyer, Recipient::Buyer, Recipient::Partner, Recipient::WhoHasTheCode];
    OrderPlan {
        buyer,
        partner: (buyer + 1 + chance.below(users - 1)) % users,
        recipient: recipients[if plain { 0 } else { chance.below(recipients.len()) }],
        pack: if plain { 0 } else { chance.below(2) },
        provider: providers[chance.below(providers.len())],
    }
}

fn payment(chance: &mut Chance, name: (u64, usize, usize), order: &OrderPlan) -> Payment {
    let (seed, at, one) = name;
    let lies = [Lie::Product, Lie::Quantity, Lie::NoAccount];
    let lie = (order.provider.is_app_store() && chance.hits(10)).then(|| lies[chance.below(3)]);
    Payment { order: at, transaction: format!("t-{seed}-{at}-{one}"), lie, way: way(chance, order.provider) }
}

/// Google's stages, each with its number, of which the last is final.
const GOOGLE_PENDING: i64 = 1;
const GOOGLE_PAID: i64 = 2;
const GOOGLE_FINISHED: i64 = 3;
const GOOGLE_REVOKED: i64 = 4;

fn way(chance: &mut Chance, provider: Provider) -> Vec<(i64, Standing)> {
    let mut way = Vec::new();
    match provider {
        Provider::Apple => {
            // By the time at which Apple signed it; the same is signed again now and then, and a refund can be reversed.
            let mut signed = 1_700_000_000_000 + i64::try_from(chance.below(1_000)).unwrap();
            let mut standing = Standing::Paid;
            for _ in 0..[1, 1, 2, 2, 3, 4][chance.below(6)] {
                way.push((signed, standing));
                signed += 1 + i64::try_from(chance.below(3)).unwrap();
                standing = match standing {
                    _ if chance.hits(20) => standing,
                    Standing::Paid => Standing::Revoked,
                    _ => Standing::Paid,
                };
            }
        }
        Provider::Google => {
            if chance.hits(30) {
                way.push((GOOGLE_PENDING, Standing::Pending));
            }
            if way.is_empty() || chance.hits(70) {
                way.push((GOOGLE_PAID, Standing::Paid));
                if chance.hits(50) {
                    way.push((GOOGLE_FINISHED, Standing::Paid));
                }
            }
            if chance.hits(40) {
                way.push((GOOGLE_REVOKED, Standing::Revoked));
            }
        }
        _ => way.push((1, Standing::Paid)),
    }
    way
}
