//! The shop window: packs, stickers and artists as readers see them.

pub mod page;
