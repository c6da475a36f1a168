//! Signed releases: the store's word for which release of a pack is the newest, as `protocol/README.md` specifies it in section 5.
//!
//! A publication is signed in the transaction that shows it, so no one ever sees a release that is newer than its signature. What was
//! published by an earlier version, what a retired key vouched for and what was signed long ago is signed anew by [`due::round`].

pub mod due;
mod entity;
pub mod envelope;
pub mod keys;
pub(crate) mod web;
