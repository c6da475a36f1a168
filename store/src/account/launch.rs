//! Launch codes: a chat server asks for one, the webview trades it for a session, once.

use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use sticker_protocol::token::UserId;

use super::entity::{launch_code, session};
use super::hash_of;
use crate::app::App;
use crate::db;
use crate::web::error::Error;

/// Who opens the store, as the chat server says it.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The user.
    pub user: UserId,
    /// The language that the user reads.
    pub locale: Option<String>,
    /// `ios`, `android` or `web`.
    pub platform: Option<String>,
    /// Whom gifts go to.
    pub partner: Option<UserId>,
}

/// A code and when it ends, in ms.
#[derive(Debug)]
pub struct Code {
    /// What the webview posts.
    pub code: String,
    /// The first millisecond at which it is too old.
    pub expires_at: i64,
}

/// Makes a code that opens the store for this guest, once, for `seconds`.
///
/// # Errors
/// [`Error`].
pub async fn make_code(app: &App, guest: &Guest, seconds: u32) -> Result<Code, Error> {
    let code = app.random.secret("lc_")?;
    let now = app.clock.now_ms();
    let expires_at = now + i64::from(seconds) * 1000;
    // What nobody used is swept here, so that it never piles up.
    launch_code::Entity::delete_many().filter(launch_code::Column::ExpiresAt.lte(now)).exec(&app.db).await?;
    let row = launch_code::ActiveModel {
        code_hash: Set(hash_of(&code)),
        user_id: Set(guest.user.as_bytes().to_vec()),
        locale: Set(guest.locale.clone()),
        platform: Set(guest.platform.clone()),
        partner_id: Set(guest.partner.map(|partner| partner.as_bytes().to_vec())),
        expires_at: Set(expires_at),
    };
    db::insert(&app.db, row).await?;
    Ok(Code { code, expires_at })
}

/// Trades a code for a session; gives the session's secret, or `None` for a code that is unknown, used or too old.
///
/// # Errors
/// [`Error`].
pub async fn open_session(app: &App, code: &str) -> Result<Option<String>, Error> {
    let transaction = db::begin(&app.db).await?;
    let hash = hash_of(code);
    let Some(found) = launch_code::Entity::find_by_id(hash.clone()).one(&transaction).await? else {
        return Ok(None);
    };
    // Of two who trade the same code, one deletes the row.
    let deleted = launch_code::Entity::delete_by_id(hash).exec(&transaction).await?;
    let now = app.clock.now_ms();
    if deleted.rows_affected != 1 || found.expires_at <= now {
        transaction.commit().await?;
        return Ok(None);
    }
    let secret = app.random.secret("ss_")?;
    let row = session::ActiveModel {
        session_hash: Set(hash_of(&secret)),
        user_id: Set(found.user_id),
        locale: Set(found.locale),
        platform: Set(found.platform),
        partner_id: Set(found.partner_id),
        created_at: Set(now),
        expires_at: Set(now + i64::from(app.config.account.session_seconds) * 1000),
    };
    row.insert(&transaction).await?;
    transaction.commit().await?;
    Ok(Some(secret))
}
