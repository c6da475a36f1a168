//! The sticker store.

pub mod account;
pub mod catalogue;
pub mod i18n;
pub mod library;
pub mod money;
pub mod purchase;
pub mod web;
