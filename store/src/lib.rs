//! The sticker store.
