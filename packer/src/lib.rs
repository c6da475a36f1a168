//! Turns artwork into sticker packs: a library first, and the designers' command line `sticker-packer`.
//!
//! A project is a folder with `pack.toml` and artwork. [`check`] reports everything that is wrong with it, [`build`] turns it
//! into a release as `sticker-protocol` specifies it, [`publish`](publish::publish) brings that to a store.
//!
//! Pictures are resized in 16-bit linear light with premultiplied alpha; densities up to 160 are PNG, those above WebP.
//! The same project, packer and options give the same bytes, whatever the number of threads.

mod artwork;
mod build;
mod check;
mod encode;
mod error;
pub mod finding;
pub mod init;
mod lock;
pub mod out;
pub mod picture;
mod progress;
pub mod project;
pub mod publish;
mod resize;
mod words;

pub use build::{BuildOptions, BuildReport, build};
pub use check::check;
pub use error::Error;
pub use progress::Progress;
