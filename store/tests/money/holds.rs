//! What has to hold after whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use sticker_protocol::token::UserId;
use sticker_store::db;
use sticker_store::library::entity as grant;
use sticker_store::purchase::entity::{inbox, order, purchased, snapshot};
use sticker_store::purchase::state::{GiftKind, State};
use sticker_store::purchase::word::{Provider, Standing};
use sticker_store::token::revocation::entity as revocation;

use crate::plan::{Payment, Plan};
use crate::town::Town;

/// What a schedule has brought about so far.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The orders of the plan, by their place.
    pub(crate) orders: Vec<String>,
    states: BTreeMap<String, State>,
    /// The newest version of each payment, by its place, that was answered.
    pub(crate) heard: BTreeMap<usize, (i64, Standing)>,
    /// Events that were answered.
    pub(crate) events: BTreeSet<(String, String)>,
    /// Orders that an operator was told are taken back.
    pub(crate) withheld: BTreeSet<usize>,
    /// What a provider has to hear.
    pub(crate) jobs: BTreeSet<String>,
}

/// The rows of a schedule.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) orders: BTreeMap<String, order::Model>,
    pub(crate) grants: Vec<grant::Model>,
    snapshots: BTreeMap<String, snapshot::Model>,
    purchases: Vec<purchased::Model>,
}

/// Waits for what a crash left under way: whoever holds an order has ended once we could hold it. SQLite has one writer at a time.
pub(crate) async fn quiet(town: &Town, memory: &Memory) {
    let transaction = db::begin(&town.stores[0].db).await.unwrap();
    let mut ids = memory.orders.clone();
    if transaction.get_database_backend() == DbBackend::Sqlite {
        ids.clear();
    }
    ids.sort_unstable();
    for id in ids {
        order::Entity::find_by_id(id).lock_exclusive().one(&transaction).await.unwrap();
    }
    transaction.rollback().await.unwrap();
}

impl Rows {
    pub(crate) async fn read(town: &Town, plan: &Plan, memory: &Memory) -> Self {
        let db = &town.stores[0].db;
        let users: Vec<&[u8]> = plan.users.iter().map(UserId::as_bytes).collect();
        let transactions: Vec<&str> = plan.payments.iter().map(|known| known.transaction.as_str()).collect();
        let orders = order::Entity::find().filter(order::Column::Id.is_in(memory.orders.iter().cloned()));
        let grants = grant::Entity::find().filter(grant::Column::UserId.is_in(users));
        let snapshots = snapshot::Entity::find()
            .filter(snapshot::Column::TransactionId.is_in(transactions.iter().copied()));
        let purchases =
            purchased::Entity::find().filter(purchased::Column::OrderId.is_in(memory.orders.iter().cloned()));
        let (orders, snapshots) = (orders.all(db).await.unwrap(), snapshots.all(db).await.unwrap());
        Self {
            orders: orders.into_iter().map(|row| (row.id.clone(), row)).collect(),
            grants: grants.all(db).await.unwrap(),
            snapshots: snapshots.into_iter().map(|row| (row.transaction_id.clone(), row)).collect(),
            purchases: purchases.all(db).await.unwrap(),
        }
    }

    /// What does not hold, after each step. `alone`: a single thing happened since the last look.
    pub(crate) fn broken(&self, plan: &Plan, memory: &mut Memory, alone: bool) -> Vec<String> {
        let mut broken = Vec::new();
        for order in self.orders.values() {
            self.check_order(order, &mut broken);
            let before = memory.states.insert(order.id.clone(), order.state).unwrap_or(State::Created);
            if !may_become(before, order.state, alone) {
                broken.push(format!("{} went from {before:?} to {:?}", order.id, order.state));
            }
        }
        self.check_owners(plan, &mut broken);
        for (at, known) in plan.payments.iter().enumerate() {
            self.check_payment(known, memory.heard.get(&at).copied(), &mut broken);
        }
        broken
    }

    fn check_order(&self, order: &order::Model, broken: &mut Vec<String>) {
        let of_order: Vec<Standing> = self
            .snapshots
            .values()
            .filter(|known| known.order_id.as_ref() == Some(&order.id))
            .map(|known| known.standing)
            .collect();
        let paid = of_order.contains(&Standing::Paid);
        let right = match order.state {
            State::Created => of_order.is_empty(),
            State::Pending => !paid && of_order.contains(&Standing::Pending),
            State::Paid | State::Granted | State::Acknowledged => paid && order.withheld_at.is_none(),
            State::Revoked => !of_order.is_empty() && (!paid || order.withheld_at.is_some()),
        };
        if !right {
            broken.push(format!("{} is {:?} with payments {of_order:?}", order.id, order.state));
        }
    }

    /// Who owns a pack has it of an order that gives it, and who is given one owns it, once.
    fn check_owners(&self, plan: &Plan, broken: &mut Vec<String>) {
        let active: Vec<&grant::Model> = self.grants.iter().filter(|grant| grant.active == Some(1)).collect();
        for grant in &active {
            let giver = self.orders.get(&grant.order_id);
            if !giver.is_some_and(|order| gives(order, &grant.user_id, grant.pack_id)) {
                broken.push(format!("{grant:?} is held by {giver:?}"));
            }
        }
        for user in &plan.users {
            let packs: BTreeSet<i64> = self.orders.values().map(|order| order.pack_id).collect();
            for pack in packs {
                let given = self.orders.values().any(|order| gives(order, user.as_bytes(), pack));
                let of_user =
                    |grant: &&&grant::Model| grant.user_id == user.as_bytes() && grant.pack_id == pack;
                let owned = active.iter().filter(of_user).count();
                if owned != usize::from(given) {
                    broken.push(format!("{} owns {pack} {owned} times, given: {given}", user.to_hex()));
                }
            }
        }
        for order in self.orders.values() {
            let holds = |grant: &&grant::Model| {
                grant.order_id == order.id && recipient(order) == Some(grant.user_id.as_slice())
            };
            let granted = matches!(order.state, State::Granted | State::Acknowledged);
            if granted != active.iter().any(holds) {
                broken.push(format!(
                    "{} is {:?}, and its recipient's grant says otherwise",
                    order.id, order.state
                ));
            }
        }
    }

    fn check_payment(&self, known: &Payment, heard: Option<(i64, Standing)>, broken: &mut Vec<String>) {
        let snapshot = self.snapshots.get(&known.transaction);
        let stands = snapshot.map(|row| (row.version, row.standing));
        if stands < heard {
            broken.push(format!("{} stands at {stands:?} after {heard:?} was heard", known.transaction));
        }
        if stands.is_some_and(|stands| !known.way.contains(&stands)) {
            broken.push(format!("{} stands at {stands:?}, where it never was", known.transaction));
        }
        let purchases: Vec<_> =
            self.purchases.iter().filter(|row| row.transaction_id == known.transaction).collect();
        let bound = snapshot.and_then(|row| row.order_id.as_deref());
        let buyer = bound.and_then(|id| self.orders.get(id)).map(|order| &order.user_id);
        if purchases.len() > 1 || purchases.iter().any(|row| Some(row.order_id.as_str()) != bound) {
            broken.push(format!("{} is bound to {bound:?} and bought {purchases:?}", known.transaction));
        }
        let missing = purchases.is_empty() && stands.is_some_and(|(_, standing)| standing == Standing::Paid);
        if bound.is_some() && (missing || purchases.iter().any(|row| Some(&row.user_id) != buyer)) {
            broken.push(format!("{} has the purchases {purchases:?}", known.transaction));
        }
    }

    /// What is not as the providers have it, once everything has reached the store.
    pub(crate) fn untrue(&self, plan: &Plan, memory: &Memory) -> Vec<String> {
        let mut untrue = Vec::new();
        for (at, id) in memory.orders.iter().enumerate() {
            let order = &self.orders[id];
            let truths: Vec<Standing> = plan
                .payments
                .iter()
                .filter(|known| known.order == at && known.fits())
                .map(|known| known.truth().1)
                .collect();
            let paid = truths.contains(&Standing::Paid);
            let giving = matches!(order.state, State::Paid | State::Granted | State::Acknowledged);
            let right = if order.withheld_at.is_some() {
                order.state == State::Revoked
            } else if paid {
                giving
            } else if truths.is_empty() {
                order.state == State::Created
            } else if truths.contains(&Standing::Pending) {
                matches!(order.state, State::Pending | State::Revoked)
            } else {
                order.state == State::Revoked
            };
            if !right {
                untrue.push(format!("{id} is {:?} where the truth is {truths:?}: {order:?}", order.state));
            }
            if memory.withheld.contains(&at) && order.withheld_at.is_none() {
                untrue.push(format!("{id} was taken back by an operator, and nothing says so"));
            }
        }
        for known in
            plan.payments.iter().filter(|known| plan.orders[known.order].provider != Provider::Sandbox)
        {
            let stands = self.snapshots.get(&known.transaction).map(|row| (row.version, row.standing));
            if stands != Some(known.truth()) {
                untrue.push(format!("{} stands at {stands:?} for {:?}", known.transaction, known.truth()));
            }
        }
        untrue
    }

    /// Tokens of grants that ended and may live are refused; in seconds.
    pub(crate) async fn check_feed(&self, town: &Town, now: i64, broken: &mut Vec<String>) {
        let ended: Vec<_> =
            self.grants.iter().filter(|grant| grant.active.is_none() && grant.last_expiry > now).collect();
        if ended.is_empty() {
            return;
        }
        let users: BTreeSet<&[u8]> = ended.iter().map(|grant| grant.user_id.as_slice()).collect();
        let entries = revocation::Entity::find().filter(revocation::Column::UserId.is_in(users));
        let entries = entries.all(&town.stores[0].db).await.unwrap();
        for grant in ended {
            let covers = |entry: &&revocation::Model| {
                entry.user_id.as_ref() == Some(&grant.user_id)
                    && entry.pack_id == grant.pack_id
                    && entry.refuse_until >= grant.last_expiry
            };
            if !entries.iter().any(|entry| covers(&entry)) {
                broken.push(format!("nothing in the feed refuses the tokens of {grant:?}"));
            }
        }
    }
}

/// Events that were answered and are not in the inbox.
pub(crate) async fn forgotten(town: &Town, memory: &Memory) -> Vec<String> {
    let ids: Vec<&str> = memory.events.iter().map(|(_, id)| id.as_str()).collect();
    let rows = inbox::Entity::find().filter(inbox::Column::EventId.is_in(ids));
    let rows = rows.all(&town.stores[0].db).await.unwrap();
    let kept: BTreeSet<_> = rows.into_iter().map(|row| (row.source, row.event_id)).collect();
    memory.events.difference(&kept).map(|event| format!("{event:?} was answered and is forgotten")).collect()
}

/// Whether an order gives this user this pack as it is now.
fn gives(order: &order::Model, user: &[u8], pack: i64) -> bool {
    matches!(order.state, State::Paid | State::Granted | State::Acknowledged)
        && order.pack_id == pack
        && (recipient(order) == Some(user) || order.shared_with.as_deref() == Some(user))
}

fn recipient(order: &order::Model) -> Option<&[u8]> {
    match (&order.recipient_id, order.gift) {
        (Some(recipient), _) => Some(recipient),
        (None, None) => Some(&order.user_id),
        (None, Some(GiftKind::Code | GiftKind::Partner)) => None,
    }
}

/// Section 9 of the design. Where several things happened since the last look, an order may have gone on from there.
fn may_become(before: State, after: State, alone: bool) -> bool {
    use State::{Acknowledged, Created, Granted, Paid, Pending, Revoked};
    let at_once = before == after
        || match (before, after) {
            (_, Created) => false,
            (Created, _)
            | (_, Revoked)
            | (Pending | Revoked, Paid | Granted)
            | (Paid, Granted)
            | (Granted, Acknowledged) => true,
            _ => false,
        };
    let through_revoked = matches!((before, after), (Granted | Acknowledged, Paid | Granted));
    at_once || (!alone && through_revoked)
}
