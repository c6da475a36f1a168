//! The bytes of an envelope.

use std::num::NonZeroU64;

use super::{KnownReleases, ReleaseKeyId, ReleaseKeys, ReleaseRefusal, ReleaseSigner, TrustedRelease};
use crate::bytes::{be_u16, be_u32, be_u64};
use crate::limits::MAX_METADATA;
use crate::release::{Manifest, ManifestError};
use crate::{MAX_ID, PackId, Sha256, UnixSeconds};

/// The first eight bytes of an envelope, made like those of a [sticker file](crate::sticker::MAGIC).
pub const MAGIC: [u8; 8] = *b"\x89STKM\r\n\x1a";
/// The format version that this crate writes and reads.
pub const FORMAT_VERSION: u16 = 1;
/// Its media type in HTTP.
pub const MEDIA_TYPE: &str = "application/vnd.sticker.release";
/// The most bytes that an envelope can have: what a client need not read beyond.
pub const MAX_ENVELOPE: usize = HEAD + MAX_METADATA + SIGNATURE;

/// What is signed begins with it, so that a signature that was made for something else says nothing here.
const DOMAIN: &[u8] = b"sticker-release-v1";
/// Bytes before the manifest.
const HEAD: usize = 72;
/// Bytes of an Ed25519 signature.
const SIGNATURE: usize = 64;

/// Counts the publications of one pack: 1 for the first, and one more for each that follows, up to 2^53 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseCounter(NonZeroU64);

impl ReleaseCounter {
    /// Of a pack's first publication.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Takes a number from 1 to 2^53 - 1, and no other.
    pub const fn new(value: u64) -> Option<Self> {
        match NonZeroU64::new(value) {
            Some(counter) if value <= MAX_ID => Some(Self(counter)),
            _ => None,
        }
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// What an envelope says beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The key that signs.
    pub key: ReleaseKeyId,
    /// The pack whose newest release this is.
    pub pack: PackId,
    /// The number of this publication of the pack.
    pub counter: ReleaseCounter,
    /// When it was signed, by the store's clock.
    pub signed_at: UnixSeconds,
}

/// Why nothing was signed, or no envelope can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Clients would refuse it.
    #[error("only a manifest can be signed")]
    Manifest(#[from] ManifestError),
}

/// An envelope that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRelease {
    bytes: Vec<u8>,
    statement: Statement,
    signature: [u8; SIGNATURE],
}

impl SignedRelease {
    /// Puts an envelope together again from what a store keeps: nothing is signed.
    ///
    /// # Errors
    /// [`SignError::Manifest`] for more bytes than a manifest has.
    pub fn of_parts(
        statement: Statement,
        manifest: &[u8],
        signature: [u8; SIGNATURE],
    ) -> Result<Self, SignError> {
        let mut bytes = signed_part(&statement, manifest)?.split_off(DOMAIN.len());
        bytes.extend_from_slice(&signature);
        Ok(Self { bytes, statement, signature })
    }

    /// The envelope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The envelope, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What it says beside the manifest.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Its last 64 bytes.
    pub const fn signature(&self) -> &[u8; SIGNATURE] {
        &self.signature
    }
}

impl ReleaseSigner {
    /// Signs a manifest as a pack's newest release; which pack the manifest itself says. The same input gives the same bytes.
    ///
    /// # Errors
    /// [`SignError::Manifest`] for what is no manifest.
    pub fn sign(
        &self,
        manifest: &[u8],
        counter: ReleaseCounter,
        signed_at: UnixSeconds,
    ) -> Result<SignedRelease, SignError> {
        let pack = Manifest::read(manifest)?.pack;
        let statement = Statement { key: self.id(), pack, counter, signed_at };
        let signature = self.sign_bytes(&signed_part(&statement, manifest)?);
        SignedRelease::of_parts(statement, manifest, signature)
    }
}

/// The domain and everything before the signature.
fn signed_part(statement: &Statement, manifest: &[u8]) -> Result<Vec<u8>, ManifestError> {
    let length = u32::try_from(manifest.len()).ok().filter(|_| manifest.len() <= MAX_METADATA);
    let length = length.ok_or(ManifestError::Codec(crate::CodecError::TooLong))?;
    let mut bytes = Vec::with_capacity(DOMAIN.len() + HEAD + manifest.len() + SIGNATURE);
    bytes.extend_from_slice(DOMAIN);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
    bytes.extend_from_slice(&statement.key.0.to_be_bytes());
    bytes.extend_from_slice(&statement.pack.get().to_be_bytes());
    bytes.extend_from_slice(&statement.counter.get().to_be_bytes());
    bytes.extend_from_slice(&statement.signed_at.0.to_be_bytes());
    bytes.extend_from_slice(Sha256::of(manifest).as_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(manifest);
    Ok(bytes)
}

/// Bytes that have the form of an envelope, and nothing more: everybody can write them.
#[derive(Clone, Debug)]
pub struct UntrustedRelease<'a> {
    /// Everything before the signature.
    signed: &'a [u8],
    manifest: &'a [u8],
    signature: &'a [u8],
    sha256: Sha256,
    statement: Statement,
}

impl<'a> UntrustedRelease<'a> {
    /// Reads the form of a whole envelope, strictly. Allocates nothing, hashes nothing.
    ///
    /// # Errors
    /// [`ReleaseRefusal::Malformed`] or [`ReleaseRefusal::UnsupportedVersion`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, ReleaseRefusal> {
        if bytes.len() > MAX_ENVELOPE || !bytes.starts_with(&MAGIC) {
            return Err(ReleaseRefusal::Malformed);
        }
        // Of a later version no more than this may be the same.
        match be_u16(bytes, 8) {
            Some(FORMAT_VERSION) => Self::parts(bytes).ok_or(ReleaseRefusal::Malformed),
            Some(_) => Err(ReleaseRefusal::UnsupportedVersion),
            None => Err(ReleaseRefusal::Malformed),
        }
    }

    fn parts(bytes: &'a [u8]) -> Option<Self> {
        let (signed, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        let manifest = signed.get(HEAD..)?;
        let statement = Statement {
            key: ReleaseKeyId(be_u16(signed, 10)?),
            pack: PackId::new(be_u64(signed, 12)?).ok()?,
            counter: ReleaseCounter::new(be_u64(signed, 20)?)?,
            signed_at: UnixSeconds(be_u64(signed, 28)?),
        };
        let sha256 = Sha256::new(*signed.get(36..)?.first_chunk()?);
        let whole = be_u32(signed, 68)? as usize == manifest.len() && !manifest.is_empty();
        whole.then_some(Self { signed, manifest, signature, sha256, statement })
    }

    /// What it says, unproven.
    pub const fn untrusted_statement(&self) -> &Statement {
        &self.statement
    }

    /// Believes the envelope if one of `keys` has signed it, if it is `pack`'s, and if it is not older than what is `known`: every check
    /// in the order of the specification. [`KnownReleases::remember`] what comes out, and keep that, before anything is downloaded.
    ///
    /// # Errors
    /// The first [`ReleaseRefusal`] in that order.
    pub fn verify(
        self,
        keys: &ReleaseKeys,
        known: &KnownReleases,
        pack: PackId,
    ) -> Result<TrustedRelease, ReleaseRefusal> {
        let key = keys.find(self.statement.key).ok_or(ReleaseRefusal::UnknownKey)?;
        let message = [DOMAIN, self.signed].concat();
        if !key.vouches_for(&message, self.signature) {
            return Err(ReleaseRefusal::BadSignature);
        }
        if Sha256::of(self.manifest) != self.sha256 {
            return Err(ReleaseRefusal::BadManifest);
        }
        let manifest = match Manifest::read(self.manifest) {
            Ok(manifest) if manifest.pack == self.statement.pack => manifest,
            Err(ManifestError::UnsupportedVersion(_)) => return Err(ReleaseRefusal::UnsupportedVersion),
            Ok(_) | Err(_) => return Err(ReleaseRefusal::BadManifest),
        };
        if manifest.pack != pack {
            return Err(ReleaseRefusal::WrongPack);
        }
        let overrules = known.check(&self.statement, self.sha256, keys)?;
        Ok(TrustedRelease::new(self.statement, self.sha256, manifest, overrules))
    }
}
