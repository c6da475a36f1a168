//! What keeps publishing and the removal of objects out of each other's way, and which objects are damaged. Only adds: the version before
//! goes on running, as long as nothing is removed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0010_publishing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let holds = super::table(manager, "release_holds")
            .col(string_len("release_id", 64).primary_key())
            .col(big_integer("held_until"))
            .to_owned();
        manager.create_table(holds).await?;
        let removals = super::table(manager, "object_removals")
            .col(string_len("hash", 64).primary_key())
            .col(string_len("removed_by", 36))
            .col(big_integer("removed_until"))
            .to_owned();
        manager.create_table(removals).await?;
        let damaged = super::table(manager, "damaged_objects")
            .col(string_len("hash", 64).primary_key())
            .col(big_integer("found_at"))
            .to_owned();
        manager.create_table(damaged).await?;
        let counter = Query::insert()
            .into_table("counters")
            .columns(["name", "value"])
            .values_panic([COUNTER.into(), 0.into()])
            .to_owned();
        manager.execute(counter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let counter =
            Query::delete().from_table("counters").and_where(Expr::col("name").eq(COUNTER)).to_owned();
        manager.execute(counter).await?;
        for table in ["damaged_objects", "object_removals", "release_holds"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

const COUNTER: &str = "objects";
