//! Rows of `promotion_uses`.

use sea_orm::entity::prelude::*;

/// That a user took part in a promotion.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_uses")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    pub promotion_id: String,
    pub user_id: Vec<u8>,
    pub created_at: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
