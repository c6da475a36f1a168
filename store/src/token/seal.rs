//! Keys at rest: the secret of each token key and release key is sealed by the master key, bound to what it is for (AES-256-GCM).

use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use sticker_protocol::release::signed::ReleaseKeyId;
use sticker_protocol::token::{Algorithm, KeyId, Secret};
use zeroize::Zeroizing;

use super::file::{self, FileError};
use crate::config::Config;
use crate::random::{NoRandom, Random};

/// The key that seals the other keys. It is nowhere in the database; every instance of a store has the same.
pub struct MasterKey {
    seals: LessSafeKey,
    derives: hkdf::Prk,
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// The setting or the file holds something else.
    #[error("{place} is not 64 hexadecimal digits")]
    Malformed {
        /// The setting, or the file.
        place: String,
    },
    /// There are sealed keys, and the file that opens them is not here.
    #[error("the token keys in the database are sealed, and the master key file {} is not there", .0.display())]
    Missing(PathBuf),
    /// It opens no key and proves no row of the trace.
    #[error("this is another master key than the one that the store was made with")]
    Another,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// None could be made.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

/// What a secret is sealed for: moved to the row of anything else it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// A key that signs tokens.
    Token(KeyId, Algorithm),
    /// A key that signs releases.
    Release(ReleaseKeyId),
}

impl Sealed {
    fn label(self) -> String {
        match self {
            Self::Token(id, algorithm) => format!("sticker-store token key|{id}|{}", algorithm.name()),
            Self::Release(id) => format!("sticker-store release key|{id}|ed25519"),
        }
    }
}

impl std::fmt::Display for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(id, _) => write!(f, "token key {id}"),
            Self::Release(id) => write!(f, "release key {id}"),
        }
    }
}

/// What was sealed does not open: it was sealed by another master key, or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} does not open: it was sealed by another master key, or altered")]
pub struct DoesNotOpen(pub Sealed);

impl MasterKey {
    /// Takes the key from the configuration or its file. Where nothing is sealed yet (`may_make`), a missing file is made.
    ///
    /// # Errors
    /// [`MasterKeyError`].
    pub fn load(config: &Config, random: &Random, may_make: bool) -> Result<Self, MasterKeyError> {
        if let Some(digits) = config.token.master_key.expose() {
            return Self::from_hex(digits)
                .ok_or_else(|| MasterKeyError::Malformed { place: "token.master_key".to_owned() });
        }
        let path = config.master_key_file();
        if !file::exists(&path)? {
            if !may_make {
                return Err(MasterKeyError::Missing(path));
            }
            let digits = Zeroizing::new(hex(&random.bytes::<32>()?));
            file::make_private(&path, &digits)?;
        }
        Self::read(&path)
    }

    /// A new key that nobody has: for a process that has nothing to open and nothing to sign.
    ///
    /// # Errors
    /// [`MasterKeyError::NoRandom`].
    pub fn of_nobody(random: &Random) -> Result<Self, MasterKeyError> {
        let digits = Zeroizing::new(hex(&random.bytes::<32>()?));
        Self::from_hex(&digits).ok_or(MasterKeyError::NoRandom(NoRandom))
    }

    fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let digits = Zeroizing::new(file::read_private(path)?);
        Self::from_hex(digits.trim())
            .ok_or_else(|| MasterKeyError::Malformed { place: path.display().to_string() })
    }

    fn from_hex(digits: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        let pairs = digits.as_bytes().chunks_exact(2);
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(pairs) {
            *byte =
                u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?, 16)
                    .ok()?;
        }
        let seals = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).ok()?);
        Some(Self { seals, derives: hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.as_slice()) })
    }

    /// A key for HMAC-SHA256 that follows from this one and the label (HKDF, RFC 5869). Each use has a label of its own; neither another
    /// label's key nor the master key follows from it.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "HKDF fails only for more than 255 hashes of output"
    )]
    pub fn derived(&self, label: &str) -> hmac::Key {
        let info = [label.as_bytes()];
        self.derives.expand(&info, hmac::HMAC_SHA256).expect("one hash of output").into()
    }

    /// Nonce, sealed secret, tag: 60 bytes.
    ///
    /// # Errors
    /// [`NoRandom`], where nothing can be sealed.
    pub fn seal(&self, random: &Random, what: Sealed, secret: &Secret) -> Result<Vec<u8>, NoRandom> {
        let nonce = random.bytes::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(*secret.expose());
        let tag = self.seals.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(what.label()),
            sealed.as_mut_slice(),
        );
        // Thirty-two bytes are never too many for the cipher.
        let tag = tag.ok().ok_or(NoRandom)?;
        Ok([nonce.as_slice(), sealed.as_slice(), tag.as_ref()].concat())
    }

    /// The secret of this key.
    ///
    /// # Errors
    /// [`DoesNotOpen`].
    pub fn open(&self, what: Sealed, sealed: &[u8]) -> Result<Secret, DoesNotOpen> {
        self.try_open(what, sealed).ok_or(DoesNotOpen(what))
    }

    fn try_open(&self, what: Sealed, sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(what.label());
        let opened = self.seals.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut sealed).ok()?;
        Some(Secret::new(<[u8; 32]>::try_from(&*opened).ok()?))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";

    #[test]
    fn a_sealed_key_opens_for_its_id_algorithm_and_master_alone() {
        let (master, random) = (MasterKey::from_hex(DIGITS).unwrap(), Random::system());
        let third = Sealed::Token(KeyId(3), Algorithm::HmacSha256);
        let sealed = master.seal(&random, third, &Secret::new([7; 32])).unwrap();
        assert_eq!(sealed.len(), 60);
        let open = |master: &MasterKey, what, sealed: &[u8]| master.open(what, sealed).map(|it| *it.expose());
        assert_eq!(open(&master, third, &sealed), Ok([7; 32]));
        for other in [
            Sealed::Token(KeyId(4), Algorithm::HmacSha256),
            Sealed::Token(KeyId(3), Algorithm::Ed25519),
            Sealed::Release(ReleaseKeyId(3)),
        ] {
            assert_eq!(open(&master, other, &sealed), Err(DoesNotOpen(other)));
        }
        let other = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
        assert_eq!(open(&other, third, &sealed), Err(DoesNotOpen(third)));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&master, third, &altered).is_err(), "byte {at}");
            assert!(open(&master, third, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_derived_key_is_that_of_the_standard_for_its_label_alone() {
        let master = MasterKey::from_hex(DIGITS).unwrap();
        let tag = |key: &hmac::Key| hmac::sign(key, b"x").as_ref().to_vec();
        let derived = tag(&master.derived("one"));
        assert_eq!(derived, tag(&MasterKey::from_hex(DIGITS).unwrap().derived("one")));
        assert_ne!(derived, tag(&master.derived("other")));
        // RFC 5869 in terms of HMAC: extract with zeros as salt, then the first block of expand.
        let secret: Vec<u8> = (0..32).collect();
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), &secret);
        let block = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()), b"one\x01");
        assert_eq!(derived, tag(&hmac::Key::new(hmac::HMAC_SHA256, block.as_ref())));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        for wrong in [
            "",
            "00",
            &DIGITS[1..],
            &format!("{DIGITS}00"),
            &DIGITS.replace('F', "g"),
            &DIGITS.replace("00", "+0"),
            &"é".repeat(32),
        ] {
            assert!(MasterKey::from_hex(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn the_first_start_makes_a_master_key_for_its_owner_alone_and_sealed_keys_want_the_one_that_was_lost() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let variables = [("STICKER_STORE__DATA_DIR".to_owned(), folder.path().display().to_string())];
        let config = Config::load(None, variables.into_iter()).unwrap();
        let random = Random::system();
        assert!(matches!(MasterKey::load(&config, &random, false), Err(MasterKeyError::Missing(_))));
        let sealed = MasterKey::load(&config, &random, true).unwrap();
        let first = Sealed::Token(KeyId(1), Algorithm::HmacSha256);
        let sealed = sealed.seal(&random, first, &Secret::new([7; 32])).unwrap();
        let mode = std::fs::metadata(config.master_key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = MasterKey::load(&config, &random, true).unwrap();
        assert!(again.open(first, &sealed).is_ok());
    }
}
