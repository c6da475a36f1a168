//! What providers say about payments, gifts, promotions, and packs that couples share. Only adds: the version before goes on running.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, integer_null, small_integer, string_len, string_len_null, text,
    var_binary, var_binary_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_buying"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in added() {
            for column in columns {
                manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
            }
        }

        // The latest word of a provider about a payment; `order_id` once it is known to be for that order.
        let snapshots = super::table(manager, "snapshots")
            .col(string_len("id", 36).primary_key())
            .col(string_len("provider", 16))
            .col(string_len("world", 16))
            .col(string_len("transaction_id", 200))
            .col(string_len_null("order_id", 36))
            .col(string_len("standing", 16))
            .col(big_integer("version"))
            .col(text("payload"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned();
        manager.create_table(snapshots).await?;

        // A paid order whose pack goes to whoever has the code. `round` counts the codes that were made for it.
        let gifts = super::table(manager, "gifts")
            .col(string_len("order_id", 36).primary_key())
            .col(string_len("state", 16))
            .col(integer("round"))
            .col(string_len_null("code_hash", 64).unique_key())
            .col(big_integer("expires_at"))
            .col(var_binary_null("redeemed_by", 128))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned();
        manager.create_table(gifts).await?;

        // A number of packs to give away: without codes to everybody who asks, with codes to who has one.
        let promotions = super::table(manager, "promotions")
            .col(string_len("id", 36).primary_key())
            .col(string_len("name", 100).unique_key())
            .col(big_integer("pack_id"))
            .col(small_integer("needs_code"))
            .col(integer_null("at_most"))
            .col(integer("used"))
            .col(big_integer("starts_at"))
            .col(big_integer("ends_at"))
            .col(big_integer_null("ended_at"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(promotions).await?;
        let codes = super::table(manager, "promotion_codes")
            .col(string_len("code_hash", 64).primary_key())
            .col(string_len("promotion_id", 36))
            .col(integer_null("at_most"))
            .col(integer("used"))
            .to_owned();
        manager.create_table(codes).await?;
        let uses = super::table(manager, "promotion_uses")
            .col(string_len("order_id", 36).primary_key())
            .col(string_len("promotion_id", 36))
            .col(var_binary("user_id", 128))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(uses).await?;

        for (name, table, columns, unique) in INDEXES {
            let mut index = Index::create();
            index.name(name).table(table);
            if unique {
                index.unique();
            }
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["promotion_uses", "promotion_codes", "promotions", "gifts", "snapshots"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for (name, table, ..) in
            INDEXES.iter().filter(|(_, table, ..)| matches!(*table, "orders" | "purchases" | "grants"))
        {
            manager.drop_index(Index::drop().name(*name).table(*table).to_owned()).await?;
        }
        for (table, columns) in added() {
            for column in columns {
                let name = column.get_column_name();
                manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
            }
        }
        Ok(())
    }
}

/// Columns that the version before does not know: each may be null, or has a default.
///
/// Of orders: who gets the pack (null: who ordered it, or for a gift with a code nobody yet), whether it is a gift, the partner who
/// shares it, on what platform it was ordered, what the app store sells it as, what an operator should look at, when an operator
/// took it back, and a digest of what was asked under the idempotency key.
fn added() -> [(&'static str, Vec<ColumnDef>); 3] {
    [
        (
            "orders",
            vec![
                var_binary_null("recipient_id", 128),
                string_len_null("gift", 16),
                var_binary_null("shared_with", 128),
                string_len_null("platform", 16),
                string_len_null("product_id", 200),
                string_len_null("promotion_id", 36),
                string_len_null("problem", 32),
                big_integer_null("withheld_at"),
                string_len_null("digest", 64),
            ],
        ),
        (
            "inbox",
            vec![
                string_len_null("kind", 64),
                string_len_null("outcome", 32),
                ColumnDef::new("payload").text().to_owned(),
            ],
        ),
        ("packs", vec![ColumnDef::new("couple_shared").small_integer().not_null().default(0).to_owned()]),
    ]
}

const INDEXES: [(&str, &str, &[&str], bool); 9] = [
    ("orders_recipient", "orders", &["recipient_id"], false),
    ("orders_shared", "orders", &["shared_with"], false),
    ("orders_state", "orders", &["state", "updated_at"], false),
    ("purchases_order", "purchases", &["order_id"], false),
    ("grants_order", "grants", &["order_id"], false),
    ("snapshots_transaction", "snapshots", &["provider", "world", "transaction_id"], true),
    ("snapshots_order", "snapshots", &["order_id"], false),
    ("promotion_codes_promotion", "promotion_codes", &["promotion_id"], false),
    ("promotion_uses_user", "promotion_uses", &["promotion_id", "user_id"], true),
];
