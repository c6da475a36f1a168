//! How far jobs that come again and again have come.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, Set};

/// How far a job has come, in whatever it counts; 0 where it has never run.
///
/// # Errors
/// As the database says.
pub async fn mark(connection: &impl ConnectionTrait, name: &str) -> Result<i64, DbErr> {
    Ok(entity::Entity::find_by_id(name).one(connection).await?.map_or(0, |mark| mark.value))
}

/// Notes how far a job has come.
///
/// # Errors
/// As the database says.
pub async fn set_mark(
    connection: &impl ConnectionTrait,
    name: &str,
    value: i64,
    now_ms: i64,
) -> Result<(), DbErr> {
    let over = OnConflict::column(entity::Column::Name)
        .update_columns([entity::Column::Value, entity::Column::UpdatedAt])
        .to_owned();
    let row = entity::ActiveModel { name: Set(name.to_owned()), value: Set(value), updated_at: Set(now_ms) };
    entity::Entity::insert(row).on_conflict(over).exec_without_returning(connection).await.map(drop)
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "marks")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) name: String,
        pub(super) value: i64,
        pub(super) updated_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
