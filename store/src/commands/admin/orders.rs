//! `sticker-store admin orders`

use sticker_protocol::token::UserId;
use sticker_store::app::App;
use sticker_store::config::Config;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::all_of;
use sticker_store::purchase::refund::refund;

use super::super::{Status, failed, say, told};
use super::{OPERATOR, open, time};
use crate::cli::{OrdersCommand, User};

pub(super) async fn run(config: Config, command: OrdersCommand) -> Status {
    let user = match &command {
        OrdersCommand::List { user } => match named(user) {
            Ok(user) => Some(user),
            Err(error) => {
                failed(
                    "invalid_user",
                    &error,
                    "give --user TEXT, or --user-hex with two digits for each byte",
                );
                return Status::Usage;
            }
        },
        OrdersCommand::Refund { .. } => None,
    };
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    match (command, user) {
        (OrdersCommand::List { .. }, Some(user)) => list(&app, &user).await,
        (OrdersCommand::Refund { order, reason }, _) => match refund(&app, OPERATOR, &order, &reason).await {
            Ok(order) => {
                say(line(&order));
                Status::Done
            }
            Err(error) => told(&error),
        },
        (OrdersCommand::List { .. }, None) => Status::Usage,
    }
}

fn named(user: &User) -> Result<UserId, sticker_protocol::token::UserIdError> {
    match (&user.user, &user.user_hex) {
        (Some(text), _) => UserId::from_text(text),
        (_, hex) => UserId::from_hex(hex.as_deref().unwrap_or_default()),
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

fn line(order: &order::Model) -> String {
    let order::Model { id, state, pack_id, provider, price_minor, currency, created_at, .. } = order;
    let made = time(*created_at);
    format!("{id}  {state:<7}  {made}  pack {pack_id}  {provider}  {price_minor} {currency} (minor units)")
}
