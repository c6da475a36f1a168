//! What is on sale: packs, and the releases that they show.

pub mod entity;
pub mod page;
pub mod prices;
pub mod query;
pub mod sharing;
pub mod takedown;
pub mod web;
