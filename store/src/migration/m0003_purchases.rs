//! Orders, what providers said, what was paid, who owns what, and the trace of it all.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, small_integer_null, string_len, string_len_null, text, var_binary,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_purchases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let orders = super::table(manager, "orders")
            .col(string_len("id", 36).primary_key())
            .col(var_binary("user_id", 128))
            .col(big_integer("pack_id"))
            .col(string_len("provider", 16))
            .col(string_len("state", 16))
            .col(big_integer("price_minor"))
            .col(string_len("currency", 3))
            .col(string_len_null("idempotency_key", 100))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned();
        manager.create_table(orders).await?;

        let inbox = super::table(manager, "inbox")
            .col(string_len("id", 36).primary_key())
            .col(string_len("source", 16))
            .col(string_len("event_id", 200))
            .col(string_len("order_id", 36))
            .col(big_integer("received_at"))
            .to_owned();
        manager.create_table(inbox).await?;

        let purchases = super::table(manager, "purchases")
            .col(string_len("id", 36).primary_key())
            .col(string_len("provider", 16))
            .col(string_len("environment", 16))
            .col(string_len("transaction_id", 200))
            .col(string_len("order_id", 36))
            .col(var_binary("user_id", 128))
            .col(big_integer("pack_id"))
            .col(big_integer("price_minor"))
            .col(string_len("currency", 3))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(purchases).await?;

        // `active` is 1, or null once revoked: of nulls there may be many, of ones only one.
        let grants = super::table(manager, "grants")
            .col(string_len("id", 36).primary_key())
            .col(var_binary("user_id", 128))
            .col(big_integer("pack_id"))
            .col(string_len("order_id", 36))
            .col(small_integer_null("active"))
            .col(big_integer("granted_at"))
            .col(big_integer_null("revoked_at"))
            .to_owned();
        manager.create_table(grants).await?;

        let audit = super::table(manager, "audit")
            .col(string_len("id", 36).primary_key())
            .col(big_integer("at"))
            .col(string_len("actor", 300))
            .col(string_len("action", 64))
            .col(string_len("subject", 200))
            .col(text("detail"))
            .to_owned();
        manager.create_table(audit).await?;

        for (name, table, columns) in UNIQUE {
            let mut index = Index::create();
            index.name(name).table(table).unique();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["audit", "grants", "purchases", "inbox", "orders"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// What makes a repeated event the same event, whatever crashes or races.
const UNIQUE: [(&str, &str, &[&str]); 4] = [
    ("orders_idempotency", "orders", &["user_id", "idempotency_key"]),
    ("inbox_event", "inbox", &["source", "event_id"]),
    ("purchases_transaction", "purchases", &["provider", "environment", "transaction_id"]),
    ("grants_active", "grants", &["user_id", "pack_id", "active"]),
];
