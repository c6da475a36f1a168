//! Reading the trace.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::{Value, json};

use super::entity;
use super::take_over::unchained;

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What something was done to.
    pub subject: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// At most so many.
    pub limit: u64,
}

/// A row of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the chain; `None` where an earlier version of the store wrote it and it has not been taken over yet.
    pub seq: Option<i64>,
    /// Its id.
    pub id: String,
    /// When, in ms.
    pub at: i64,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// JSON.
    pub detail: String,
}

impl Row {
    /// One object with the time in Unix seconds.
    pub fn to_json(&self) -> Value {
        let detail: Value = serde_json::from_str(&self.detail).unwrap_or_else(|_| self.detail.clone().into());
        json!({
            "seq": self.seq, "id": self.id, "at": self.at.div_euclid(1_000), "actor": self.actor,
            "action": self.action, "subject": self.subject, "detail": detail,
        })
    }
}

/// The latest rows, the newest first; those that are in no chain yet before all others. Nothing is verified.
///
/// # Errors
/// As the database says.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Row>, DbErr> {
    let chained =
        entity::Entity::find().filter(entity::Column::Seq.is_not_null()).order_by_desc(entity::Column::Seq);
    let mut rows = Vec::new();
    for mut query in [unchained(), chained] {
        for (column, text) in [
            (entity::Column::Subject, &wanted.subject),
            (entity::Column::Actor, &wanted.actor),
            (entity::Column::Action, &wanted.action),
        ] {
            if let Some(text) = text {
                query = query.filter(column.eq(text));
            }
        }
        rows.extend(query.limit(wanted.limit.saturating_sub(rows.len() as u64)).all(db).await?);
    }
    Ok(rows.into_iter().map(shown).collect())
}

fn shown(row: entity::Model) -> Row {
    let entity::Model { id, at, actor, action, subject, detail, seq, .. } = row;
    Row { seq, id, at, actor, action, subject, detail }
}
