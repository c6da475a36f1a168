//! The database: SQLite, PostgreSQL or MySQL/MariaDB by the URL.

mod marks;

pub use marks::{mark, set_mark};

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection as _, Executor as _, Row as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, EntityTrait, Iterable as _, PrimaryKeyToColumn as _,
    QueryFilter as _, RuntimeErr, SqlErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _, TryIntoModel,
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
    let options = options(url, max_connections)?;
    let mut attempts = CONNECT_ATTEMPTS;
    let connection = loop {
        match Database::connect(options.clone()).await {
            // A new file of SQLite becomes one with WAL while nobody else looks at it, and SQLite does not wait for that by itself.
            Err(error) if attempts > 0 && is_busy(&error) => {
                attempts -= 1;
                tokio::time::sleep(CONNECT_PAUSE).await;
            }
            // What sea-orm itself says of a URL repeats it, and with it the password.
            Err(DbErr::Conn(RuntimeErr::Internal(_))) => return Err(refused(NOT_PARSED)),
            connected => break connected?,
        }
    };
    connection.ping().await?;
    Ok(connection)
}

/// Connects once something is asked, which fails while the database is away.
///
/// # Errors
/// For a URL that makes no sense, what [`check_url`] says.
pub async fn connect_later(url: &str, max_connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url, max_connections)?;
    options.connect_lazy(true);
    Database::connect(options).await.map_err(|_repeats_the_url| refused(NOT_PARSED))
}

fn refused(message: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("the URL of the database is refused: {message}")))
}

fn options(url: &str, max_connections: u32) -> Result<ConnectOptions, DbErr> {
    check_url(url).map_err(refused)?;
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        // Not at each use: a busy store would ask the database as often whether it is there as for what it wants.
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .sqlx_logging(false)
        // A commit that was answered survives a power cut; readers and the one writer do not wait for each other.
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .foreign_keys(true)
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| {
                Box::pin(async move { Ok(is_between_transactions(connection).await) })
            })
        })
        // A read shows what is committed by then, on each database alike: what a lock was waited for would else stay out of sight.
        .map_sqlx_postgres_opts(|postgres| {
            postgres.options([("default_transaction_isolation", "read committed")])
        })
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(async move { Ok(answers_at_all(connection).await) }))
        })
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move { connection.execute(MYSQL_ISOLATION).await.map(drop) })
            })
            .after_release(|connection, _| {
                Box::pin(async move { Ok(answers_what_is_asked(connection).await) })
            })
        });
    Ok(options)
}

/// Whether a connection of SQLite is in no transaction, once what was asked of it is done. Where a commit fails, as on a full disk, SQLite
/// has ended the transaction itself, and sqlx goes on counting one: its next failure there would be rolled back to the begin of it
/// alone, and the one write lock held for ever.
async fn is_between_transactions(connection: &mut SqliteConnection) -> bool {
    connection.ping().await.is_ok() && !connection.is_in_transaction()
}

/// Whether a connection of MySQL gives the answer to what it is asked, and not one that somebody left behind who hung up while sqlx was
/// preparing a statement: sqlx counts the answers that are still to come, but not those to that. The next one to use the connection would
/// wait for ever, or take another's rows for theirs.
async fn answers_what_is_asked(connection: &mut MySqlConnection) -> bool {
    let answer = tokio::time::timeout(ANSWER, connection.fetch_one(QUESTION)).await;
    matches!(answer, Ok(Ok(row)) if row.try_get::<i64, _>(0).is_ok_and(|answer| answer == 7_305))
}

/// Whether a connection of PostgreSQL answers. Where somebody hung up while sqlx was preparing a statement, sqlx may wait for an answer that
/// never comes; where the statement failed after that, its error is the answer to what is asked next. Neither is an error of the hook:
/// sqlx would then end the connection without telling the server, which over TLS waits for the server to say something, and the pool
/// would have one connection less for ever.
async fn answers_at_all(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(ANSWER, connection.ping()).await, Ok(Ok(())))
}

const QUESTION: &str = "SELECT 7305";
/// A connection that takes longer is closed, which costs a new one.
const ANSWER: Duration = Duration::from_secs(2);

const MYSQL_ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// With the pause as long as the patience of a connection, 10 s.
const CONNECT_ATTEMPTS: u32 = 200;
const CONNECT_PAUSE: Duration = Duration::from_millis(50);

/// Begins a transaction that writes. SQLite takes its one write lock at once: a later upgrade of a read lock could fail.
///
/// It begins whether or not somebody still waits for it, and is then rolled back: whoever hangs up at that moment, or takes too long,
/// would else leave a transaction that sqlx does not know of on a connection of the pool, and what others then write there and are
/// told is written would be in no commit.
///
/// # Errors
/// As the database says.
pub async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let connection = connection.clone();
    let begun = tokio::spawn(async move { connection.begin_with_options(immediate).await });
    begun.await.map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))?
}

/// Writes a row and gives it. By itself, outside a transaction, it is committed when this is answered: an `INSERT` of SQLite that
/// returns its row has been answered when the row is made, and sqlx drops what the commit says that follows, such as that the disk is
/// full. And it is one statement on each database.
///
/// # Errors
/// As the database says; for a row with columns that are not set.
pub async fn insert<R>(db: &impl ConnectionTrait, row: R) -> Result<<R::Entity as EntityTrait>::Model, DbErr>
where
    R: ActiveModelTrait + TryIntoModel<<R::Entity as EntityTrait>::Model>,
{
    let written = row.clone().try_into_model()?;
    R::Entity::insert(row).exec_without_returning(db).await?;
    Ok(written)
}

/// Writes what is set of a row that is there, and gives the row: one statement on each database.
///
/// # Errors
/// As the database says; for a row that is not there.
pub async fn update<R>(db: &impl ConnectionTrait, row: R) -> Result<<R::Entity as EntityTrait>::Model, DbErr>
where
    R: ActiveModelTrait + TryIntoModel<<R::Entity as EntityTrait>::Model>,
{
    let written = row.clone().try_into_model()?;
    let mut updated = R::Entity::update_many();
    for key in <R::Entity as EntityTrait>::PrimaryKey::iter() {
        let column = key.into_column();
        let value = row.get(column).into_value().ok_or(DbErr::RecordNotUpdated)?;
        updated = updated.filter(column.eq(value));
    }
    let changed = updated.set(row).exec(db).await?;
    if changed.rows_affected == 1 { Ok(written) } else { Err(DbErr::RecordNotUpdated) }
}

/// Whether somebody else's row with the same unique key was there first.
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether the database ended a transaction for another's sake (a deadlock, a conflict with a newer snapshot, a lock that did not
/// come in time): nothing was written, and the same again may succeed.
pub fn is_busy(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(error)) = driver_error(error) else { return false };
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Record has changed since last read; lock wait timeout; deadlock.
        return matches!(mysql.number(), 1020 | 1205 | 1213);
    }
    // PostgreSQL: serialization failure, deadlock. SQLite: busy, busy in recovery, busy snapshot.
    matches!(error.code().as_deref(), Some("40001" | "40P01" | "5" | "261" | "517"))
}

/// Whether the database is away, starts, stops, or broke off the connection: whether what was asked is done nobody knows.
pub fn is_away(error: &DbErr) -> bool {
    let error = match driver_error(error) {
        Some(sqlx::Error::Database(error)) => error,
        Some(error) => {
            return matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::BeginFailed
            );
        }
        None => return matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)),
    };
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Too many connections; shutting down; read only; connection killed, or ended by the server.
        return matches!(mysql.number(), 1040 | 1053 | 1290 | 1836 | 1927 | 4031);
    }
    // PostgreSQL: connection exceptions; too many connections; an operator stopped it, it crashed, it starts; read only, as a server is
    // that another one has taken over from.
    let code = error.code().unwrap_or_default();
    code.starts_with("08") || ["53300", "57P01", "57P02", "57P03", "57P05", "25006"].contains(&code.as_ref())
}

/// Whether the database has no room left: nothing was written, and the same again succeeds once there is room.
pub fn is_full(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(error)) = driver_error(error) else { return false };
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Disk full; the table is full; the storage engine was told so (28 is the system's number).
        let told = mysql.number() == 1030 && mysql.message().contains("28");
        return told || matches!(mysql.number(), 1021 | 1114);
    }
    // PostgreSQL: disk full. SQLite: full.
    matches!(error.code().as_deref(), Some("53100" | "13"))
}

fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Runs a whole transaction again while the database [ends it for another's sake](is_busy).
///
/// # Errors
/// What the last attempt said.
pub async fn retried<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for attempted in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if error.code() == BUSY => tokio::time::sleep(pause(attempted)).await,
            done => return done,
        }
    }
    attempt().await
}

const ATTEMPTS: u32 = 20;

/// None at first, since mostly the others are done by then; later the longer, the more there are who want the same.
fn pause(attempted: u32) -> Duration {
    Duration::from_millis(u64::from(attempted.saturating_sub(3)) * 5)
}

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
    /// Releases that begin to rely on objects, and removals of objects: each counts, so that none overlooks another.
    Objects,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Revocations => "revocations",
            Self::Objects => "objects",
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
    count_up_by(transaction, counter, 1).await
}

/// As [`count_up`], by more than one: the numbers between are never given.
///
/// # Errors
/// As the database says.
pub async fn count_up_by(
    transaction: &impl ConnectionTrait,
    counter: Counter,
    by: i64,
) -> Result<u64, DbErr> {
    counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(by))
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
