//! What an operator does about promotions.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde_json::json;
use sticker_protocol::PackId;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::db;
use crate::purchase::code::{Code, Typed};
use crate::purchase::entity::{promotion, promotion_code};
use crate::web::error::Error;

/// A promotion to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What operators call it: 1 to 100 characters, unlike every other.
    pub name: &'a str,
    /// The pack that it gives away.
    pub pack: PackId,
    /// How many it gives away; `None` for as many as ask.
    pub at_most: Option<u32>,
    /// The first millisecond of it.
    pub starts_at: i64,
    /// The first millisecond after it.
    pub ends_at: i64,
    /// Who can take part.
    pub entry: Entry<'a>,
}

/// Who can take part in a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Everybody: it is on the pack's page.
    Open,
    /// Who knows this word.
    Word(&'a str),
    /// Who has one of so many codes, each for one user.
    Codes(u32),
}

/// A promotion that was made.
#[derive(Debug)]
pub struct Made {
    /// The promotion.
    pub promotion: promotion::Model,
    /// Its single-use codes; nobody can look at them again.
    pub codes: Vec<Code>,
}

/// Makes a promotion.
///
/// # Errors
/// [`Error`]; nothing was written.
pub async fn add(app: &App, actor: Actor<'_>, plan: Plan<'_>) -> Result<Made, Error> {
    let name = plan.name.trim();
    if !(1..=100).contains(&name.chars().count()) {
        return Err(refused("a promotion's name has 1 to 100 characters"));
    }
    if plan.starts_at >= plan.ends_at || plan.ends_at <= app.clock.now_ms() {
        return Err(refused("a promotion ends after its beginning, and in the future"));
    }
    let at_most = plan.at_most.map(i32::try_from).transpose();
    let at_most = at_most.ok().filter(|most| most.is_none_or(|most| most >= 1));
    let Some(at_most) = at_most else {
        return Err(refused("a promotion gives away 1 to 2147483647 packs"));
    };
    let codes = match plan.entry {
        Entry::Codes(count) if !(1..=MAX_CODES).contains(&count) => {
            return Err(refused("a promotion has 1 to 100000 codes"));
        }
        Entry::Codes(count) => {
            (0..count).map(|_| Code::random(&app.random)).collect::<Result<Vec<_>, _>>()?
        }
        Entry::Open | Entry::Word(_) => Vec::new(),
    };
    let word = match plan.entry {
        Entry::Word(word) => Some(Typed::read(word).ok_or_else(|| {
            refused(
                "a promotion's word has 4 to 40 letters and digits, and spaces and dashes that do not count",
            )
        })?),
        Entry::Open | Entry::Codes(_) => None,
    };
    let promotion = promotion::Model {
        id: app.random.uuid()?.to_string(),
        name: name.to_owned(),
        pack_id: plan.pack.signed(),
        needs_code: i16::from(plan.entry != Entry::Open),
        at_most,
        used: 0,
        starts_at: plan.starts_at,
        ends_at: plan.ends_at,
        ended_at: None,
        created_at: app.clock.now_ms(),
    };
    db::retried(|| write(app, actor, &promotion, word.as_ref(), &codes)).await?;
    Ok(Made { promotion, codes })
}

const MAX_CODES: u32 = 100_000;

fn refused(message: &'static str) -> Error {
    Error::refused("invalid_promotion", message).hint("`admin promotions add --help` says what there is")
}

async fn write(
    app: &App,
    actor: Actor<'_>,
    promotion: &promotion::Model,
    word: Option<&Typed>,
    codes: &[Code],
) -> Result<(), Error> {
    let transaction = db::begin(&app.db).await?;
    if named(&transaction, &promotion.name).await?.is_some() {
        return Err(Error::conflict("promotion_exists", "there is a promotion of this name")
            .hint("`admin promotions list` shows them"));
    }
    if let Some(word) = word {
        if promotion_code::Entity::find_by_id(word.hash()).one(&transaction).await?.is_some() {
            return Err(Error::conflict("word_taken", "the word belongs to another promotion")
                .hint("a word belongs to its promotion for ever, so that nobody gets another pack by it"));
        }
        code(promotion, word.hash(), None).insert(&transaction).await?;
    }
    for some in codes.chunks(CODES_AT_ONCE) {
        let rows = some.iter().map(|of| code(promotion, of.hash(), Some(1)));
        promotion_code::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
    }
    promotion.clone().into_active_model().reset_all().insert(&transaction).await?;
    let detail = json!({
        "name": promotion.name, "pack": promotion.pack_id, "at_most": promotion.at_most,
        "from": promotion.starts_at / 1_000, "until": promotion.ends_at / 1_000,
        "word": word.is_some(), "codes": codes.len(),
    });
    audit::note(app, &transaction, actor.0, "promotion", &promotion.id, &detail).await?;
    transaction.commit().await?;
    Ok(())
}

/// Few enough for the parameters that a statement may have.
const CODES_AT_ONCE: usize = 1_000;

fn code(promotion: &promotion::Model, hash: String, at_most: Option<i32>) -> promotion_code::ActiveModel {
    promotion_code::ActiveModel {
        code_hash: Set(hash),
        promotion_id: Set(promotion.id.clone()),
        at_most: Set(at_most),
        used: Set(0),
    }
}

async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Option<promotion::Model>, DbErr> {
    promotion::Entity::find().filter(promotion::Column::Name.eq(name)).one(db).await
}

/// Every promotion, the latest first.
///
/// # Errors
/// As the database says.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<promotion::Model>, DbErr> {
    let latest = promotion::Entity::find().order_by_desc(promotion::Column::CreatedAt);
    latest.order_by_asc(promotion::Column::Id).all(db).await
}

/// Ends a promotion before its time; who took part keeps the pack. The second time gives what the first gave.
///
/// # Errors
/// [`Error`], not found for a name that no promotion has; nothing was written.
pub async fn end(app: &App, actor: Actor<'_>, name: &str) -> Result<promotion::Model, Error> {
    db::retried(|| end_once(app, actor, name)).await
}

async fn end_once(app: &App, actor: Actor<'_>, name: &str) -> Result<promotion::Model, Error> {
    let transaction = db::begin(&app.db).await?;
    let found = promotion::Entity::find().filter(promotion::Column::Name.eq(name)).lock_exclusive();
    let found = found.one(&transaction).await?.ok_or_else(|| {
        Error::not_found("there is no such promotion").hint("`admin promotions list` shows them")
    })?;
    if found.ended_at.is_some() {
        return Ok(found);
    }
    let mut ended = found.into_active_model();
    ended.ended_at = Set(Some(app.clock.now_ms()));
    let ended = ended.update(&transaction).await?;
    let detail = json!({ "name": ended.name, "used": ended.used });
    audit::note(app, &transaction, actor.0, "promotion_end", &ended.id, &detail).await?;
    transaction.commit().await?;
    Ok(ended)
}
