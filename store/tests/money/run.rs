//! Runs a schedule.

use std::collections::VecDeque;

use sea_orm::EntityTrait as _;
use sticker_protocol::token::{UserId, Version};
use sticker_store::app::App;
use sticker_store::audit::Actor;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::gift::giver::act;
use sticker_store::purchase::gift::{Progress, progress};
use sticker_store::purchase::redeem::redeem;
use sticker_store::purchase::refund::refund;
use sticker_store::purchase::settle::{self, Outcome, Submitter};
use sticker_store::purchase::word::{Event, Provider, Word};
use sticker_store::token::issue::{Wanted as Tokens, issue};
use sticker_store::web::error::Error;

use crate::chance::Chance;
use crate::fate::{Work, dies, together};
use crate::holds::{Memory, Rows, forgotten, quiet};
use crate::naive::{self, Flaw};
use crate::plan::{Happening, Plan, Shape, event};
use crate::town::{Town, Wanted};

/// Who hears what providers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    /// The store.
    Store,
    /// Somebody who did not think of everything.
    Naive(Flaw),
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) schedules: u64,
    pub(crate) deliveries: u64,
    pub(crate) crashes: u64,
    pub(crate) refused: u64,
}

impl Counts {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            schedules: self.schedules + other.schedules,
            deliveries: self.deliveries + other.deliveries,
            crashes: self.crashes + other.crashes,
            refused: self.refused + other.refused,
        }
    }
}

/// How a delivery ended.
#[derive(Debug)]
enum Came {
    /// It was answered; what followed, where a word was heard.
    Done(Option<Outcome>),
    /// Refused, for good.
    Refused(&'static str),
    /// The store says to come again.
    Busy,
    /// The process died; nobody was answered.
    Crashed,
    /// A fault.
    Fault(String),
}

/// Runs the schedule of a seed.
///
/// # Errors
/// What does not hold, and what led there.
pub(crate) async fn run(town: &Town, seed: u64, shape: Shape, handler: Handler) -> Result<Counts, String> {
    let mut chance = Chance::of(seed);
    let mut plan = Plan::of(seed, shape, &mut chance);
    let mut memory = Memory::default();
    let mut orders = Vec::new();
    for wanted in &plan.orders {
        let made = town
            .orders(Wanted {
                buyer: &plan.users[wanted.buyer],
                partner: &plan.users[wanted.partner],
                recipient: wanted.recipient,
                pack: town.packs[wanted.pack],
                provider: wanted.provider,
            })
            .await;
        memory.orders.push(made.id.clone());
        orders.push(made);
    }
    let mut counts = Counts { schedules: 1, ..Counts::default() };
    let mut waiting: VecDeque<(Happening, u32)> = plan.happenings.drain(..).map(|it| (it, 0)).collect();
    let mut told = Vec::new();
    while !waiting.is_empty() {
        let batch = 1 + chance.below(3);
        let batch: Vec<_> = (0..batch).filter_map(|_| waiting.pop_front()).collect();
        let mut work: Vec<Work<'_, Came>> = Vec::new();
        for (happening, attempts) in &batch {
            let dies_at = (*attempts < 4 && chance.hits(25)).then(|| chance.below(DIES_WITHIN));
            let store = &town.stores[chance.below(2)];
            let (plan, orders) = (&plan, &orders);
            work.push(Box::pin(async move {
                let delivered = deliver(town, store, plan, orders, happening, handler);
                dies(delivered, dies_at).await.unwrap_or(Came::Crashed)
            }));
        }
        let came = together(work).await;
        town.goes_on();
        let alone = batch.len() == 1;
        let mut broken = Vec::new();
        for ((happening, attempts), came) in batch.into_iter().zip(came) {
            counts.deliveries += 1;
            told.push(format!("{happening:?}: {came:?}"));
            match &came {
                Came::Crashed => counts.crashes += 1,
                Came::Refused(_) => counts.refused += 1,
                _ => {}
            }
            match came {
                // At least once: it comes again, later.
                Came::Crashed | Came::Busy if attempts < 50 => {
                    let at = chance.below(waiting.len() + 1);
                    waiting.insert(at, (happening, attempts + 1));
                }
                Came::Crashed | Came::Busy => broken.push(format!("{happening:?} finds no end")),
                came => broken.extend(noted(&plan, &orders, &mut memory, &happening, came)),
            }
        }
        quiet(town, &memory).await;
        let rows = Rows::read(town, &plan, &memory).await;
        broken.extend(rows.broken(&plan, &mut memory, alone));
        if waiting.is_empty() && broken.is_empty() {
            rows.check_feed(town, town.now(), &mut broken).await;
            broken.extend(rows.untrue(&plan, &memory));
            if handler == Handler::Store {
                broken.extend(forgotten(town, &memory).await);
            }
        }
        if !broken.is_empty() {
            return Err(format!(
                "seed {seed}:\n  {}\n\nwhat happened:\n  {}\n\n{plan:#?}\n{rows:#?}",
                broken.join("\n  "),
                told.join("\n  ")
            ));
        }
    }
    Ok(counts)
}

/// A purchase has about so many awaits.
const DIES_WITHIN: usize = 40;

async fn deliver(
    town: &Town,
    store: &App,
    plan: &Plan,
    orders: &[order::Model],
    happening: &Happening,
    handler: Handler,
) -> Came {
    let heard = match happening {
        Happening::Told { payment, at, event: id } => {
            let known = &plan.payments[*payment];
            let order = &orders[known.order];
            let (event, word) = (event(order.provider, id), known.word(*at, order));
            hear(store, &event, &word, None, handler).await
        }
        Happening::HandedIn { payment, at, user, order } => {
            let word = plan.payments[*payment].word(*at, &orders[plan.payments[*payment].order]);
            let submitter = Submitter { user: &plan.users[*user], order_id: &orders[*order].id };
            hear(store, &settle::submission(&word), &word, Some(submitter), handler).await
        }
        Happening::TakenBack { order } => {
            refund(store, Actor("operator"), &orders[*order].id, "asked for").await.map(|_| None)
        }
        Happening::Tokens { user, pack } => {
            let wanted = Tokens::Pack(town.packs[*pack]);
            issue(store, &plan.users[*user], &wanted, Version::V1).await.map(|_| None)
        }
        Happening::Redeemed { order, user } => {
            types_the_code(store, &orders[*order].id, &plan.users[*user]).await.map(|()| None)
        }
        Happening::Gift { order, action } => {
            act(store, &plan.users[plan.orders[*order].buyer], &orders[*order].id, *action)
                .await
                .map(|_| None)
        }
    };
    match heard {
        Ok(outcome) => Came::Done(outcome),
        Err(error) if error.code() == "busy" => Came::Busy,
        Err(error) if error.is_fault() => Came::Fault(error.to_string()),
        Err(error) => Came::Refused(error.code()),
    }
}

/// Redeems the gift's code as its giver sees it at this moment; there may be none.
async fn types_the_code(store: &App, order: &str, user: &UserId) -> Result<(), Error> {
    let found = order::Entity::find_by_id(order).one(&store.db).await?.unwrap();
    let shown = progress(store, &[found]).await?.remove(order);
    if let Some(Progress::Waiting { code, .. }) = shown {
        redeem(store, user, code.expose(), None).await?;
    }
    Ok(())
}

async fn hear(
    store: &App,
    event: &Event,
    word: &Word,
    submitter: Option<Submitter<'_>>,
    handler: Handler,
) -> Result<Option<Outcome>, Error> {
    match handler {
        Handler::Store => settle::hear(store, event, word, submitter).await.map(|heard| Some(heard.outcome)),
        Handler::Naive(flaw) => naive::hear(store, event, word, submitter, flaw).await.map(|()| None),
    }
}

/// Remembers what was answered; gives what should not have been.
fn noted(
    plan: &Plan,
    orders: &[order::Model],
    memory: &mut Memory,
    happening: &Happening,
    came: Came,
) -> Option<String> {
    let wrong = |came: &Came| Some(format!("{happening:?} was answered with {came:?}"));
    let among = |came: &Came, refusals: &[&str]| match came {
        Came::Done(_) => None,
        Came::Refused(code) if refusals.contains(code) => None,
        came => wrong(came),
    };
    if let Came::Fault(cause) = &came {
        return Some(format!("{happening:?} failed: {cause}"));
    }
    let (payment, at, event) = match happening {
        Happening::Told { payment, at, event: id } => {
            if !matches!(came, Came::Done(_)) {
                return wrong(&came);
            }
            let provider = orders[plan.payments[*payment].order].provider;
            (*payment, *at, event(provider, id))
        }
        Happening::HandedIn { payment, at, user, order } => {
            let known = &plan.payments[*payment];
            let right = known.fits() && known.order == *order && plan.orders[*order].buyer == *user;
            match (right, &came) {
                (true, Came::Done(_)) => {}
                (false, Came::Refused(_)) => return None,
                _ => return wrong(&came),
            }
            (*payment, *at, settle::submission(&known.word(*at, &orders[known.order])))
        }
        Happening::TakenBack { order } => {
            match came {
                Came::Done(_) => drop(memory.withheld.insert(*order)),
                Came::Refused("not_granted") => {}
                came => return wrong(&came),
            }
            return None;
        }
        Happening::Redeemed { .. } => return among(&came, &["code_invalid", "code_used", "already_owned"]),
        Happening::Gift { .. } => {
            return among(&came, &["not_paid", "revoked", "gift_taken", "already_owned", "not_a_gift"]);
        }
        Happening::Tokens { .. } => return among(&came, &["not_owned"]),
    };
    let known = &plan.payments[payment];
    memory.events.insert((event.source.to_owned(), event.id));
    let heard = memory.heard.entry(payment).or_insert(known.way[at]);
    *heard = known.way[at].max(*heard);
    if let (Came::Done(Some(Outcome::Settled)), Provider::Google) = (&came, orders[known.order].provider)
        && known.word(at, &orders[known.order]).then.is_some()
    {
        memory.jobs.insert(known.transaction.clone());
    }
    None
}
