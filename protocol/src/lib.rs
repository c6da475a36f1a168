//! What a sticker store, its packer, chat servers and phones agree on.
