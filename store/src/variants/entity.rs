//! Rows of `variants` and `variant_moves`.

/// Whether an object of which a row tells is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is stored: it does not come out again as it is.
    Kept,
    /// It is not there.
    Absent,
    /// It may be there: it was made when somebody asked, or is about to go.
    Rendered,
}

impl State {
    const ALL: [Self; 3] = [Self::Kept, Self::Absent, Self::Rendered];

    /// The name in rows.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Absent => "absent",
            Self::Rendered => "rendered",
        }
    }

    /// Reads the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

pub(super) mod variant {
    use sea_orm::entity::prelude::*;

    /// An object that may be missing, or that was found not to be made again.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "variants")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: String,
        pub(crate) release_id: String,
        pub(crate) kind: String,
        pub(crate) bytes: i64,
        pub(crate) state: String,
        pub(crate) renderer: String,
        pub(crate) used_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod step {
    use sea_orm::entity::prelude::*;

    /// A release that is to be brought into a mode, or was.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "variant_moves")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) release_id: String,
        pub(crate) target: String,
        pub(crate) claimed_by: Option<String>,
        pub(crate) claimed_until: Option<i64>,
        pub(crate) done_at: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
