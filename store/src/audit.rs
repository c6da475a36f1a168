//! The trace: a row in the same transaction as each change of money, ownership or catalogue.

use sea_orm::{ActiveModelTrait as _, ConnectionTrait, Set};
use serde_json::Value;

use crate::app::App;
use crate::web::error::Error;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) at: i64,
        pub(super) actor: String,
        pub(super) action: String,
        pub(super) subject: String,
        #[sea_orm(column_type = "Text")]
        pub(super) detail: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who did it, such as `operator:command line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor<'a>(pub &'a str);

/// A reason that says something, and fits.
///
/// # Errors
/// `invalid_reason`.
pub fn checked_reason(reason: &str) -> Result<&str, Error> {
    let reason = reason.trim();
    if (1..=MAX_REASON).contains(&reason.chars().count()) {
        return Ok(reason);
    }
    let message = format!("a reason has 1 to {MAX_REASON} characters");
    Err(Error::refused("invalid_reason", message).hint("say why, for who reads the trace later"))
}

const MAX_REASON: usize = 1_000;

/// Notes who did what to what.
///
/// # Errors
/// As the database says.
pub async fn note(
    app: &App,
    transaction: &impl ConnectionTrait,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), Error> {
    let row = entity::ActiveModel {
        id: Set(app.random.uuid()?.to_string()),
        at: Set(app.clock.now_ms()),
        actor: Set(actor.to_owned()),
        action: Set(action.to_owned()),
        subject: Set(subject.to_owned()),
        detail: Set(detail.to_string()),
    };
    row.insert(transaction).await?;
    Ok(())
}
