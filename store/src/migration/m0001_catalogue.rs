//! Releases, the packs that show one, and the stickers that ever were in one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, string_len, text};
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_catalogue"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut manifest = ColumnDef::new("manifest");
        match manager.get_database_backend() {
            // A plain blob of MySQL ends at 64 KiB.
            DbBackend::MySql => manifest.custom("mediumblob"),
            _ => manifest.blob(),
        };
        let releases = super::table(manager, "releases")
            .col(string_len("id", 64).primary_key())
            .col(big_integer("pack_id"))
            .col(string_len("client_id", 36))
            .col(manifest.not_null())
            .col(big_integer("created_at"))
            .col(big_integer_null("published_at"))
            .to_owned();
        manager.create_table(releases).await?;

        let packs = super::table(manager, "packs")
            .col(big_integer("id").primary_key())
            .col(string_len("slug", 64).unique_key())
            .col(string_len("client_id", 36))
            .col(string_len("artist_slug", 64))
            .col(string_len("price_tier", 64))
            .col(string_len("release_id", 64))
            .col(text("words"))
            .col(big_integer("published_at"))
            .to_owned();
        manager.create_table(packs).await?;
        for (name, column) in [("packs_artist", "artist_slug"), ("packs_newest", "published_at")] {
            manager.create_index(Index::create().name(name).table("packs").col(column).to_owned()).await?;
        }

        let stickers = super::table(manager, "stickers")
            .col(big_integer("id").primary_key())
            .col(big_integer("pack_id"))
            .col(string_len("release_id", 64))
            .to_owned();
        manager.create_table(stickers).await?;
        manager
            .create_index(Index::create().name("stickers_pack").table("stickers").col("pack_id").to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["stickers", "packs", "releases"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
