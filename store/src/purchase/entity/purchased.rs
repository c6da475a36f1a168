//! Rows of `purchases`.

use sea_orm::entity::prelude::*;

use crate::purchase::word::{Provider, World};

/// A payment that a provider vouches for, or vouched for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "purchases")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub provider: Provider,
    pub environment: World,
    pub transaction_id: String,
    pub order_id: String,
    pub user_id: Vec<u8>,
    pub pack_id: i64,
    pub price_minor: i64,
    pub currency: String,
    pub created_at: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
