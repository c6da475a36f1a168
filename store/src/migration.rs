//! The tables, step by step; every step goes down again.
//!
//! Times are milliseconds since 1970 in `bigint`: the three databases keep nothing finer alike. Texts compare byte by byte on
//! every database. Ids of users are bytes.

use sea_orm_migration::prelude::{SchemaManager, Table, TableCreateStatement};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod m0001_catalogue;
mod m0002_accounts;
mod m0003_purchases;
mod m0004_tokens;

/// All steps in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_catalogue::Migration),
            Box::new(m0002_accounts::Migration),
            Box::new(m0003_purchases::Migration),
            Box::new(m0004_tokens::Migration),
        ]
    }
}

/// A table whose texts compare byte by byte; MySQL has to be told.
fn table(manager: &SchemaManager, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create().table(name).to_owned();
    if manager.get_database_backend() == DbBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::MigratorTrait as _;

    use super::Migrator;

    async fn goes_down_and_up(url: &str) {
        let connection = crate::db::connect(url, 2).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        Migrator::down(&connection, None).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        Migrator::down(&connection, None).await.unwrap();
        connection.close().await.unwrap();
    }

    /// On the servers, the whole-program tests migrate up; here SQLite goes both ways.
    #[tokio::test]
    async fn every_step_goes_down_and_up_again() {
        let folder = tempfile::tempdir().unwrap();
        goes_down_and_up(&format!("sqlite://{}?mode=rwc", folder.path().join("a.sqlite").display())).await;
    }
}
