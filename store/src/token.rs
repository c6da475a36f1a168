//! Tokens: issued to who owns a sticker, checked for chat servers that prefer to ask.

pub mod check;
mod entity;
pub mod file;
pub mod issue;
pub mod keys;
pub mod live;
pub mod rate;
pub mod restored;
pub mod revocation;
pub mod ring;
pub mod seal;
pub mod web;
