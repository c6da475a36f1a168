//! Objects that are made when somebody asks for them. Only adds: the version before goes on running, as long as none was let go of.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, string_len, string_len_null};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0008_variants"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `release_id` is one of the releases that list the object; `renderer` the version that found whether it can be made.
        let variants = super::table(manager, "variants")
            .col(string_len("hash", 64).primary_key())
            .col(string_len("release_id", 64))
            .col(string_len("kind", 16))
            .col(big_integer("bytes"))
            .col(string_len("state", 16))
            .col(string_len("renderer", 64))
            .col(big_integer("used_at"))
            .to_owned();
        manager.create_table(variants).await?;
        // What was rendered is counted, and the least recently used found, each time that something is.
        let by_use = Index::create()
            .name("variants_by_use")
            .table("variants")
            .col("state")
            .col("used_at")
            .col("bytes")
            .to_owned();
        manager.create_index(by_use).await?;
        // `claimed_by` only says who is at work: two may do the same.
        let moves = super::table(manager, "variant_moves")
            .col(string_len("release_id", 64).primary_key())
            .col(string_len("target", 16))
            .col(string_len_null("claimed_by", 36))
            .col(big_integer_null("claimed_until"))
            .col(big_integer_null("done_at"))
            .to_owned();
        manager.create_table(moves).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("variant_moves").to_owned()).await?;
        manager.drop_table(Table::drop().table("variants").to_owned()).await
    }
}
