//! Rows of `revocations`.

use sea_orm::entity::prelude::*;

/// An entry of the deny feed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
#[expect(missing_docs, reason = "the migration says what the columns are")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cursor_id: i64,
    pub user_id: Option<Vec<u8>>,
    pub pack_id: i64,
    #[sea_orm(column_type = "Text")]
    pub sticker_ids: String,
    pub refuse_until: i64,
    pub created_at: i64,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
