//! Rows of `promotion_codes`.

use sea_orm::entity::prelude::*;

/// A code of a promotion, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_codes")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: String,
    pub promotion_id: String,
    pub at_most: Option<i32>,
    pub used: i32,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
