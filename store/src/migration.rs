//! The tables, step by step; every step goes down again.
//!
//! Times are milliseconds since 1970 in `bigint`: the three databases keep nothing finer alike. Texts compare byte by byte on
//! every database. Ids of users are bytes.

use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, query_scalar};
use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    RuntimeErr, TransactionTrait as _,
};
use sea_orm_migration::prelude::{IntoSchemaManagerConnection, SchemaManager, Table, TableCreateStatement};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::db;

mod m0001_catalogue;
mod m0002_accounts;
mod m0003_purchases;
mod m0004_tokens;
mod m0005_buying;
mod m0006_desk;
mod m0007_marks;
mod m0008_variants;
mod m0009_signed_releases;
mod m0010_publishing;

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
            Box::new(m0005_buying::Migration),
            Box::new(m0006_desk::Migration),
            Box::new(m0007_marks::Migration),
            Box::new(m0008_variants::Migration),
            Box::new(m0009_signed_releases::Migration),
            Box::new(m0010_publishing::Migration),
        ]
    }
}

/// Takes the steps that the database lacks. Of several processes that start at once one does it, and the others wait until it is
/// done; one that dies lets go.
///
/// # Errors
/// As the database says.
pub async fn bring_up(db: &DatabaseConnection) -> Result<(), DbErr> {
    alone(db, Way::Up).await
}

/// Takes every step back, alone as in [`bring_up`]: no table is left.
///
/// # Errors
/// As the database says.
pub async fn take_down(db: &DatabaseConnection) -> Result<(), DbErr> {
    alone(db, Way::Down).await
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Way {
    async fn go<'c>(self, db: impl IntoSchemaManagerConnection<'c>) -> Result<(), DbErr> {
        match self {
            Self::Up => Migrator::up(db, None).await,
            Self::Down => Migrator::down(db, None).await,
        }
    }
}

async fn alone(db: &DatabaseConnection, way: Way) -> Result<(), DbErr> {
    let transaction = match db.get_database_backend() {
        // A change of tables ends a transaction there, so another connection has to hold the lock.
        DbBackend::MySql => {
            let lock = mysql_lock(db).await?;
            let gone = way.go(db).await;
            // Whatever it says, the server frees the lock with the connection.
            let _ = lock.close().await;
            return gone;
        }
        DbBackend::Postgres => postgres_locked(db).await?,
        _ => sqlite_locked(db).await?,
    };
    way.go(&transaction).await?;
    transaction.commit().await
}

/// A connection that holds the lock of this database for as long as it lives.
async fn mysql_lock(db: &DatabaseConnection) -> Result<MySqlConnection, DbErr> {
    let mut connection =
        db.get_mysql_connection_pool().connect_options().connect().await.map_err(connecting)?;
    loop {
        // 1 where we have it, 0 where the time is over: not even a proxy then takes the connection for an idle one.
        let taken: Option<i64> =
            query_scalar(MYSQL_LOCK).fetch_one(&mut connection).await.map_err(connecting)?;
        match taken {
            Some(1) => return Ok(connection),
            Some(_) => {}
            None => return Err(DbErr::Custom("the lock for migrations cannot be had".to_owned())),
        }
    }
}

fn connecting(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// Such locks are the whole server's, and their names have 64 characters at most.
const MYSQL_LOCK: &str = "SELECT GET_LOCK(CONCAT('sticker-store ', SHA1(DATABASE())), 30)";

/// A transaction that holds the lock of this database. It sees what others committed while it waited, whatever the server's usual isolation.
async fn postgres_locked(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let isolation = Some(IsolationLevel::ReadCommitted);
    let transaction = db.begin_with_config(isolation, Some(AccessMode::ReadWrite)).await?;
    transaction.execute_unprepared(POSTGRES_LOCK).await?;
    Ok(transaction)
}

/// The number is "stickers" in ASCII.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(8319390287384638067)";

/// A transaction with the file's one write lock, however long another process writes.
async fn sqlite_locked(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    loop {
        match db::begin(db).await {
            // It came after the patience that the connection has by itself.
            Err(error) if db::is_busy(&error) => {}
            begun => return begun,
        }
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
