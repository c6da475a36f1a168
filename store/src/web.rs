//! What every part of the web has in common.

pub mod assets;
pub mod language;
pub mod page;
