//! From three certificates to the key that may sign for the App Store.

use std::sync::Arc;
use std::time::Duration;

use base64_simd::STANDARD;
use moka::sync::Cache;
use ring::digest::{Context, SHA256};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};

use super::certificate::{Certificate, Window};
use super::refusal::{ChainFault, Place};
use super::root::Root;
use sticker_protocol::UnixSeconds;

/// Verifies chains of certificates against roots of ours, and remembers the few that the App Store uses.
#[derive(Debug)]
pub struct Chains {
    roots: Vec<Root>,
    verified: Cache<[u8; 32], Arc<Leaf>>,
}

/// What a verified chain ends in.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The uncompressed point of its key; `None` where that is not on P-256, so that ES256 cannot be its.
    pub(super) key: Option<Vec<u8>>,
    /// When each certificate is valid: ours, and the three that were sent.
    window: [(Place, Window); 4],
}

impl Chains {
    /// With the roots to trust; none trusts nobody.
    pub fn new(roots: Vec<Root>) -> Self {
        Self { roots, verified: Cache::new(REMEMBERED) }
    }

    /// The key of the leaf, whose certificate the second vouches for, and for the second one of our roots, which the third is: all valid
    /// now, and marked by Apple. The texts are standard base64 of DER, as in the header `x5c`.
    ///
    /// Only what was verified is remembered, under the SHA-256 of the texts; base64 has one text for each certificate.
    pub(super) fn leaf(&self, x5c: &[String], now: UnixSeconds) -> Result<Arc<Leaf>, ChainFault> {
        let [leaf, intermediate, root] = x5c else { return Err(ChainFault::Count(x5c.len())) };
        let name = name_of(x5c);
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        if let Some(known) = self.verified.get(&name) {
            known.window.iter().try_for_each(|(place, window)| window.check(*place, now))?;
            return Ok(known);
        }
        let chain = Chain {
            leaf: decoded(leaf, Place::Leaf)?,
            intermediate: decoded(intermediate, Place::Intermediate)?,
            root: decoded(root, Place::Root)?,
        };
        let leaf = Arc::new(chain.verify(&self.roots, now)?);
        self.verified.insert(name, Arc::clone(&leaf));
        Ok(leaf)
    }
}

/// The App Store signs with one chain at a time and a few around a change.
const REMEMBERED: u64 = 32;

fn name_of(x5c: &[String]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for text in x5c {
        // No base64 has a full stop in it: where one text ends is part of what is hashed.
        context.update(text.as_bytes());
        context.update(b".");
    }
    let mut name = [0; 32];
    name.copy_from_slice(context.finish().as_ref());
    name
}

fn decoded(text: &str, place: Place) -> Result<CertificateDer<'static>, ChainFault> {
    let der = STANDARD.decode_to_vec(text).map_err(|_says_no_more| ChainFault::Unreadable(place))?;
    Ok(der.into())
}

/// Three certificates, of which nothing is known.
struct Chain {
    leaf: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    root: CertificateDer<'static>,
}

impl Chain {
    fn verify(&self, roots: &[Root], now: i64) -> Result<Leaf, ChainFault> {
        let sent = Certificate::read(&self.root, Place::Root)?;
        let anchor = sent.anchor();
        let root = roots.iter().find(|root| root.is(&anchor)).ok_or(ChainFault::ForeignRoot)?;
        let leaf = Certificate::read(&self.leaf, Place::Leaf)?;
        let intermediate = Certificate::read(&self.intermediate, Place::Intermediate)?;
        let window = [
            (Place::Root, root.window()),
            (Place::Root, sent.window()),
            (Place::Intermediate, intermediate.window()),
            (Place::Leaf, leaf.window()),
        ];
        window.iter().try_for_each(|(place, window)| window.check(*place, now))?;
        leaf.check_purpose()?;
        intermediate.check_purpose()?;
        self.verify_path(root, now)?;
        Ok(Leaf { key: leaf.p256_key(), window })
    }

    /// RFC 5280, section 6: signatures, names, authority, path length and critical extensions.
    fn verify_path(&self, root: &Root, now: i64) -> Result<(), ChainFault> {
        // Ours, whatever was sent: the third certificate only says which of ours is meant.
        let root = CertificateDer::from(root.der());
        let anchors = [anchor_from_trusted_cert(&root).map_err(ChainFault::Path)?];
        let intermediates = [self.intermediate.clone()];
        let leaf = EndEntityCert::try_from(&self.leaf).map_err(ChainFault::Path)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or_default()));
        let path = leaf
            .verify_for_usage(ALGORITHMS, &anchors, &intermediates, now, AnyPurpose, None, None)
            .map_err(ChainFault::Path)?;
        // A path may leave out the intermediate, with its marker, where the root itself issued the leaf.
        if path.intermediate_certificates().count() == 1 { Ok(()) } else { Err(ChainFault::Detour) }
    }
}

/// The marker says what the App Store's leaf is for; it has no extended key usage.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        purposes.try_for_each(|purpose| purpose.map(drop))
    }
}

/// Keys on P-256 and P-384, with either hash, as Apple's authorities have used them.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
];
