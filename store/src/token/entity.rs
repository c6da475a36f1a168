//! Rows of `token_keys`.

use sea_orm::entity::prelude::*;

/// A token key; once destroyed, what is left to keep its id from being used again.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub algorithm: String,
    pub state: String,
    pub signing: Option<i16>,
    pub sealed: Option<Vec<u8>>,
    pub public_key: Option<Vec<u8>>,
    pub last_expiry: i64,
    pub made_at: i64,
    pub published_at: Option<i64>,
    pub signing_at: Option<i64>,
    pub retired_at: Option<i64>,
    pub destroyed_at: Option<i64>,
}

/// Sealed or not, a secret is not for logs.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("token_key").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
