//! How far jobs have come, and a way to the payments that still wait for something. Only adds: the version before goes on running.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0007_marks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `updated_at` is when the job last came further.
        let marks = super::table(manager, "marks")
            .col(string_len("name", 64).primary_key())
            .col(big_integer("value"))
            .col(big_integer("updated_at"))
            .to_owned();
        manager.create_table(marks).await?;
        // Of millions of payments few are pending, or paid and not acknowledged.
        let waiting = Index::create()
            .name(WAITING)
            .table("snapshots")
            .col("provider")
            .col("standing")
            .col("version")
            .to_owned();
        manager.create_index(waiting).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(WAITING).table("snapshots").to_owned()).await?;
        manager.drop_table(Table::drop().table("marks").to_owned()).await
    }
}

const WAITING: &str = "snapshots_waiting";
