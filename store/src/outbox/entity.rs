//! Rows of `outbox`.

use sea_orm::entity::prelude::*;

/// A job.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) job_key: String,
    #[sea_orm(column_type = "Text")]
    pub(super) payload: String,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) next_at: i64,
    pub(super) claimed_by: Option<String>,
    pub(super) claimed_until: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(super) last_error: Option<String>,
    pub(super) created_at: i64,
    pub(super) done_at: Option<i64>,
}

/// A payload may hold a purchase token: not for logs.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("job");
        shown
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
