//! Turns artwork into sticker packs.
