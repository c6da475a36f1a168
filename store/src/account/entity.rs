//! Rows of accounts.

/// Somebody's server or program.
pub mod client {
    use sea_orm::entity::prelude::*;

    /// A row of `api_clients`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_clients")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub name: String,
        pub secret_hash: String,
        pub scopes: String,
        pub created_at: i64,
        pub revoked_at: Option<i64>,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A one-time code.
pub mod launch_code {
    use sea_orm::entity::prelude::*;

    /// A row of `launch_codes`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "launch_codes")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code_hash: String,
        pub user_id: Vec<u8>,
        pub locale: Option<String>,
        pub platform: Option<String>,
        pub partner_id: Option<Vec<u8>>,
        pub expires_at: i64,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An open store.
pub mod session {
    use sea_orm::entity::prelude::*;

    /// A row of `sessions`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub session_hash: String,
        pub user_id: Vec<u8>,
        pub locale: Option<String>,
        pub platform: Option<String>,
        pub partner_id: Option<Vec<u8>>,
        pub created_at: i64,
        pub expires_at: i64,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
