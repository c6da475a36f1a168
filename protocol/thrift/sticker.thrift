// The files that a packer writes and that phones, CDNs and stores read.
//
// Everything is Thrift compact protocol. Rules of this file: no unions (an unknown member panics in some generated
// readers), no doubles (some codecs disagree on their byte order), ids never reused, new fields optional.
// Readers ignore unknown fields. The meaning of each field is fixed in protocol/README.md.

namespace rs sticker
namespace py sticker_protocol
namespace java sticker.protocol

enum ImageFormat {
  PNG = 1,
  WEBP = 2,
}

/** How a frame's pixels meet the canvas: alpha-composited over it, or put in the place of what is there. */
enum Blend {
  OVER = 1,
  REPLACE = 2,
}

/** What happens to a frame's rectangle before the next frame is drawn: nothing, or cleared to transparent. */
enum Dispose {
  NONE = 1,
  BACKGROUND = 2,
}

struct Frame {
  1: required i32 image,
  2: required i32 x,
  3: required i32 y,
  4: required i32 duration_ms,
  5: required Blend blend,
  6: required Dispose dispose,
}

/** Metadata of a sticker file. */
struct StickerMetadata {
  1: required i64 sticker_id,
  2: required i64 pack_id,
  3: required i32 density,
  4: required i32 width,
  5: required i32 height,
  6: required ImageFormat format,
  /** 0 = for ever. */
  7: required i32 loop_count,
  /** Bytes of each image, in the order in which they follow. */
  8: required list<i32> image_lengths,
  9: required list<Frame> frames,
  10: required i32 poster_frame,
  11: required list<string> emoji,
  /** By locale. */
  12: required map<string, string> alt_texts,
  /** 0xRRGGBB, to paint before the picture is there. */
  13: required i32 placeholder_colour,
}

struct BundledSticker {
  1: required i64 sticker_id,
  2: required string name,
}

/** The entry `pack` of a bundle. Stickers in the order in which a keyboard shows them. */
struct PackMetadata {
  1: required i64 pack_id,
  2: required string slug,
  3: required i32 density,
  4: required map<string, string> titles,
  5: required string artist,
  6: required string copyright,
  7: required list<BundledSticker> stickers,
}

/** What a file of a release is for. */
enum FileKind {
  STICKER = 1,
  BUNDLE = 2,
  COVER = 3,
  ICON = 4,
  POSTER = 5,
  PREVIEW = 6,
  MASTER = 7,
}

/** How hard the packer looked for small files. */
enum Effort {
  FAST = 1,
  DEFAULT = 2,
  MAX = 3,
}

/** Images of a sticker file that follow each other and were coded in one way. */
struct CodedImages {
  1: required i32 count,
  /** Whether what the canvas showed already was left transparent. */
  2: required bool sparse,
  /** WebP with loss: the quality of colours and of alpha, 0 to 100 each. */
  3: optional i32 quality,
  4: optional i32 alpha_quality,
  /** WebP without loss, but for low bits of colours: 0 most of them may change, 100 none. */
  5: optional i32 near_lossless,
}

/** How a sticker file was made of its master: it can be made again without a search. */
struct Recipe {
  1: required Effort effort,
  /** In the order of the images, which are counted together. */
  2: required list<CodedImages> images,
}

struct ReleaseFile {
  /** Relative, forward slashes, no dot segments. */
  1: required string path,
  2: required FileKind kind,
  3: required i64 size,
  /** 32 bytes. */
  4: required binary sha256,
  5: optional i64 sticker_id,
  6: optional i32 density,
  7: optional ImageFormat format,
  8: optional i32 width,
  9: optional i32 height,
  /** Of a sticker file that can be made of its master. */
  10: optional Recipe recipe,
}

struct ReleaseSticker {
  1: required i64 sticker_id,
  2: required string name,
  3: required list<string> emoji,
  4: required map<string, string> alt_texts,
  5: required i32 frame_count,
  6: required i32 duration_ms,
  7: required i32 loop_count,
  8: required i32 placeholder_colour,
}

struct Artist {
  1: required string slug,
  2: required string name,
}

/** The file `release.thrift`: everything that a release is. Its SHA-256 names the release. */
struct ReleaseManifest {
  1: required i32 manifest_version,
  2: required i64 pack_id,
  3: required string slug,
  4: required map<string, string> titles,
  5: required map<string, string> descriptions,
  6: required Artist artist,
  7: required string copyright,
  8: required string price_tier,
  9: required list<string> tags,
  10: required i32 canvas_width_dp,
  11: required i32 canvas_height_dp,
  12: required list<i32> densities,
  13: required list<ReleaseSticker> stickers,
  /** Sorted by path, without the manifest itself. */
  14: required list<ReleaseFile> files,
  /** Name and version of the program that built it. */
  15: required string packer,
}
