//! Token keys, sealed; the deny feed; and up to when tokens were issued for what.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, small_integer_null, string_len, text, var_binary_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_tokens"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A destroyed key keeps its row, without the secret, so that its id is never used again. `signing` is 1 or null, so
        // that of each algorithm one key signs. `last_expiry` in seconds: no token of this key expires later.
        let keys = super::table(manager, "token_keys")
            .col(integer("id").primary_key())
            .col(string_len("algorithm", 16))
            .col(string_len("state", 16))
            .col(small_integer_null("signing"))
            .col(var_binary_null("sealed", 64))
            .col(var_binary_null("public_key", 32))
            .col(big_integer("last_expiry"))
            .col(big_integer("made_at"))
            .col(big_integer_null("published_at"))
            .col(big_integer_null("signing_at"))
            .col(big_integer_null("retired_at"))
            .col(big_integer_null("destroyed_at"))
            .to_owned();
        manager.create_table(keys).await?;
        let one_signs = Index::create()
            .name("token_keys_signing")
            .table("token_keys")
            .col("algorithm")
            .col("signing")
            .unique()
            .to_owned();
        manager.create_index(one_signs).await?;
        // A takedown looks for the last expiry among all grants of a pack.
        let of_pack = Index::create().name("grants_pack").table("grants").col("pack_id").to_owned();
        manager.create_index(of_pack).await?;

        // A null user is every user. `sticker_ids` is a JSON array. `refuse_until` in seconds.
        let revocations = super::table(manager, "revocations")
            .col(big_integer("cursor_id").primary_key())
            .col(var_binary_null("user_id", 128))
            .col(big_integer("pack_id"))
            .col(text("sticker_ids"))
            .col(big_integer("refuse_until"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(revocations).await?;

        // Counted up inside the transaction that changes what is counted: the row's lock puts those in one order.
        let counters = super::table(manager, "counters")
            .col(string_len("name", 32).primary_key())
            .col(big_integer("value"))
            .to_owned();
        manager.create_table(counters).await?;
        for name in ["keyring", "revocations"] {
            let row = Query::insert()
                .into_table("counters")
                .columns(["name", "value"])
                .values_panic([name.into(), 0.into()])
                .to_owned();
            manager.execute(row).await?;
        }
        for (table, column) in ADDED {
            manager
                .alter_table(
                    added(table)
                        .add_column(ColumnDef::new(column).big_integer().not_null().default(0))
                        .to_owned(),
                )
                .await?;
        }
        let taken_down = ColumnDef::new("taken_down_at").big_integer().to_owned();
        manager.alter_table(added("packs").add_column(taken_down).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("grants_pack").table("grants").to_owned()).await?;
        manager.alter_table(added("packs").drop_column("taken_down_at").to_owned()).await?;
        for (table, column) in ADDED {
            manager.alter_table(added(table).drop_column(column).to_owned()).await?;
        }
        for table in ["counters", "revocations", "token_keys"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// In seconds: no token was issued that expires later; and tokens have to expire later than this, since earlier ones are refused.
const ADDED: [(&str, &str); 3] =
    [("grants", "last_expiry"), ("grants", "tokens_after"), ("packs", "tokens_after")];

fn added(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table).to_owned()
}
