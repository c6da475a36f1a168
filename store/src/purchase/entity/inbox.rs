//! Rows of `inbox`.

use sea_orm::entity::prelude::*;

/// An event that was heard; `order_id` is empty where it is about none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub source: String,
    pub event_id: String,
    pub order_id: String,
    pub received_at: i64,
    pub kind: Option<String>,
    pub outcome: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub payload: Option<String>,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
