//! Rows of `gifts`.

use sea_orm::entity::prelude::*;

use crate::purchase::state::GiftState;

/// A paid order whose pack goes to whoever has the code.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gifts")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    pub state: GiftState,
    pub round: i32,
    pub code_hash: Option<String>,
    pub expires_at: i64,
    pub redeemed_by: Option<Vec<u8>>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
