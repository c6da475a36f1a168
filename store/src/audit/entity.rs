//! Rows of `audit` and `audit_head`.

use sea_orm::entity::prelude::*;

/// One change; the chain's `seq` and `hash` are null where an earlier version of the store wrote it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    #[sea_orm(column_type = "Text")]
    pub(super) detail: String,
    pub(super) seq: Option<i64>,
    pub(super) hash: Option<String>,
}

/// None.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The one row that says where the chain ends.
pub(super) mod head {
    use sea_orm::entity::prelude::*;

    /// Where the chain ends.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_head")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::audit) id: i16,
        pub(in crate::audit) seq: i64,
        pub(in crate::audit) hash: String,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
