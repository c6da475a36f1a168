//! What was rendered is kept, up to a bound: the least recently used go first.

use std::collections::HashSet;
use std::sync::PoisonError;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use sticker_protocol::Sha256;

use super::entity::{State, variant};
use crate::app::App;
use crate::web::error::Error;

/// Keeps what was rendered, where a row says that it may be missing.
pub(super) async fn keep(app: &App, hash: Sha256, content: &[u8]) -> Result<(), Error> {
    // What alone is beyond the bound would push out everything else, and go itself.
    if content.len() as u64 > app.config.delivery.rendered_bytes {
        return Ok(());
    }
    // First the row: an object of which nothing says that it is kept would stay for ever.
    let noted = variant::Entity::update_many()
        .col_expr(variant::Column::State, Expr::value(State::Rendered.name()))
        .col_expr(variant::Column::UsedAt, Expr::value(app.clock.now_ms().max(1)))
        .filter(variant::Column::Hash.eq(hash.to_string()))
        .filter(variant::Column::State.ne(State::Kept.name()));
    if noted.exec(&app.db).await?.rows_affected == 1 {
        app.objects.put(hash, content.to_vec()).await?;
        bound(app).await?;
    }
    Ok(())
}

/// Writes down what was used, and lets go of what is beyond the bound.
///
/// # Errors
/// As the database or the objects say; what is left to do is done the next time.
pub(super) async fn round(app: &App) -> Result<(), Error> {
    note_used(app).await?;
    bound(app).await
}

/// Writes down what this process read from where objects are.
pub(super) async fn note_used(app: &App) -> Result<(), Error> {
    let used: HashSet<Sha256> =
        std::mem::take(&mut *app.variants.used.lock().unwrap_or_else(PoisonError::into_inner));
    let used: Vec<String> = used.iter().map(Sha256::to_string).collect();
    let now = app.clock.now_ms().max(1);
    for some in used.chunks(AT_ONCE) {
        variant::Entity::update_many()
            .col_expr(variant::Column::UsedAt, Expr::value(now))
            .filter(variant::Column::Hash.is_in(some.iter().map(String::as_str)))
            .filter(variant::Column::State.eq(State::Rendered.name()))
            .filter(variant::Column::UsedAt.ne(0))
            .exec(&app.db)
            .await?;
    }
    Ok(())
}

const AT_ONCE: usize = 500;

async fn bound(app: &App) -> Result<(), Error> {
    let rendered = || variant::Entity::find().filter(variant::Column::State.eq(State::Rendered.name()));
    loop {
        let all = rendered()
            .select_only()
            .column_as(all_bytes(&app.db), "all_bytes")
            .into_tuple()
            .one(&app.db)
            .await?;
        let mut over: i64 = all.flatten().unwrap_or_default();
        over = over.saturating_sub(i64::try_from(app.config.delivery.rendered_bytes).unwrap_or(i64::MAX));
        if over <= 0 {
            return Ok(());
        }
        let oldest = rendered().order_by_asc(variant::Column::UsedAt).order_by_asc(variant::Column::Hash);
        let oldest = oldest.limit(SOME).all(&app.db).await?;
        let mut gone = false;
        for row in oldest {
            if over <= 0 {
                break;
            }
            over -= row.bytes;
            gone |= let_go(app, &row).await?;
        }
        if !gone {
            // Others use what was looked at; they look themselves.
            return Ok(());
        }
    }
}

const SOME: u64 = 50;

/// As one of our numbers: a sum of whole numbers has a type of its own on each database.
fn all_bytes(db: &DatabaseConnection) -> Expr {
    use sea_orm::sea_query::ExprTrait as _;
    let integer = if db.get_database_backend() == DbBackend::MySql { "SIGNED" } else { "BIGINT" };
    variant::Column::Bytes.sum().cast_as(integer)
}

/// Takes a rendered object away, unless somebody uses it meanwhile: then its row stays, and it is made once more when it is missed.
pub(super) async fn let_go(app: &App, row: &variant::Model) -> Result<bool, Error> {
    if let Ok(hash) = row.hash.parse::<Sha256>() {
        app.objects.remove(hash).await?;
    }
    let gone = variant::Entity::update_many()
        .col_expr(variant::Column::State, Expr::value(State::Absent.name()))
        .filter(variant::Column::Hash.eq(row.hash.as_str()))
        .filter(variant::Column::State.eq(State::Rendered.name()))
        .filter(variant::Column::UsedAt.eq(row.used_at));
    Ok(gone.exec(&app.db).await?.rows_affected == 1)
}
