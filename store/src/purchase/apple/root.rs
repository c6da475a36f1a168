//! The roots that we trust: Apple's, shipped as data, or others that an operator or a test names.

use base64_simd::STANDARD;

use super::certificate::{Anchor, Certificate, Window};
use super::refusal::{ChainFault, Place};

/// A certificate that is trusted because we say so.
#[derive(Clone, Debug)]
pub struct Root {
    der: Vec<u8>,
    anchor: Anchor,
    window: Window,
}

/// Why something holds no root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// A certificate that cannot be read, or has something after it.
    #[error("there is no certificate in it that can be read")]
    Unreadable(#[from] ChainFault),
    /// A PEM text that has no end, or is not base64.
    #[error("the PEM text is damaged")]
    Pem,
}

impl Root {
    /// Apple Root CA - G3; the README beside the file names source and fingerprint.
    ///
    /// # Errors
    /// None with the file as it is, which a test reads.
    pub fn apple() -> Result<Self, RootError> {
        Self::of_der(APPLE_ROOT_CA_G3)
    }

    /// The roots of a file: each certificate of a PEM text, or one as DER.
    ///
    /// # Errors
    /// [`RootError`].
    pub fn of_file(bytes: &[u8]) -> Result<Vec<Self>, RootError> {
        match str::from_utf8(bytes) {
            Ok(text) if text.contains(BEGIN) => text.split(BEGIN).skip(1).map(Self::of_pem).collect(),
            _ => Ok(vec![Self::of_der(bytes)?]),
        }
    }

    /// A root of its DER bytes and nothing after.
    ///
    /// # Errors
    /// [`RootError`].
    pub fn of_der(der: &[u8]) -> Result<Self, RootError> {
        let certificate = Certificate::read(der, Place::Root)?;
        Ok(Self { der: der.to_vec(), anchor: certificate.anchor(), window: certificate.window() })
    }

    fn of_pem(after_begin: &str) -> Result<Self, RootError> {
        let (body, _) = after_begin.split_once(END).ok_or(RootError::Pem)?;
        let base64: String = body.chars().filter(|it| !it.is_ascii_whitespace()).collect();
        let der = STANDARD.decode_to_vec(base64).map_err(|_says_no_more| RootError::Pem)?;
        Self::of_der(&der)
    }

    pub(super) fn is(&self, anchor: &Anchor) -> bool {
        self.anchor == *anchor
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) const fn window(&self) -> Window {
        self.window
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Source and fingerprint: `README.md` beside it.
const APPLE_ROOT_CA_G3: &[u8] = include_bytes!("AppleRootCA-G3.cer");

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use ring::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn the_shipped_root_has_the_fingerprint_that_its_readme_names() {
        let mut fingerprint = String::new();
        for byte in digest(&SHA256, APPLE_ROOT_CA_G3).as_ref() {
            write!(fingerprint, "{byte:02X}").unwrap();
        }
        assert_eq!(fingerprint, "63343ABFB89A6A03EBB57E9B3F5FA7BE7C4F5C756F3017B3A8C488C3653E9179");
        assert!(include_str!("README.md").contains(&fingerprint));
        let window = Root::apple().unwrap().window();
        assert_eq!((window.not_before, window.not_after), (1_398_881_946, 2_187_800_346));
    }

    #[test]
    fn a_file_of_roots_is_der_or_pem_with_one_or_more() {
        let base64 = STANDARD.encode_to_string(APPLE_ROOT_CA_G3);
        let (first, second) = base64.split_at(64);
        let pem = format!("a comment\n{BEGIN}\r\n{first}\r\n{second}\r\n{END}\n");
        let ders = |bytes: &[u8]| -> Vec<_> {
            Root::of_file(bytes).unwrap().iter().map(|root| root.der().to_vec()).collect()
        };
        assert_eq!(ders(APPLE_ROOT_CA_G3), [APPLE_ROOT_CA_G3]);
        assert_eq!(ders(format!("{pem}{pem}").as_bytes()), [APPLE_ROOT_CA_G3, APPLE_ROOT_CA_G3]);
        let longer = [APPLE_ROOT_CA_G3, b"\n"].concat();
        for bad in [&b""[..], b"text", BEGIN.as_bytes(), &APPLE_ROOT_CA_G3[..500], &longer] {
            assert!(Root::of_file(bad).is_err(), "{} bytes", bad.len());
        }
        assert!(Root::of_file(pem.replace(second, "").as_bytes()).is_err());
    }
}
