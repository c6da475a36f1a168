//! How large things may be. Writers keep to these, readers refuse what goes beyond before they decode anything.

/// Bytes of a sticker file's metadata, of a bundle's `pack` entry and of a release's manifest: 1 MiB.
pub const MAX_METADATA: usize = 1 << 20;
/// Frames of one sticker.
pub const MAX_FRAMES: usize = 300;
/// Pixels of one image, and of the canvas: 4 Mpx (4 × 2^20).
pub const MAX_IMAGE_PIXELS: u64 = 4 << 20;
/// Pixels of all images of a sticker together: 64 Mpx (64 × 2^20).
pub const MAX_DECODED_PIXELS: u64 = 64 << 20;
/// Bytes of one sticker file: 16 MiB.
pub const MAX_STICKER_FILE: usize = 16 << 20;
/// Stickers in one bundle or release.
pub const MAX_STICKERS: usize = 200;
/// Bytes of one bundle: 64 MiB.
pub const MAX_BUNDLE: usize = 64 << 20;
/// Milliseconds that one frame may last: ten minutes.
pub const MAX_FRAME_MS: u32 = 600_000;
/// Times that a sticker may loop, where it does not loop for ever: what a WebP file can say.
pub const MAX_LOOPS: u32 = 65_535;
/// Emoji of one sticker.
pub const MAX_EMOJI: usize = 32;
/// Locales of one text, and tags of a pack.
pub const MAX_LOCALES: usize = 64;
/// Bytes of one short text: a title, a name, an alt text.
pub const MAX_SHORT_TEXT: usize = 1_000;
/// Bytes of one long text: a description, a copyright notice.
pub const MAX_LONG_TEXT: usize = 10_000;
/// Files of one release.
pub const MAX_RELEASE_FILES: usize = 8_000;
/// Packs whose newest release a client keeps in mind.
pub const MAX_KNOWN_RELEASES: usize = 100_000;
/// Entries of one page of the deny feed.
pub const MAX_REVOCATIONS: usize = 10_000;
/// Stickers of one entry of the deny feed: all that a pack ever had, over its releases.
pub const MAX_REVOKED_STICKERS: usize = 10_000;

/// Seconds that an entry of the deny list is kept past its expiry, for clocks that are set right: section 1.6 of the specification.
pub const REVOCATIONS_KEPT: u64 = 300;
