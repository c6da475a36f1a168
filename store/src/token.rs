//! Tokens: issued to who owns a sticker, checked for chat servers that prefer to ask.

pub mod issue;
pub mod keys;
pub mod live;
pub mod revocation;
pub mod web;
