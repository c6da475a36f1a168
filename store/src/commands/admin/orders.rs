//! `sticker-store admin orders`

use serde_json::Value;
use sticker_protocol::token::UserId;
use sticker_store::app::App;
use sticker_store::config::Config;
use sticker_store::purchase::entity::{inbox, order};
use sticker_store::purchase::order::all_of;
use sticker_store::purchase::refund::refund;
use sticker_store::purchase::support::{self, Case, Stuck};

use super::super::{AWAY, Status, failed, say, told};
use super::{OPERATOR, named, open, shown_user, time};
use crate::cli::OrdersCommand;

pub(super) async fn run(config: Config, command: OrdersCommand) -> Status {
    match ran(config, command).await {
        Ok(status) | Err(status) => status,
    }
}

async fn ran(config: Config, command: OrdersCommand) -> Result<Status, Status> {
    match command {
        OrdersCommand::List { user } => {
            let user = named(&user)?;
            Ok(list(&open(config).await?, &user).await)
        }
        OrdersCommand::Show { order } => match support::case(&open(config).await?, &order).await {
            Ok(case) => {
                show(&case);
                Ok(Status::Done)
            }
            Err(error) => Err(told(&error)),
        },
        OrdersCommand::Stuck => match support::stuck(&open(config).await?).await {
            Ok(stuck) => {
                show_stuck(&stuck);
                Ok(Status::Done)
            }
            Err(error) => Err(failed("database", &error, AWAY)),
        },
        OrdersCommand::Refund { order, reason } => {
            match refund(&open(config).await?, OPERATOR, &order, &reason).await {
                Ok(order) => {
                    say(line(&order));
                    Ok(Status::Done)
                }
                Err(error) => Err(told(&error)),
            }
        }
    }
}

async fn list(app: &App, user: &UserId) -> Status {
    match all_of(app, user).await {
        Ok(orders) => {
            orders.iter().map(line).for_each(say);
            Status::Done
        }
        Err(error) => told(&error),
    }
}

pub(super) fn line(order: &order::Model) -> String {
    let order::Model { id, state, pack_id, provider, price_minor, currency, created_at, .. } = order;
    let (made, state, provider) = (time(*created_at), state.name(), provider.name());
    let problem = order.problem.map(|problem| format!("  {}", problem.name())).unwrap_or_default();
    format!(
        "{id}  {state:<7}  {made}  pack {pack_id}  {provider}  {price_minor} {currency} (minor units){problem}"
    )
}

/// Everything, each fact with its name at the beginning of the line.
fn show(case: &Case) {
    let order = &case.order;
    say(line(order));
    say(format_args!("user       {}", shown_user(&order.user_id)));
    let optional: [(&str, Option<String>); 8] = [
        ("gift", order.gift.map(|kind| kind.name().to_owned())),
        ("recipient", order.recipient_id.as_deref().map(shown_user)),
        ("shared", order.shared_with.as_deref().map(shown_user)),
        ("platform", order.platform.clone()),
        ("product", order.product_id.clone()),
        ("promotion", order.promotion_id.clone()),
        ("changed", Some(time(order.updated_at))),
        ("withheld", order.withheld_at.map(time)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            say(format_args!("{name:<9}  {value}"));
        }
    }
    if let Some(gift) = &case.gift {
        let (state, until) = (gift.state.name(), time(gift.expires_at));
        let by = gift.redeemed_by.as_deref().map(|user| format!("  by {}", shown_user(user)));
        let by = by.unwrap_or_default();
        say(format_args!("code       {state}  number {}  until {until}{by}", gift.round));
    }
    for paid in &case.purchases {
        let (at, world) = (time(paid.created_at), paid.environment.name());
        let (minor, currency) = (paid.price_minor, &paid.currency);
        say(format_args!(
            "payment    {at}  {world}  {}  {minor} {currency} (minor units)",
            paid.transaction_id
        ));
    }
    for word in &case.snapshots {
        let (at, standing) = (time(word.updated_at), word.standing.name());
        let (name, version, payload) = (&word.transaction_id, word.version, shown_payload(&word.payload));
        say(format_args!("standing   {at}  {standing}  {name}  version {version}  {payload}"));
    }
    case.events.iter().for_each(show_event);
    for grant in &case.grants {
        let (user, since) = (shown_user(&grant.user_id), time(grant.granted_at));
        let ended = grant.revoked_at.map(|at| format!("  until {}", time(at))).unwrap_or_default();
        say(format_args!("right      {user}  since {since}{ended}"));
    }
    for row in &case.trace {
        say(format_args!("trace      {}  {}  {}  {}", time(row.at), row.actor, row.action, row.detail));
    }
}

/// What is kept of a word, without what names the purchase to Google: terminals and tickets keep what they are shown.
fn shown_payload(payload: &str) -> String {
    match serde_json::from_str(payload) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("purchase_token");
            Value::Object(fields).to_string()
        }
        _ => "(damaged)".to_owned(),
    }
}

fn show_event(event: &inbox::Model) {
    let (at, source, id) = (time(event.received_at), &event.source, &event.event_id);
    let kind = event.kind.as_deref().unwrap_or("-");
    let outcome = event.outcome.as_deref().unwrap_or("-");
    say(format_args!("event      {at}  {source}  {kind}  {outcome}  {id}"));
}

/// Nothing at all where all is well.
fn show_stuck(stuck: &Stuck) {
    let orders = [
        ("paid and not granted", &stuck.paid),
        ("with a problem", &stuck.problems),
        ("promised for more than a day", &stuck.pending),
        ("free, and not granted", &stuck.unfinished),
    ];
    for (what, orders) in orders {
        if !orders.is_empty() {
            say(format_args!("{what}:"));
            orders.iter().map(line).for_each(say);
        }
    }
    if !stuck.events.is_empty() {
        say("events for no order, or that did not fit theirs:");
        stuck.events.iter().for_each(show_event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_shown_without_the_token_of_its_purchase() {
        let kept = r#"{"product":"sticker_tier1","purchase_token":"of-minsu","quantity":1}"#;
        assert_eq!(shown_payload(kept), r#"{"product":"sticker_tier1","quantity":1}"#);
        for damaged in ["", r#""of-minsu""#, r#"{"purchase_token":"of-minsu""#] {
            assert_eq!(shown_payload(damaged), "(damaged)");
        }
    }
}
