//! Rows of the catalogue.

/// An immutable build of a pack.
pub mod release {
    use sea_orm::entity::prelude::*;

    /// A row of `releases`; visible once `published_at` is set.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "releases")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub pack_id: i64,
        pub client_id: String,
        pub manifest: Vec<u8>,
        pub created_at: i64,
        pub published_at: Option<i64>,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is sold.
pub mod pack {
    use sea_orm::entity::prelude::*;

    /// A row of `packs`; `words` is what a search looks through.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "packs")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub slug: String,
        pub client_id: String,
        pub artist_slug: String,
        pub price_tier: String,
        pub release_id: String,
        #[sea_orm(column_type = "Text")]
        pub words: String,
        pub published_at: i64,
        pub taken_down_at: Option<i64>,
        pub couple_shared: i16,
        pub tokens_after: i64,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An id that resolves for ever.
pub mod sticker {
    use sea_orm::entity::prelude::*;

    /// A row of `stickers`; the release is the latest that holds the sticker.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "stickers")]
    #[expect(missing_docs, reason = "the migration says what the columns are")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub pack_id: i64,
        pub release_id: String,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
