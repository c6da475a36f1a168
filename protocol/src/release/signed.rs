//! A release that its store vouches for: the manifest in a signed envelope, and the client that believes nothing else.
//!
//! The way is one way: bytes are [`UntrustedRelease::read`], [`UntrustedRelease::verify`] compares them with the keys that an app ships
//! and with what it [knows](KnownReleases), and the [`TrustedRelease`] that comes out [checks](TrustedRelease::check) each file of the pack.
//! Who can answer in the store's place, or alter what is on the way, can keep a client from news but make it take nothing that the store did
//! not publish, nor go back. The specification, byte by byte, is section 5 of this crate's README.
//!
//! ```
//! use sticker_protocol::release::signed::{KnownReleases, ReleaseKeys, ReleaseRefusal, UntrustedRelease};
//! use sticker_protocol::PackId;
//!
//! /// Takes what the store answered for `GET /dl/{pack}.manifest`, and says which file to download at `density`, and from where.
//! fn bundle_of(
//!     pack: PackId, answer: &[u8], keys: &ReleaseKeys, known: &mut KnownReleases, density: sticker_protocol::Density,
//! ) -> Result<Option<String>, ReleaseRefusal> {
//!     let release = UntrustedRelease::read(answer)?.verify(keys, known, pack)?;
//!     known.remember(&release);
//!     let file = release.density_for(density).and_then(|built| release.bundle(built));
//!     Ok(file.and_then(|file| release.address(file)))
//! }
//! # let keys = ReleaseKeys::parse(r#"{"keys":[]}"#).unwrap();
//! # let pack = PackId::new(42).unwrap();
//! # let refused = bundle_of(pack, b"", &keys, &mut KnownReleases::new(), sticker_protocol::Density::DEFAULT);
//! # assert_eq!(refused, Err(ReleaseRefusal::Malformed));
//! ```

mod check;
mod envelope;
mod key;
mod keys;
mod known;
mod trusted;

pub use check::FileRefusal;
pub use envelope::{
    FORMAT_VERSION, MAGIC, MAX_ENVELOPE, MEDIA_TYPE, ReleaseCounter, SignError, SignedRelease, Statement,
    UntrustedRelease,
};
pub use key::{ReleaseKeyId, ReleaseSigner};
pub use keys::{ReleaseKeys, ReleaseKeysError};
pub use known::{KnownRelease, KnownReleases, KnownReleasesError};
pub use trusted::TrustedRelease;

/// Why an envelope is not believed, in the order in which it is looked at. Sorted by blame: bytes that are no envelope, one that this reader is
/// too old for, one that nobody trusted has signed, one that the store signed wrongly, one that is sound and was put in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseRefusal {
    /// Cut, longer than it says, without the magic, or with a pack or a counter that there cannot be.
    #[error("this is no signed release, or it is damaged")]
    Malformed,
    /// A version of the envelope, or of the manifest in it, that this reader does not know.
    #[error("the signed release has a version that this reader does not know")]
    UnsupportedVersion,
    /// The key is none of those that the client trusts.
    #[error("the release is signed with a key that is not trusted")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature of the release is wrong")]
    BadSignature,
    /// The store signed a manifest that is none, that is not the one it names, or that is another pack's.
    #[error("the release is signed, and its manifest is wrong")]
    BadManifest,
    /// A sound release of another pack.
    #[error("this is another pack's release")]
    WrongPack,
    /// A sound release that is older than one that the client has seen.
    #[error("this is an older release than the one that is known")]
    Rollback,
    /// Two releases of one pack with one number: the store, or who has its key, told one client this and another that.
    #[error("this is another release than the one that is known under its number")]
    Altered,
}

impl ReleaseRefusal {
    /// The stable code, the same in every language.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::BadManifest => "bad_manifest",
            Self::WrongPack => "wrong_pack",
            Self::Rollback => "rollback",
            Self::Altered => "altered",
        }
    }
}
