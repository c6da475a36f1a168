//! Who calls: API clients with a secret, and users with a session that a launch code opened.

pub mod client;
pub mod entity;
pub mod launch;
pub mod page;
pub mod session;
pub mod web;

use sticker_protocol::Sha256;
use sticker_protocol::token::UserId;

/// Secrets, codes and sessions have 32 random bytes, so a plain hash keeps them.
pub(crate) fn hash_of(secret: &str) -> String {
    Sha256::of(secret.as_bytes()).to_string()
}

/// A user as the database keeps it; what was stored was checked.
pub(crate) fn stored_user(bytes: &[u8]) -> Option<UserId> {
    UserId::new(bytes).ok()
}
