//! What users own.

pub mod entity;
pub mod page;
pub mod query;
pub mod web;
