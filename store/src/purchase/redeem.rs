//! Somebody types a code: it gives a gift, or takes part in a promotion.

use sticker_protocol::PackId;
use sticker_protocol::token::UserId;

use super::code::Typed;
use super::{effect, gift, promotion};
use crate::app::App;
use crate::web::error::Error;

/// What a code gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose code it was.
    pub kind: CodeKind,
    /// The pack, which the user owns now.
    pub pack: PackId,
}

/// Of what a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// Of a gift.
    Gift,
    /// Of a promotion.
    Promotion,
}

impl CodeKind {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gift => "gift",
            Self::Promotion => "promotion",
        }
    }
}

/// Redeems what the user typed. The same code again gives the same user the same.
///
/// # Errors
/// [`Error`]: `rate_limited`, `code_invalid`, `code_expired`, `code_used`, `already_owned`, and those of [`promotion`]; nothing was
/// written.
pub async fn redeem(
    app: &App,
    user: &UserId,
    typed: &str,
    platform: Option<&str>,
) -> Result<Redeemed, Error> {
    app.code_rates.admit(user)?;
    let hash = Typed::read(typed).ok_or_else(code_invalid)?.hash();
    if let Some(order) = gift::redeem::redeem(app, user, &hash).await? {
        return Ok(Redeemed { kind: CodeKind::Gift, pack: effect::pack_of(&order)? });
    }
    let order = promotion::redeem(app, user, &hash, platform).await?.ok_or_else(code_invalid)?;
    Ok(Redeemed { kind: CodeKind::Promotion, pack: effect::pack_of(&order)? })
}

/// No code like this gives anything: mistyped, taken back, or refunded.
pub(super) fn code_invalid() -> Error {
    Error::refused("code_invalid", "there is no such code, or it gives nothing any more")
        .hint("look at each letter again, or ask who gave it")
}

pub(super) fn code_expired() -> Error {
    Error::conflict("code_expired", "the code is too old")
        .hint("who gave it can make another one, on the page of their order")
}

pub(super) fn code_used() -> Error {
    Error::conflict("code_used", "somebody redeemed the code before").hint("each code gives once")
}

pub(super) fn already_owned() -> Error {
    Error::conflict("already_owned", "the user owns the pack already")
}

/// Whom the trace names for what a user did.
pub(super) fn user_actor(user: &UserId) -> String {
    format!("user:{}", user.to_hex())
}
