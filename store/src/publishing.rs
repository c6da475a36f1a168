//! Releases on their way into the catalogue: the manifest, its objects, a strict check, then all at once.

mod check;
pub mod web;
