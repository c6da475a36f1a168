//! What a sticker store, its packer, chat servers and phones agree on: tokens, sticker files, bundles and releases.
//!
//! Nothing here does I/O, reads a clock or makes random numbers. The normative specification is this crate's README.
//!
//! # Five minutes
//!
//! The store issues a token to somebody who owns a sticker, and a chat server checks it without asking anybody:
//!
//! ```
//! use sticker_protocol::token::{Claims, DenyList, Expected, KeyFile, Keyring, Refusal, UserId};
//! use sticker_protocol::{Expiry, StickerId, UnixSeconds};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = format!(r#"{{"keys":[{{"id":3,"secret":"{}","state":"signing"}}]}}"#, "1f".repeat(32));
//! let ring = Keyring::new(&KeyFile::parse(&file)?);
//!
//! let claims = Claims { sticker: StickerId::new(8_675_309)?, user: UserId::from_text("alice")?, expires: Expiry(1_800_086_400) };
//! let token = ring.issue(&claims)?;
//!
//! // Alice sends sticker 8675309, and her app sends the token with it.
//! let (now, denied) = (UnixSeconds(1_800_000_000), DenyList::new());
//! let expected = Expected { sticker: StickerId::new(8_675_309)?, user: UserId::from_text("alice")? };
//! assert_eq!(ring.verify(token.as_str(), now, &expected, &denied), Ok(Expiry(1_800_086_400)));
//!
//! // Mallory copies it.
//! let expected = Expected { user: UserId::from_text("mallory")?, ..expected };
//! assert_eq!(ring.verify(token.as_str(), now, &expected, &denied), Err(Refusal::WrongUser));
//! # Ok(()) }
//! ```
//!
//! A server that runs for long shares a [`token::LiveVerifier`] between its threads. One of them asks the store for keys and for what was
//! taken back, as `examples/chat_server.rs` does, and hands over what it got:
//!
//! ```
//! use sticker_protocol::token::{Expected, KeyFile, LiveVerifier, Refusal, RevocationPage, UserId};
//! use sticker_protocol::{StickerId, UnixSeconds};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (verifier, now) = (LiveVerifier::new(), UnixSeconds(1_800_000_000));
//! # let keyring = format!(r#"{{"keys":[{{"id":3,"secret":"{}","state":"signing"}}]}}"#,
//! #     (0..32).map(|byte| format!("{byte:02x}")).collect::<String>());
//! # let token = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC";
//! let expected = Expected { sticker: StickerId::new(8_675_309)?, user: UserId::from_hex("018f3c9a1122733384445566778899aa")? };
//! verifier.take_keyring(&KeyFile::parse(&keyring)?, now);
//! assert!(verifier.verify(token, now, &expected).is_ok());
//!
//! let refund = br#"{"revocations":[{"cursor":18,"user_hex":"018f3c9a1122733384445566778899aa","sticker_ids":[8675309],
//!     "refuse_until":1800086400}],"cursor":18,"more":false}"#;
//! verifier.take_revocations(&RevocationPage::parse(refund)?, now)?;
//! assert_eq!(verifier.verify(token, now, &expected), Err(Refusal::Revoked));
//! # Ok(()) }
//! ```
//!
//! A phone asks for a sticker with the density of its screen, and reads what comes with [`sticker::StickerFile::read`]:
//!
//! ```
//! use sticker_protocol::{Density, LADDER};
//! assert_eq!(Density::choose(LADDER, Density::new(200)?), Some(Density::new(240)?));
//! # Ok::<_, sticker_protocol::DensityError>(())
//! ```

pub mod bundle;
mod bytes;
mod codec;
mod density;
mod format;
#[expect(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::expect_used,
    clippy::use_self,
    dead_code,
    unreachable_pub,
    reason = "written by the Thrift compiler"
)]
mod generated {
    pub(crate) mod sticker;
}
mod hash;
mod hex;
mod ids;
mod json;
pub mod limits;
pub mod release;
mod slug;
pub mod sticker;
mod time;
pub mod token;

pub use codec::CodecError;
pub use density::{Density, DensityError, LADDER};
pub use format::{ImageFormat, ImageHeader, ImageHeaderError};
pub use hash::{Sha256, Sha256Error};
pub use ids::{IdError, MAX_ID, PackId, StickerId};
pub use slug::{ReleasePath, ReleasePathError, Slug, SlugError};
pub use time::{Expiry, UnixSeconds};
