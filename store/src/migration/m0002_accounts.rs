//! API clients, launch codes and sessions. Secrets are kept as SHA-256 in hexadecimal.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, string_len, string_len_null, var_binary, var_binary_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let clients = super::table(manager, "api_clients")
            .col(string_len("id", 36).primary_key())
            .col(string_len("name", 200))
            .col(string_len("secret_hash", 64).unique_key())
            .col(string_len("scopes", 200))
            .col(big_integer("created_at"))
            .col(big_integer_null("revoked_at"))
            .to_owned();
        manager.create_table(clients).await?;

        let codes = super::table(manager, "launch_codes")
            .col(string_len("code_hash", 64).primary_key())
            .col(var_binary("user_id", 128))
            .col(string_len_null("locale", 35))
            .col(string_len_null("platform", 16))
            .col(var_binary_null("partner_id", 128))
            .col(big_integer("expires_at"))
            .to_owned();
        manager.create_table(codes).await?;

        let sessions = super::table(manager, "sessions")
            .col(string_len("session_hash", 64).primary_key())
            .col(var_binary("user_id", 128))
            .col(string_len_null("locale", 35))
            .col(string_len_null("platform", 16))
            .col(var_binary_null("partner_id", 128))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .to_owned();
        manager.create_table(sessions).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["sessions", "launch_codes", "api_clients"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
