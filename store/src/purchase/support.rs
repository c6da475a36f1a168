//! Everything that the store knows about an order, and the orders that somebody should look at.

use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::{gift, inbox, order, purchased, snapshot};
use super::settle::OTHER_PRODUCT;
use super::state::{GiftKind, State};
use super::word::Provider;
use crate::app::App;
use crate::audit::list::{Row, Wanted, list};
use crate::library;
use crate::library::entity as grant;
use crate::web::error::Error;

/// Everything about an order.
#[derive(Clone, Debug)]
pub struct Case {
    /// The order.
    pub order: order::Model,
    /// The gift with a code.
    pub gift: Option<gift::Model>,
    /// The payments that gave something.
    pub purchases: Vec<purchased::Model>,
    /// The latest word about each payment.
    pub snapshots: Vec<snapshot::Model>,
    /// The events, in the order in which they came.
    pub events: Vec<inbox::Model>,
    /// The rights that the order holds or held.
    pub grants: Vec<grant::Model>,
    /// The trace, oldest first.
    pub trace: Vec<Row>,
}

/// Everything about this order.
///
/// # Errors
/// [`Error`], not found for an order that is not there.
pub async fn case(app: &App, order_id: &str) -> Result<Case, Error> {
    let db = &app.db;
    let order = order::Entity::find_by_id(order_id).one(db).await?;
    let order = order.ok_or_else(|| {
        Error::not_found("there is no such order").hint("`admin orders list` shows the orders of a user")
    })?;
    let events = inbox::Entity::find()
        .filter(inbox::Column::OrderId.eq(order_id))
        .order_by_asc(inbox::Column::ReceivedAt)
        .order_by_asc(inbox::Column::Id);
    let wanted = Wanted { subject: Some(order_id.to_owned()), limit: MOST, ..Wanted::default() };
    let mut trace = list(db, &wanted).await?;
    trace.reverse();
    Ok(Case {
        gift: gift::Entity::find_by_id(order_id).one(db).await?,
        purchases: purchased::Entity::find().filter(purchased::Column::OrderId.eq(order_id)).all(db).await?,
        snapshots: snapshot::Entity::find().filter(snapshot::Column::OrderId.eq(order_id)).all(db).await?,
        events: events.all(db).await?,
        grants: library::query::given_by(db, order_id).await?,
        order,
        trace,
    })
}

/// What somebody should look at; of each at most a thousand, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Stuck {
    /// Paid, and not granted; without gifts that wait for whoever has the code.
    pub paid: Vec<order::Model>,
    /// With a problem, whatever their state.
    pub problems: Vec<order::Model>,
    /// Promised for more than a day.
    pub pending: Vec<order::Model>,
    /// Orders that cost nothing, and that a crash left ungranted.
    pub unfinished: Vec<order::Model>,
    /// Events that were for no order, or did not fit theirs; the latest first.
    pub events: Vec<inbox::Model>,
}

/// What somebody should look at.
///
/// # Errors
/// As the database says.
pub async fn stuck(app: &App) -> Result<Stuck, DbErr> {
    let (db, now) = (&app.db, app.clock.now_ms());
    let oldest = || order::Entity::find().order_by_asc(order::Column::UpdatedAt).limit(MOST);
    let waits_for_nobody =
        Condition::any().add(order::Column::Gift.is_null()).add(order::Column::Gift.eq(GiftKind::Partner));
    let paid = oldest().filter(order::Column::State.eq(State::Paid)).filter(waits_for_nobody);
    let problems = oldest().filter(order::Column::Problem.is_not_null());
    let pending = oldest()
        .filter(order::Column::State.eq(State::Pending))
        .filter(order::Column::UpdatedAt.lte(now - A_DAY_MS));
    let unfinished = oldest()
        .filter(order::Column::State.eq(State::Created))
        .filter(order::Column::Provider.is_in([Provider::Free, Provider::Promotion, Provider::Manual]))
        .filter(order::Column::UpdatedAt.lte(now - A_MINUTE_MS));
    let events = inbox::Entity::find()
        .filter(inbox::Column::Outcome.is_not_null())
        .filter(inbox::Column::Outcome.is_not_in(WELL))
        .order_by_desc(inbox::Column::ReceivedAt)
        .limit(MOST);
    Ok(Stuck {
        paid: paid.all(db).await?,
        problems: problems.all(db).await?,
        pending: pending.all(db).await?,
        unfinished: unfinished.all(db).await?,
        events: events.all(db).await?,
    })
}

const MOST: u64 = 1_000;
const A_MINUTE_MS: i64 = 60_000;
const A_DAY_MS: i64 = 86_400_000;

/// Outcomes of events that had the effect that they should, or that are to have none.
const WELL: [&str; 8] =
    ["settled", "pending", "revoked", "repeated", "stale", OTHER_PRODUCT, "test", "unknown_type"];
