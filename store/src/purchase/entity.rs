//! Rows of purchases.

/// The wish to buy.
pub mod order {
    use sea_orm::entity::prelude::*;

    /// A row of `orders`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "orders")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub user_id: Vec<u8>,
        pub pack_id: i64,
        pub provider: String,
        pub state: String,
        pub price_minor: i64,
        pub currency: String,
        pub idempotency_key: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a provider said, once.
pub mod inbox {
    use sea_orm::entity::prelude::*;

    /// A row of `inbox`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub source: String,
        pub event_id: String,
        pub order_id: String,
        pub received_at: i64,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A payment that a provider vouches for.
pub mod purchased {
    use sea_orm::entity::prelude::*;

    /// A row of `purchases`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "purchases")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub provider: String,
        pub environment: String,
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
}
