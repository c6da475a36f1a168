//! Turns artwork into sticker packs: a library first, and the designers' command line `sticker-packer`.
//!
//! A project is a folder with `pack.toml` and artwork. [`check`] reports everything that is wrong with it, [`build`] turns it
//! into a release as `sticker-protocol` specifies it, [`preview`](preview::preview) shows that as one page,
//! [`publish`](publish::publish) brings it to a store. [`Watch`](watch::Watch) builds and shows it again whenever it changes.
//! [`export`](export::export) draws the same project for other messengers.
//!
//! Pictures are resized in 16-bit linear light with premultiplied alpha; densities up to 160 are PNG, those above WebP.
//! The same project, packer and options give the same bytes, whatever the number of threads.

mod artwork;
mod build;
mod check;
pub mod compose;
mod encode;
mod error;
pub mod export;
pub mod finding;
#[doc(hidden)]
pub mod fuzzing;
pub mod import;
pub mod init;
mod lint;
mod lock;
pub mod out;
pub mod picture;
mod poster;
pub mod preview;
mod progress;
pub mod project;
pub mod publish;
mod read;
pub mod release;
pub mod rerender;
pub mod resize;
mod room;
pub mod score;
pub mod watch;
mod words;

pub use build::{BuildOptions, BuildReport, BundleReport, StickerReport, VariantReport, build};
pub use check::{CheckOptions, check};
pub use encode::{Effort, NoQuality, Quality, Score};
pub use error::Error;
pub use lint::platforms::{PlatformId, UnknownPlatform};
pub use progress::Progress;
