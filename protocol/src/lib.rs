//! What a sticker store, its packer, chat servers and phones agree on.

mod bytes;
mod codec;
mod density;
mod format;
#[expect(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::use_self,
    dead_code,
    unreachable_pub,
    reason = "written by the Thrift compiler"
)]
#[rustfmt::skip]
mod generated {
    pub(crate) mod sticker;
}
mod hex;
mod ids;
pub mod limits;
pub mod sticker;
mod time;
pub mod token;

pub use codec::CodecError;
pub use density::{Density, DensityError, LADDER};
pub use format::{ImageFormat, ImageHeader, ImageHeaderError};
pub use ids::{IdError, MAX_ID, PackId, StickerId};
pub use time::{Expiry, UnixSeconds};
