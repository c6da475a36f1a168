//! The database: SQLite, PostgreSQL or MySQL/MariaDB by the URL.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ColumnTrait as _, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, EntityTrait as _, QueryFilter as _, RuntimeErr, SqlErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait as _,
};

use crate::web::error::Error;

/// Whether this is the URL of a database that the store knows.
///
/// # Errors
/// What is wrong with it, without what it is.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let understood = if url.starts_with("sqlite:") {
        url.parse::<SqliteConnectOptions>().is_ok()
    } else if url.starts_with("postgres://") {
        url.parse::<PgConnectOptions>().is_ok()
    } else if url.starts_with("mysql://") {
        url.parse::<MySqlConnectOptions>().is_ok()
    } else {
        return Err("it begins with sqlite:, postgres:// or mysql://");
    };
    if understood { Ok(()) } else { Err(NOT_PARSED) }
}

const NOT_PARSED: &str = "it cannot be parsed; look at the port and the options, and write special characters of a password as %XX";

/// Connects and waits until the database answers.
///
/// # Errors
/// As the database says; for a URL that makes no sense, what [`check_url`] says.
pub async fn connect(url: &str, max_connections: u32) -> Result<DatabaseConnection, DbErr> {
    let refused = |message: &str| {
        DbErr::Conn(RuntimeErr::Internal(format!("the URL of the database is refused: {message}")))
    };
    check_url(url).map_err(refused)?;
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .sqlx_logging(false)
        // A commit that was answered survives a power cut; readers and the one writer do not wait for each other.
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .foreign_keys(true)
        });
    let connection = Database::connect(options).await.map_err(|error| match error {
        // What sea-orm itself says of a URL repeats it, and with it the password.
        DbErr::Conn(RuntimeErr::Internal(_)) => refused(NOT_PARSED),
        error => error,
    })?;
    connection.ping().await?;
    Ok(connection)
}

/// Begins a transaction that writes. SQLite takes its one write lock at once: a later upgrade of a read lock could fail.
///
/// # Errors
/// As the database says.
pub async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(immediate).await
}

/// Whether somebody else's row with the same unique key was there first.
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether the database ended a transaction for another's sake (a deadlock, a conflict with a newer snapshot, a lock that did not
/// come in time): nothing was written, and the same again may succeed.
pub fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let Some(error) = error.as_database_error() else { return false };
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Record has changed since last read; lock wait timeout; deadlock.
        return matches!(mysql.number(), 1020 | 1205 | 1213);
    }
    // PostgreSQL: serialization failure, deadlock. SQLite: busy, busy snapshot.
    matches!(error.code().as_deref(), Some("40001" | "40P01" | "5" | "517"))
}

/// Runs a whole transaction again while the database [ends it for another's sake](is_busy).
///
/// # Errors
/// What the last attempt said.
pub async fn retried<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if error.code() == BUSY => {}
            done => return done,
        }
    }
    attempt().await
}

const ATTEMPTS: u32 = 10;
/// The code of an error for which [`is_busy`] holds.
pub const BUSY: &str = "busy";

/// Asks the database for nothing, to see whether it answers.
///
/// # Errors
/// As the database says.
pub async fn ping(connection: &DatabaseConnection) -> Result<(), DbErr> {
    connection.execute_unprepared("SELECT 1").await.map(drop)
}

/// Whether there is such a table.
///
/// # Errors
/// As the database says.
pub async fn has_table(connection: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let backend = connection.get_database_backend();
    let question = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        DbBackend::MySql => {
            "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    };
    let question = Statement::from_sql_and_values(backend, question, [name.into()]);
    Ok(connection.query_one_raw(question).await?.is_some())
}

/// What is counted up whenever it changes, so that every process notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Changes of the token keys.
    Keyring,
    /// Entries of the deny feed.
    Revocations,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Revocations => "revocations",
        }
    }
}

/// The values of all counters as of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Of [`Counter::Keyring`].
    pub keyring: u64,
    /// Of [`Counter::Revocations`].
    pub revocations: u64,
}

/// Reads the counters.
///
/// # Errors
/// As the database says.
pub async fn counters(connection: &impl ConnectionTrait) -> Result<Counters, DbErr> {
    let mut counters = Counters::default();
    for row in counter::Entity::find().all(connection).await? {
        let value = u64::try_from(row.value).unwrap_or_default();
        match row.name.as_str() {
            "keyring" => counters.keyring = value,
            "revocations" => counters.revocations = value,
            _ => {}
        }
    }
    Ok(counters)
}

/// Counts up by one inside a transaction that writes, and gives the new value. Whoever counts the same waits until that transaction
/// has ended: what is counted becomes visible in the order of its numbers, without gaps.
///
/// # Errors
/// As the database says.
pub async fn count_up(transaction: &impl ConnectionTrait, counter: Counter) -> Result<u64, DbErr> {
    counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(1))
        .filter(counter::Column::Name.eq(counter.name()))
        .exec(transaction)
        .await?;
    let found = counter::Entity::find_by_id(counter.name()).one(transaction).await?;
    let found = found.ok_or_else(|| DbErr::RecordNotFound(counter.name().to_owned()))?;
    Ok(u64::try_from(found.value).unwrap_or_default())
}

mod counter {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "counters")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) name: String,
        pub(super) value: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
