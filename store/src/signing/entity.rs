//! Rows of release keys and of what they signed.

pub(super) mod key {
    use sea_orm::entity::prelude::*;

    /// A row of `release_keys`; once retired, what is left to keep its id from being used again.
    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "release_keys")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        pub(crate) state: String,
        pub(crate) signing: Option<i16>,
        pub(crate) public_key: Vec<u8>,
        pub(crate) sealed: Option<Vec<u8>>,
        pub(crate) made_at: i64,
        pub(crate) signing_at: Option<i64>,
        pub(crate) retired_at: Option<i64>,
    }

    /// Sealed or not, a secret is not for logs.
    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let shown = (&self.id, &self.state);
            f.debug_struct("release_key").field("id", shown.0).field("state", shown.1).finish_non_exhaustive()
        }
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod signature {
    use sea_orm::entity::prelude::*;

    /// A row of `release_signatures`: the newest of a pack. Without a signature it has to be signed anew.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "release_signatures")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) pack_id: i64,
        pub(crate) release_id: String,
        pub(crate) counter: i64,
        pub(crate) key_id: Option<i32>,
        pub(crate) signed_at: i64,
        pub(crate) signature: Option<Vec<u8>>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
