//! What is on sale: packs, and the releases that they show.

pub mod entity;
pub mod page;
pub mod query;
pub mod takedown;
pub mod web;
