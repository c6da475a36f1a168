//! Tokens: issued to who owns a sticker, checked for chat servers that prefer to ask.

pub mod check;
pub mod keys;
pub mod live;
pub mod rate;
pub mod web;
