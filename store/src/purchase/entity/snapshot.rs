//! Rows of `snapshots`.

use sea_orm::entity::prelude::*;

use crate::purchase::word::{Provider, Standing, World};

/// The latest word of a provider about a payment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "snapshots")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub provider: Provider,
    pub world: World,
    pub transaction_id: String,
    pub order_id: Option<String>,
    pub standing: Standing,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
