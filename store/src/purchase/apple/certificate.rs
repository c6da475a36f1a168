//! What is asked of one certificate by itself; that one vouches for the next is [`super::Chains`]' affair.

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer as _;

use super::refusal::{ChainFault, Place};

/// A certificate that could be read, and is not trusted for that.
pub(super) struct Certificate<'a> {
    read: X509Certificate<'a>,
    place: Place,
}

/// Seconds since 1970 between which something is valid, both included (RFC 5280, section 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) not_before: i64,
    pub(super) not_after: i64,
}

/// What makes an authority (RFC 5280, section 6.1.1): its name and its key, as DER. A root that is issued anew keeps both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    name: Vec<u8>,
    key: Vec<u8>,
}

impl Window {
    /// Whether `place` is valid at this time.
    pub(super) const fn check(self, place: Place, now: i64) -> Result<(), ChainFault> {
        if now < self.not_before {
            return Err(ChainFault::NotYetValid(place));
        }
        if now > self.not_after {
            return Err(ChainFault::Expired(place));
        }
        Ok(())
    }
}

impl<'a> Certificate<'a> {
    /// Reads DER with nothing after it.
    pub(super) fn read(der: &'a [u8], place: Place) -> Result<Self, ChainFault> {
        match X509Certificate::from_der(der) {
            Ok(([], read)) => Ok(Self { read, place }),
            _ => Err(ChainFault::Unreadable(place)),
        }
    }

    pub(super) fn anchor(&self) -> Anchor {
        let (name, key) = (self.read.subject().as_raw(), self.read.public_key().raw);
        Anchor { name: name.to_vec(), key: key.to_vec() }
    }

    pub(super) fn window(&self) -> Window {
        let validity = self.read.validity();
        Window { not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() }
    }

    /// Whether Apple marked it for its place, and its key is for what it does there. Whoever has an account with Apple has a certificate
    /// under the same root; the markers tell the App Store's from theirs.
    pub(super) fn check_purpose(&self) -> Result<(), ChainFault> {
        let marker = match self.place {
            Place::Leaf => Some(LEAF_MARKER),
            Place::Intermediate => Some(INTERMEDIATE_MARKER),
            Place::Root => None,
        };
        if let Some(marker) = marker
            && !matches!(self.read.get_extension_unique(&marker), Ok(Some(_)))
        {
            return Err(ChainFault::NoMarker(self.place));
        }
        let usage = self.read.key_usage().map_err(|_twice| ChainFault::Unreadable(self.place))?;
        let may = usage.is_none_or(|usage| match self.place {
            Place::Leaf => usage.value.digital_signature(),
            Place::Intermediate | Place::Root => usage.value.key_cert_sign(),
        });
        if may { Ok(()) } else { Err(ChainFault::KeyUsage(self.place)) }
    }

    /// The point of its key, where that is on P-256.
    pub(super) fn p256_key(&self) -> Option<Vec<u8>> {
        let key = self.read.public_key();
        let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        let is_p256 = key.algorithm.algorithm == EC_PUBLIC_KEY && curve == Some(P256);
        is_p256.then(|| key.subject_public_key.data.to_vec())
    }
}

/// On the certificate that signs for the App Store.
const LEAF_MARKER: Oid<'static> = oid!(1.2.840.113635.100.6.11.1);
/// On the authority that issues it, Apple Worldwide Developer Relations.
const INTERMEDIATE_MARKER: Oid<'static> = oid!(1.2.840.113635.100.6.2.1);
/// RFC 5480, section 2.1.1.
const EC_PUBLIC_KEY: Oid<'static> = oid!(1.2.840.10045.2.1);
/// RFC 5480, section 2.1.1.1: secp256r1.
const P256: Oid<'static> = oid!(1.2.840.10045.3.1.7);
