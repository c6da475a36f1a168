//! Rows of `grants`.

use sea_orm::entity::prelude::*;

/// The right of one user to one pack; active while `active` is 1.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: Vec<u8>,
    pub pack_id: i64,
    pub order_id: String,
    pub active: Option<i16>,
    pub granted_at: i64,
    pub revoked_at: Option<i64>,
    pub last_expiry: i64,
    pub tokens_after: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
