//! The chain: each row's hash covers the row and the hash of the row before it, under a key that is not in the database.
//!
//! The hash of a row is HMAC-SHA256 over these fields in this order, each with its length before it as 8 bytes, big-endian, so that no
//! two rows have the same bytes: the hash before (32 bytes; zeros before the first row), `seq` and `at` (8 bytes, big-endian), and in
//! UTF-8 `id`, `actor`, `action`, `subject` and `detail`.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use sea_orm::sea_query::{CommonTableExpression, InsertStatement, Query, UpdateStatement};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Set,
};
use sticker_protocol::Sha256;

use super::entity::{self, head};
use crate::token::seal::MasterKey;

/// What the chain is made with; derived from the store's master key.
#[derive(Debug)]
pub struct ChainKey(hmac::Key);

impl ChainKey {
    /// The key of a store's chain.
    pub fn of(master: &MasterKey) -> Self {
        Self(master.derived(LABEL))
    }

    /// The hash of a row at this place behind the row with this hash.
    pub(super) fn link(&self, before: &Sha256, seq: i64, row: &entity::Model) -> Sha256 {
        let mut context = hmac::Context::with_key(&self.0);
        let (number, at) = (seq.to_be_bytes(), row.at.to_be_bytes());
        let texts = [&row.id, &row.actor, &row.action, &row.subject, &row.detail].map(String::as_bytes);
        for field in [before.as_bytes().as_slice(), &number, &at].into_iter().chain(texts) {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        Sha256::new(hash)
    }
}

/// Another form of the bytes would get another label.
const LABEL: &str = "sticker-store audit chain, version 1";

/// Where a chain ends: the number of its last row and the hash that covers all of it. Written as `SEQ:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last row; 0 where there is none.
    pub seq: i64,
    /// The hash of the last row; zeros where there is none.
    pub hash: Sha256,
}

impl Head {
    /// Before the first row.
    pub(super) const NONE: Self = Self { seq: 0, hash: Sha256::new([0; 32]) };

    /// The chain's end as the database has it; `None` where the row is gone or makes no sense.
    ///
    /// # Errors
    /// As the database says.
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Option<Self>, DbErr> {
        Ok(head::Entity::find_by_id(Self::ROW).one(db).await?.and_then(|row| Self::of(&row)))
    }

    /// The same, and nobody else lengthens the chain until the transaction ends.
    pub(super) async fn lock(transaction: &impl ConnectionTrait) -> Result<Self, DbErr> {
        Self::read_locked(transaction).await?.ok_or_else(|| DbErr::RecordNotFound(LOST.to_owned()))
    }

    /// The row as far as it can be read, locked.
    pub(super) async fn read_locked(transaction: &impl ConnectionTrait) -> Result<Option<Self>, DbErr> {
        let found = head::Entity::find_by_id(Self::ROW).lock_exclusive().one(transaction).await?;
        Ok(found.and_then(|row| Self::of(&row)))
    }

    fn of(row: &head::Model) -> Option<Self> {
        Some(Self { seq: row.seq, hash: row.hash.parse().ok()? })
    }

    /// Where the chain would end with this row; `None` for one that has no place or hash.
    pub(super) fn at(row: &entity::Model) -> Option<Self> {
        Some(Self { seq: row.seq?, hash: row.hash.as_deref()?.parse().ok()? })
    }

    /// The one row's id.
    pub(super) const ROW: i16 = 1;

    pub(super) fn moved(self) -> UpdateStatement {
        let row = head::ActiveModel { seq: Set(self.seq), hash: Set(self.hash.to_string()), ..no_head() };
        let mut moved = head::Entity::update_many().set(row);
        sea_orm::QueryFilter::query(&mut moved)
            .and_where(sea_orm::ColumnTrait::eq(&head::Column::Id, Self::ROW));
        moved.into_query()
    }
}

fn no_head() -> head::ActiveModel {
    <head::ActiveModel as Default>::default()
}

const LOST: &str =
    "the end of the audit chain (audit_head); `admin audit verify` and `admin audit mend` say more";

/// Whether the chain's last row was written with this key; `None` where there is no row.
///
/// # Errors
/// As the database says.
pub(super) async fn last_is_ours(db: &impl ConnectionTrait, key: &ChainKey) -> Result<Option<bool>, DbErr> {
    let last_two = entity::Entity::find()
        .filter(entity::Column::Seq.is_not_null())
        .order_by_desc(entity::Column::Seq)
        .limit(2)
        .all(db)
        .await?;
    let mut ends = last_two.iter().map(Head::at);
    let (Some(last), Some(row)) = (ends.next(), last_two.first()) else { return Ok(None) };
    let before = ends.next().unwrap_or(Some(Head::NONE));
    let ours =
        last.zip(before).is_some_and(|(last, before)| key.link(&before.hash, last.seq, row) == last.hash);
    Ok(Some(ours))
}

/// Writes a row at the end of the chain, which is locked from now until the transaction ends.
///
/// Two statements on PostgreSQL, three elsewhere.
pub(super) async fn append(
    key: &ChainKey,
    transaction: &impl ConnectionTrait,
    mut row: entity::Model,
) -> Result<Head, DbErr> {
    let before = Head::lock(transaction).await?;
    let seq = before.seq.saturating_add(1);
    let head = Head { seq, hash: key.link(&before.hash, seq, &row) };
    row.seq = Some(head.seq);
    row.hash = Some(head.hash.to_string());
    let written = entity::Entity::insert(row.into_active_model()).into_query();
    write(transaction, written, head.moved()).await?;
    Ok(head)
}

async fn write(
    transaction: &impl ConnectionTrait,
    row: InsertStatement,
    head: UpdateStatement,
) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let moved = CommonTableExpression::new().query(head).table_name("moved").to_owned();
        let both = Query::with().cte(moved).to_owned().query(row);
        transaction.execute(&both).await?;
    } else {
        transaction.execute(&row).await?;
        transaction.execute(&head).await?;
    }
    Ok(())
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, hash) = text.split_once(':').ok_or(FORM)?;
        Ok(Self { seq: seq.parse().ok().ok_or(FORM)?, hash: hash.parse().ok().ok_or(FORM)? })
    }
}

const FORM: &str = "a head is SEQ:HASH, as `admin audit verify` prints it";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(actor: &str, action: &str) -> entity::Model {
        entity::Model {
            id: "a".to_owned(),
            at: 1,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: "s".to_owned(),
            detail: "{}".to_owned(),
            seq: None,
            hash: None,
        }
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_gives_another_hash() {
        let key = ChainKey(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
        let none = Head::NONE.hash;
        let hash = key.link(&none, 1, &row("ab", "c"));
        assert_eq!(hash, key.link(&none, 1, &row("ab", "c")));
        assert_ne!(hash, key.link(&none, 1, &row("a", "bc")));
        assert_ne!(hash, key.link(&none, 2, &row("ab", "c")));
        assert_ne!(hash, key.link(&hash, 1, &row("ab", "c")));
        let other = ChainKey(hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]));
        assert_ne!(hash, other.link(&none, 1, &row("ab", "c")));
    }

    #[test]
    fn the_bytes_under_the_hash_are_those_of_the_description() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let mut bytes = Vec::new();
        let fields: [&[u8]; 8] = [
            &[0; 32],
            &[0, 0, 0, 0, 0, 0, 0, 3],
            &[0, 0, 0, 0, 0, 0, 0, 1],
            b"a",
            b"me",
            b"grant",
            b"s",
            b"{}",
        ];
        for field in fields {
            bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, u8::try_from(field.len()).unwrap()]);
            bytes.extend_from_slice(field);
        }
        let wanted = hmac::sign(&key, &bytes);
        let hash = ChainKey(key).link(&Head::NONE.hash, 3, &row("me", "grant"));
        assert_eq!(hash.as_bytes().as_slice(), wanted.as_ref());
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head { seq: 12, hash: Sha256::of(b"x") };
        assert_eq!(head.to_string().parse(), Ok(head));
        for wrong in ["", "12", "12:", "x:00", &head.to_string()[..60]] {
            assert_eq!(wrong.parse::<Head>(), Err(FORM), "{wrong}");
        }
    }
}
