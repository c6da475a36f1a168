//! Rows of `orders`.

use sea_orm::entity::prelude::*;

use crate::purchase::state::{GiftKind, Problem, State};
use crate::purchase::word::Provider;

/// The wish to buy, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: Vec<u8>,
    pub pack_id: i64,
    pub provider: Provider,
    pub state: State,
    pub price_minor: i64,
    pub currency: String,
    pub idempotency_key: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub recipient_id: Option<Vec<u8>>,
    pub gift: Option<GiftKind>,
    pub shared_with: Option<Vec<u8>>,
    pub platform: Option<String>,
    pub product_id: Option<String>,
    pub promotion_id: Option<String>,
    pub problem: Option<Problem>,
    pub withheld_at: Option<i64>,
    pub digest: Option<String>,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
