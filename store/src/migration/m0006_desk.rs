//! The chain of the trace, what leaves through the outbox, and who does what comes round.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, small_integer, string_len, string_len_null, text, text_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_desk"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Null where an earlier version wrote the row: the next start takes it into the chain.
        for column in [ColumnDef::new("seq").big_integer(), ColumnDef::new("hash").string_len(64)] {
            let audit = Table::alter().table("audit").add_column(column.to_owned()).to_owned();
            manager.alter_table(audit).await?;
        }
        let by_seq = Index::create().name("audit_seq").table("audit").col("seq").unique().to_owned();
        manager.create_index(by_seq).await?;
        let by_subject = Index::create().name("audit_subject").table("audit").col("subject").to_owned();
        manager.create_index(by_subject).await?;

        // One row, locked by whoever lengthens the chain.
        let head = super::table(manager, "audit_head")
            .col(small_integer("id").primary_key())
            .col(big_integer("seq"))
            .col(string_len("hash", 64))
            .to_owned();
        manager.create_table(head).await?;
        let none_yet = Query::insert()
            .into_table("audit_head")
            .columns(["id", "seq", "hash"])
            // Of the same types as the store binds: a connection of PostgreSQL prepares the statement once for both.
            .values_panic([1_i16.into(), 0_i64.into(), "0".repeat(64).into()])
            .to_owned();
        manager.execute(none_yet).await?;

        // `claimed_by` names one claim of one worker, which ends at `claimed_until` unless it was let go of before.
        let outbox = super::table(manager, "outbox")
            .col(string_len("id", 36).primary_key())
            .col(string_len("kind", 32))
            .col(string_len("job_key", 200))
            .col(text("payload"))
            .col(string_len("state", 8))
            .col(integer("attempts"))
            .col(big_integer("next_at"))
            .col(string_len_null("claimed_by", 36))
            .col(big_integer_null("claimed_until"))
            .col(text_null("last_error"))
            .col(big_integer("created_at"))
            .col(big_integer_null("done_at"))
            .to_owned();
        manager.create_table(outbox).await?;
        let once = Index::create()
            .name("outbox_once")
            .table("outbox")
            .col("kind")
            .col("job_key")
            .unique()
            .to_owned();
        manager.create_index(once).await?;
        let due = Index::create().name("outbox_due").table("outbox").col("state").col("next_at").to_owned();
        manager.create_index(due).await?;

        let rounds = super::table(manager, "rounds")
            .col(string_len("name", 64).primary_key())
            .col(big_integer("next_at"))
            .col(string_len_null("claimed_by", 36))
            .col(big_integer_null("claimed_until"))
            .to_owned();
        manager.create_table(rounds).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["rounds", "outbox", "audit_head"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for index in ["audit_subject", "audit_seq"] {
            manager.drop_index(Index::drop().name(index).table("audit").to_owned()).await?;
        }
        for column in ["hash", "seq"] {
            manager.alter_table(Table::alter().table("audit").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
