//! Release keys, sealed, and of each pack the signature of its newest release. Only adds: the version before goes on running, and what it
//! publishes is signed as soon as a process of this version comes round.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, integer_null, small_integer_null, string_len, var_binary,
    var_binary_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_signed_releases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A retired key keeps its row, without the secret, so that its id is never used again. `signing` is 1 or null, so that one signs.
        let keys = super::table(manager, "release_keys")
            .col(integer("id").primary_key())
            .col(string_len("state", 16))
            .col(small_integer_null("signing").unique_key())
            .col(var_binary("public_key", 32))
            .col(var_binary_null("sealed", 64))
            .col(big_integer("made_at"))
            .col(big_integer_null("signing_at"))
            .col(big_integer_null("retired_at"))
            .to_owned();
        manager.create_table(keys).await?;
        // `signed_at` in seconds. The counter stays where the signature is taken away, since it never goes back.
        let signatures = super::table(manager, "release_signatures")
            .col(big_integer("pack_id").primary_key())
            .col(string_len("release_id", 64))
            .col(big_integer("counter"))
            .col(integer_null("key_id"))
            .col(big_integer("signed_at"))
            .col(var_binary_null("signature", 64))
            .to_owned();
        manager.create_table(signatures).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("release_signatures").to_owned()).await?;
        manager.drop_table(Table::drop().table("release_keys").to_owned()).await
    }
}
